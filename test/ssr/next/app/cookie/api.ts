import { cookies } from 'next/headers'
import type { User } from '../user'

/** Asks the API as the visitor whose page is rendered: with the visitor's session cookie, and no other. */
export async function askApi(path: string): Promise<Response> {
  const { name, value } = (await cookies()).get('sample_session') ?? {}
  const headers = { 'x-bff': '1', ...(name && { cookie: `${name}=${value}` }) }
  return fetch(`${process.env.API}${path}`, { headers, cache: 'no-store' })
}

/** `null`: nobody is signed in. `undefined`: the API could not be asked, and the page finds out by itself. */
export async function currentUser(): Promise<User | null | undefined> {
  try {
    const response = await askApi('/bff/session')
    if (!response.ok) return response.status === 401 ? null : undefined
    const { user = null } = await response.json()
    return user
  } catch {
    return undefined
  }
}
