import { env } from '$env/dynamic/private'
import type { User } from '$lib/session'
import type { Cookies } from '@sveltejs/kit'
import type { Credentials } from 'resesh'

const OPTIONS = { httpOnly: true, secure: true, sameSite: 'strict', path: '/' } as const

// Sends JSON to the API.
export const post = (path: string, body: unknown): Promise<Response> =>
  fetch(`${env.API}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

// Keeps both tokens of a login or a refresh in cookies. The page is told the access token, and never the refresh token.
export async function keepTokens(answer: Response, cookies: Cookies): Promise<Response> {
  if (!answer.ok) return new Response(null, { status: answer.status })
  const { accessToken, refreshToken, expiresIn, user } = await answer.json()
  cookies.set('access_token', accessToken, { ...OPTIONS, maxAge: expiresIn })
  cookies.set('refresh_token', refreshToken, OPTIONS)
  return Response.json({ accessToken, expiresIn, user })
}

// null: nobody is signed in. undefined: the access token has expired, and the page renews it by itself.
export async function knownCredentials(cookies: Cookies): Promise<Credentials<User> | null | undefined> {
  if (!cookies.get('refresh_token')) return null
  const accessToken = cookies.get('access_token')
  const user = accessToken && (await askApi<User>('/auth/user', accessToken))
  return user ? { accessToken, user } : undefined
}

// Asks the API as the visitor whose page is rendered. undefined: it has not answered with what was asked for.
export async function askApi<T>(path: string, accessToken = ''): Promise<T | undefined> {
  const headers = { authorization: `Bearer ${accessToken}` }
  try {
    const response = await fetch(`${env.API}${path}`, { headers })
    return response.ok ? await response.json() : undefined
  } catch {
    return undefined
  }
}
