import { env } from '$env/dynamic/private'
import type { User } from '$lib/session'
import type { Cookies } from '@sveltejs/kit'

// Asks the API as the visitor whose page is rendered: with the visitor's session cookie, and no other.
export function askApi(path: string, cookies: Cookies): Promise<Response> {
  const value = cookies.get('sample_session')
  const headers = { 'x-bff': '1', ...(value && { cookie: `sample_session=${value}` }) }
  return fetch(`${env.API}${path}`, { headers })
}

// null: nobody is signed in. undefined: the API could not be asked, and the page finds out by itself.
export async function currentUser(cookies: Cookies): Promise<User | null | undefined> {
  try {
    const response = await askApi('/bff/session', cookies)
    if (!response.ok) return response.status === 401 ? null : undefined
    const { user = null } = await response.json()
    return user
  } catch {
    return undefined
  }
}
