import type { User } from './user'

// Asks the API as the visitor whose page is rendered, with the visitor's own cookies.
export function askApi(path: string): Promise<Response> {
  const headers = { ...useRequestHeaders(['cookie']), 'x-bff': '1' }
  return fetch(`${useRuntimeConfig().api}${path}`, { headers })
}

// null: nobody is signed in. undefined: the API could not be asked, and the page finds out by itself.
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
