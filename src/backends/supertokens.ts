// SuperTokens: tokens in headers or in cookies, told of by a header on any response; and the flow of 2020, before that header.

import { claimsOf, type Credentials, type Json } from '../state/credentials.ts'
import { RefreshFailedError, SessionEndedError } from '../errors.ts'
import type { Backend } from '../seam/backend.ts'
import type { Io } from '../seam/io.ts'
import { assertDelivered, ownsEndpoints, observeResponses, originsOf, peek, requireOptions } from './kit.ts'

export interface SuperTokensOptions {
  /** Where the routes are. @default '/auth' */
  baseUrl?: string
  /** How the server is to hand out its tokens. @default 'cookie' */
  mode?: 'cookie' | 'header'
  /** `sessionExpiredStatusCode` of the server. @default 401 */
  expiredStatus?: number
}

export interface SuperTokensLegacyOptions {
  /** POST: the app's own route. */
  refreshUrl: string
  signOutUrl?: string
  /** @default 440 */
  expiredStatus?: number
  /** With each refresh: `refreshAPICustomHeaders`. */
  headers?: HeadersInit
}

/** How one of the two generations marks a session. */
interface Dialect {
  name: string
  refreshUrl: string
  signOutUrl: string | undefined
  expiredStatus: number
  mark: 'front-token' | 'id-refresh-token'
  /** Of each request, and of the calls of its own. */
  headers: Readonly<Record<string, string>>
  ownHeaders: Readonly<Record<string, string>>
  mode: 'cookie' | 'header'
}

const antiCsrfOf = (held: Credentials | null): string | undefined => held?.data?.['antiCsrf'] as string | undefined

/** What a response says of the session. A proxy may drop empty headers, so that `remove` alone clears everything. */
function read({ headers }: Response, mark: Dialect['mark']): Credentials | null | undefined {
  const marker = headers.get(mark)
  if (marker === null) return undefined
  if (marker === 'remove') return null
  const antiCsrf = headers.get('anti-csrf')
  // Standard base64 with UTF-8 inside; decoded like the middle of a JWT, which allows that alphabet too.
  const front = claimsOf(`.${headers.get('front-token') ?? ''}`) as { uid: string; ate: number; up?: Json } | null
  return {
    // Sent on an ordinary response without a refresh token: that one goes on. Empty means delete.
    ...readToken('accessToken', headers.get('st-access-token')),
    ...readToken('refreshToken', headers.get('st-refresh-token')),
    ...(front && { user: { id: front.uid }, claims: front.up, expiresAt: front.ate }),
    ...(antiCsrf && { data: { antiCsrf } }),
  }
}

const readToken = (name: 'accessToken' | 'refreshToken', header: string | null): Credentials =>
  header === null ? {} : { [name]: header || null }

function speak(dialect: Dialect): Backend {
  const { name, refreshUrl, signOutUrl, expiredStatus, mark, headers: extra, ownHeaders, mode } = dialect

  function post(held: Credentials | null, io: Io, url: string, token?: string | null): Promise<Response> {
    const headers = new Headers(ownHeaders)
    const antiCsrf = antiCsrfOf(held)
    if (antiCsrf) headers.set('anti-csrf', antiCsrf)
    if (token) headers.set('authorization', `Bearer ${token}`)
    return io.fetch(url, { method: 'POST', headers, credentials: 'include' })
  }

  async function refresh(held: Credentials | null, io: Io): Promise<Credentials | null> {
    if (mode === 'header' && !held?.refreshToken) return null // nothing to ask with
    for (let tries = 1; ; tries++) {
      const response = await post(held, io, refreshUrl, held?.refreshToken)
      const said = read(response, mark)
      if (response.status === expiredStatus || said === null) {
        const { message } = (await peek(response)) ?? {}
        if (message === 'token theft detected') throw new SessionEndedError('reused', { refusal: response })
        return null
      }
      if (response.ok && said) return said
      // A 200 that renewed nothing only cleared cookies of another domain: "call me again". Or CORS hides the header.
      if (!response.ok || tries > 1 || !(await peek(response)))
        throw new RefreshFailedError(
          `answered ${response.status} without the header ${mark}: is it in Access-Control-Expose-Headers?`,
          { refusal: response, spent: response.ok },
        )
    }
  }

  return {
    name,
    ...(mode === 'header' && { canRefresh: ({ refreshToken }: Credentials) => !!refreshToken }),
    ...(mode === 'cookie' && { cookies: true, restore: (io: Io, held: Credentials | null) => refresh(held, io) }),
    // Until somebody has used its successor, a refresh token may be exchanged again; newer servers give it 30 s.
    ...(mark === 'front-token' && { replayWindow: 30_000 }),
    origins: originsOf([refreshUrl]),
    identity: { endpoint: refreshUrl, others: [signOutUrl] },
    owns: ownsEndpoints([refreshUrl]),
    attach(headers, held) {
      // Also with nobody signed in: they decide how the answer to a login brings its tokens.
      for (const key in extra) if (!(key === 'rid' && headers.has(key))) headers.set(key, extra[key]!)
      const antiCsrf = antiCsrfOf(held)
      if (antiCsrf) headers.set('anti-csrf', antiCsrf)
      if (held?.accessToken) headers.set('authorization', `Bearer ${held.accessToken}`)
      return { credentials: 'include', ...(antiCsrf && { redirect: 'error' }) }
    },
    isExpired: ({ status }) => status === expiredStatus,
    async stepUp(response) {
      const errors = response.status === 403 && (await peek(response))?.['claimValidationErrors']
      return Array.isArray(errors) && errors.length > 0 ? { type: String(errors[0].id), errors } : null
    },
    use: [observeResponses((response) => read(response, mark))],
    refresh,
    async signOut(held, io) {
      if (!signOutUrl) return
      let response = await post(held, io, signOutUrl, held?.accessToken)
      if (response.status === expiredStatus && read(response, mark) !== null) {
        // Its access token has died, and the session has not.
        const fresh = await refresh(held, io)
        if (!fresh) return
        response = await post({ ...held, ...fresh }, io, signOutUrl, fresh.accessToken)
      }
      const { status } = (await peek(response)) ?? {}
      assertDelivered(response)
      if (status === 'GENERAL_ERROR') throw new RefreshFailedError('answered GENERAL_ERROR', { refusal: response })
    },
  }
}

/**
 * Sign in through `session.fetch`: the answer of any route may begin a session, renew it or end it.
 *
 * @example
 * const session = createSession({ backend: supertokens({ baseUrl: 'https://api.example.com/auth', mode: 'header' }) })
 * await session.fetch('https://api.example.com/auth/signin', { method: 'POST', body })
 */
export function supertokens(options: SuperTokensOptions = {}): Backend {
  const { baseUrl = '/auth', mode = 'cookie', expiredStatus = 401 } = options
  return speak({
    name: 'supertokens',
    refreshUrl: `${baseUrl}/session/refresh`,
    signOutUrl: `${baseUrl}/signout`,
    expiredStatus,
    mark: 'front-token',
    headers: { rid: 'anti-csrf', 'st-auth-mode': mode },
    ownHeaders: { rid: 'session', 'fdi-version': '1.16,1.17,1.18,1.19,2.0,3.0,3.1,4.0,4.1', 'st-auth-mode': mode },
    mode,
  })
}

/** The flow of 2020: routes and a status of the app's own choice, and the marker `id-refresh-token`. */
export function supertokensLegacy(options: SuperTokensLegacyOptions): Backend {
  const { refreshUrl, signOutUrl, expiredStatus = 440, headers } = requireOptions(options, 'refreshUrl')
  const sdk = { 'supertokens-sdk-name': 'website', 'supertokens-sdk-version': '4.2.0' }
  return speak({
    name: 'supertokens-legacy',
    refreshUrl,
    signOutUrl,
    expiredStatus,
    mark: 'id-refresh-token',
    headers: sdk,
    ownHeaders: { ...Object.fromEntries(new Headers(headers)), ...sdk },
    mode: 'cookie',
  })
}
