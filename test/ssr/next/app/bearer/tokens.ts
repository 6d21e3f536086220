import { cookies } from 'next/headers'
import type { Credentials } from 'resesh'
import type { User } from '../user'

const OPTIONS = { httpOnly: true, secure: true, sameSite: 'strict', path: '/' } as const

/** Sends JSON to the API. */
export const post = (path: string, body: unknown): Promise<Response> =>
  fetch(`${process.env.API}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

/** Keeps both tokens of a login or a refresh in cookies. The page is told the access token, and never the refresh token. */
export async function keepTokens(answer: Response): Promise<Response> {
  if (!answer.ok) return new Response(null, { status: answer.status })
  const { accessToken, refreshToken, expiresIn, user } = await answer.json()
  const jar = await cookies()
  jar.set('access_token', accessToken, { ...OPTIONS, maxAge: expiresIn })
  jar.set('refresh_token', refreshToken, OPTIONS)
  return Response.json({ accessToken, expiresIn, user })
}

/** `null`: nobody is signed in. `undefined`: the access token has expired, and the page renews it by itself. */
export async function knownCredentials(): Promise<Credentials<User> | null | undefined> {
  const jar = await cookies()
  if (!jar.has('refresh_token')) return null
  const accessToken = jar.get('access_token')?.value
  const user = accessToken && (await askApi<User>('/auth/user', accessToken))
  return user ? { accessToken, user } : undefined
}

/** Asks the API as the visitor whose page is rendered. `undefined`: it has not answered with what was asked for. */
export async function askApi<T>(path: string, accessToken: string): Promise<T | undefined> {
  const headers = { authorization: `Bearer ${accessToken}` }
  try {
    const response = await fetch(`${process.env.API}${path}`, { headers, cache: 'no-store' })
    return response.ok ? await response.json() : undefined
  } catch {
    return undefined
  }
}
