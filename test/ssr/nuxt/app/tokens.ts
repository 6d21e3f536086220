import type { Credentials } from 'resesh'
import type { User } from './user'

// null: nobody is signed in. undefined: the access token has expired, and the page renews it by itself.
export async function knownCredentials(): Promise<Credentials<User> | null | undefined> {
  if (!useCookie('refresh_token').value) return null
  const accessToken = useCookie('access_token').value
  const user = accessToken && (await askApiWithToken<User>('/auth/user'))
  return user ? { accessToken, user } : undefined
}

// Asks the API as the visitor whose page is rendered. undefined: it has not answered with what was asked for.
export async function askApiWithToken<T>(path: string): Promise<T | undefined> {
  const headers = { authorization: `Bearer ${useCookie('access_token').value}` }
  try {
    const response = await fetch(`${useRuntimeConfig().api}${path}`, { headers })
    return response.ok ? await response.json() : undefined
  } catch {
    return undefined
  }
}
