// better-auth: a session in a cookie, and with its JWT plugin a token beside it.

import type { Credentials, Json } from '../core/credentials.ts'
import { RefreshFailedError } from '../errors.ts'
import type { Backend, Io } from '../ports.ts'
import { attachBearer, originsOf, peek, readJson, readJsonOrNull } from '../wire.ts'

export interface BetterAuthOptions {
  /** Where the routes are. @default '/api/auth' */
  baseUrl?: string
  /** The server has the JWT plugin, and the app's API takes its tokens. @default false */
  jwt?: boolean
}

/**
 * Sign in with better-auth's own client, then call `session.signIn()`.
 *
 * @example
 * const session = createSession({ backend: betterAuth({ jwt: true }) })
 * await authClient.signIn.email({ email, password })
 * await session.signIn()
 */
export function betterAuth({ baseUrl = '/api/auth', jwt = false }: BetterAuthOptions = {}): Backend {
  const ask = (io: Io, path: string, init?: RequestInit): Promise<Response> =>
    io.fetch(baseUrl + path, { credentials: 'include', ...init })

  async function mint(io: Io): Promise<string | null> {
    const response = await ask(io, '/token')
    if (response.status === 401) return null
    const { token } = await readJson(response)
    if (typeof token === 'string' && token) return token
    throw new RefreshFailedError(`${baseUrl}/token answered without a token`, { response })
  }

  /** @param isFresh Past the cookie cache of the server. */
  async function check(io: Io, isFresh: boolean): Promise<Credentials | null> {
    const path = `/get-session${isFresh ? '?disableCookieCache=true' : ''}`
    let response = await ask(io, path)
    let body = await read(response)
    if (body?.['needsRefresh']) body = await read((response = await ask(io, path, { method: 'POST' })))
    const { session, user } = body ?? {}
    // The answer that finds a session expired still carries a token for it: only with a session is it one.
    if (!session || !user) return null
    // The session's own token is the secret itself: it stays out of what an app shows and stores.
    const { token: _secret, ...claims } = session as Json
    const ends = Date.parse(String(claims['expiresAt']))
    const accessToken = jwt ? (response.headers.get('set-auth-jwt') ?? (await mint(io))) : null
    if (jwt && !accessToken) throw new RefreshFailedError(`${baseUrl}/token: 401 beside a session`, { response })
    return {
      user: user as Json,
      ...(ends > 0 && { sessionExpiresAt: ends }),
      ...(jwt ? { accessToken } : { claims: { ...claims, sub: claims['userId'] } }),
    }
  }

  return {
    name: 'better-auth',
    cookies: true,
    needsToken: jwt,
    origins: originsOf([baseUrl]),
    owns: (url) => /\/(get-session|token|sign-out)(\?|$)/.test(url) && url.includes(`${baseUrl}/`),
    attach(headers, credentials) {
      attachBearer(headers, credentials)
      return { credentials: 'include' }
    },
    async stepUp(response) {
      const code = response.status === 403 && (await peek(response))?.['code']
      return code === 'SESSION_NOT_FRESH' ? { type: code } : null
    },
    restore: (io) => check(io, false),
    async refresh(_held, io) {
      // A store that is down looks like signed out to the token route: the session route knows better.
      const accessToken = jwt && (await mint(io))
      return accessToken ? { accessToken } : check(io, true)
    },
    reload: (_held, io) => check(io, true),
    async signOut(_held, io) {
      const headers = { 'content-type': 'application/json' }
      const { status } = await ask(io, '/sign-out', { method: 'POST', headers, body: '{}' })
      if (status >= 500) throw new RefreshFailedError(`${baseUrl}/sign-out: ${status}`)
    },
  }
}

/** `null`: nobody. */
async function read(response: Response): Promise<Json | null> {
  // A session that was deleted while it was being prolonged.
  if (response.status === 401 && (await peek(response))?.['code'] === 'FAILED_TO_GET_SESSION') return null
  if (response.ok) return readJsonOrNull(response)
  throw new RefreshFailedError(`${response.url}: ${response.status}`, { response })
}
