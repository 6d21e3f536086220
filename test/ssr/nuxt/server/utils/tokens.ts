import type { H3Event } from 'h3'

const OPTIONS = { httpOnly: true, secure: true, sameSite: 'strict', path: '/' } as const

// Sends JSON to the API.
export const post = (path: string, body: unknown): Promise<Response> =>
  fetch(`${useRuntimeConfig().api}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

// Keeps both tokens of a login or a refresh in cookies. The page is told the access token, and never the refresh token.
export async function keepTokens(answer: Response, event: H3Event) {
  setResponseStatus(event, answer.status)
  if (!answer.ok) return null
  const { accessToken, refreshToken, expiresIn, user } = await answer.json()
  setCookie(event, 'access_token', accessToken, { ...OPTIONS, maxAge: expiresIn })
  setCookie(event, 'refresh_token', refreshToken, OPTIONS)
  return { accessToken, expiresIn, user }
}
