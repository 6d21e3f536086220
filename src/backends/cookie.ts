// Sessions in an httpOnly cookie, such as a backend for frontend (RFC 10017): no token at all, or a mediated access token.

import type { Credentials, Json } from '../state/credentials.ts'
import type { Backend } from '../seam/backend.ts'
import type { Io, CookieReader } from '../seam/io.ts'
import { attachBearer, assertDelivered, isEmpty, ownsEndpoints, requireOptions, originsOf, readJson } from './kit.ts'

export interface CookieOptions<U = Json> {
  /** GET: who is signed in. 401, or `{ "authenticated": false }`: nobody. */
  sessionUrl: string
  /** POST: prolongs the session. An empty answer is followed by a look at `sessionUrl`. Left out: asking is all there is. */
  refreshUrl?: string
  /** POST at sign-out. Left out: the server is not told. */
  signOutUrl?: string
  /** Whether a 401 of the API is cured by `refreshUrl`. `false`: it is only checked against `sessionUrl`. @default where there is a refreshUrl */
  refreshOn401?: boolean
  /** With each request, also the app's own: the custom header that fends off CSRF. */
  headers?: HeadersInit
  /** A cookie that scripts can read, copied to a header with each request (double submit). */
  csrf?: { cookie: string; header: string }
  /** What an answer says; `null`: nobody is signed in. @default `user`, `accessToken`, `expiresIn` */
  read?(body: Json): Credentials<U> | null
}

// What a header may hold (RFC 9110 §5.5); fetch refuses all else.
const SENDABLE = /^[\t -~\u0080-\u00ff]*$/

function readAnswer<U>(body: Json): Credentials<U> | null {
  const { authenticated, user, accessToken, expiresIn } = body
  if (authenticated === false) return null
  return {
    user: (user ?? null) as U | null,
    ...(typeof accessToken === 'string' && accessToken && { accessToken }),
    ...(Number(expiresIn) > 0 && { expiresInSeconds: Number(expiresIn) }),
  }
}

/**
 * @example
 * createSession({ backend: cookie({ sessionUrl: '/bff/session', refreshUrl: '/bff/refresh', headers: { 'x-bff': '1' } }) })
 */
export function cookie<U = Json>(options: CookieOptions<U>): Backend<U> {
  const {
    sessionUrl,
    refreshUrl,
    signOutUrl,
    refreshOn401 = refreshUrl !== undefined,
    csrf,
  } = requireOptions(options, 'sessionUrl')
  const { read = readAnswer<U> } = options
  const extra = [...new Headers(options.headers)]

  function dress(headers: Headers, jar: CookieReader): Headers {
    for (const [name, value] of extra) headers.set(name, value)
    const token = csrf && jar.cookie(csrf.cookie)
    if (token) headers.set(csrf.header, SENDABLE.test(token) ? token : encodeURIComponent(token))
    return headers
  }

  const ask = (io: Io<U>, url: string, method = 'GET'): Promise<Response> =>
    io.fetch(url, { method, headers: dress(new Headers(), io), credentials: 'include' })

  async function check(io: Io<U>): Promise<Credentials<U> | null> {
    const response = await ask(io, sessionUrl)
    return response.status === 401 ? null : read(await readJson(response))
  }

  async function prolong(io: Io<U>): Promise<Credentials<U> | null> {
    if (!refreshUrl) return check(io)
    const response = await ask(io, refreshUrl, 'POST')
    if (response.status === 401) return null
    return response.ok && (await isEmpty(response)) ? check(io) : read(await readJson(response))
  }

  return {
    name: 'cookie',
    cookies: true,
    origins: originsOf([sessionUrl, refreshUrl, signOutUrl]),
    identity: { endpoint: sessionUrl, others: [refreshUrl, signOutUrl] },
    owns: ownsEndpoints([sessionUrl, refreshUrl, signOutUrl]),
    attach(headers, credentials, request) {
      dress(headers, request)
      attachBearer(headers, credentials)
      // A CSRF token in a header of its own would travel along to wherever the server redirects.
      return csrf ? { credentials: 'include', redirect: 'error' } : { credentials: 'include' }
    },
    restore: check,
    refresh: (_credentials, io, { reason }) => (reason === 'expired' && !refreshOn401 ? check(io) : prolong(io)),
    async reload(_credentials, io) {
      const fresh = await prolong(io)
      return fresh && fresh.user == null ? { ...fresh, ...(await check(io)) } : fresh
    },
    async signOut(_credentials, io) {
      if (!signOutUrl) return
      assertDelivered(await ask(io, signOutUrl, 'POST'))
    },
  }
}
