// Sessions in an httpOnly cookie, such as a backend for frontend (RFC 10017): no token at all, or a mediated access token. The
// cookie is not this page's alone: another subdomain, a second tab or a middleware may replace it while a request is under way.

import type { Credentials, Json } from '../state/credentials.ts'
import { InvalidOptionError, RefreshFailedError } from '../errors.ts'
import { assertKnown, type Names } from '../known-options.ts'
import type { Backend } from '../seam/backend.ts'
import type { Io, CookieReader, RefreshIntent } from '../seam/io.ts'
import { type ReadAnswer, readBody, readUsualNames, unreadable } from './cookie/answer.ts'
import { createCsrf, type CsrfOptions } from './cookie/csrf.ts'
import {
  attachBearer,
  assertDelivered,
  cookieReach,
  type CookieOrigins,
  isEmpty,
  ownsEndpoints,
  requireOptions,
  originsOf,
  writesTo,
} from './kit.ts'

export type { CookieOrigins, CsrfOptions, ReadAnswer }

export interface CookieOptions<U = Json> {
  /** GET: who is signed in. 401, nothing, `null`, `{ "user": null }` or `{ "authenticated": false }`: nobody. */
  sessionUrl: string
  /** POST: prolongs the session. An answer that says nothing of it is followed by a look at `sessionUrl`. Left out: asking is all there is. */
  refreshUrl?: string
  /** POST at sign-out. Left out: the server is not told. */
  signOutUrl?: string
  /**
   * Routes whose answer begins a session, absolute or paths. A POST there is sent while no refresh, and no look at the session, is
   * under way: the late answer of one that was sent with the old cookie would overwrite the new one, or clear it.
   */
  signInUrls?: readonly string[]
  /** Whether a 401 of the API is cured by `refreshUrl`. `false`: it is only checked against `sessionUrl`. @default where there is a refreshUrl */
  refreshOn401?: boolean
  /** With each request, also the app's own, where it has not set them itself: such as the custom header that fends off CSRF. */
  headers?: HeadersInit
  /** A cookie that scripts can read, copied to a header with each request (double submit). */
  csrf?: CsrfOptions
  /**
   * Which other origins get the cookie (`credentials: 'include'`), beside the page's own and those of the URLs above: origins, or
   * a look at the URL of a request. Those of a list belong to the default of {@link SessionOptions.origins}, too.
   * @default all of the session's `origins`; none, where there is an access token
   */
  credentials?: CookieOrigins
  /** The answers carry an access token: no request goes out before it is there, and a refresh has to bring one. @default false */
  needsToken?: boolean
  /** What an answer says, in place of the usual names. @default `user`, `accessToken`, `expiresIn`, `organizationId`, `authenticated` */
  read?: ReadAnswer<U>
  /**
   * What `refresh({ organizationId })` and `refresh({ data })` put into the JSON that is sent to `refreshUrl`. What is left out
   * here is refused with an `InvalidOptionError`, and nothing is sent.
   */
  refreshBody?: { organizationId?(id: string): Json; data?(data: Json): Json }
}

const OPTIONS: Names<CookieOptions> = {
  sessionUrl: true,
  refreshUrl: true,
  signOutUrl: true,
  signInUrls: true,
  refreshOn401: true,
  headers: true,
  csrf: true,
  credentials: true,
  needsToken: true,
  read: true,
  refreshBody: true,
}
const CSRF_OPTIONS: Names<CsrfOptions> = { cookie: true, header: true, renewUrl: true, refusals: true }

/**
 * @throws {@link InvalidOptionError}
 * @example
 * createSession({ backend: cookie({ sessionUrl: '/bff/session', refreshUrl: '/bff/refresh', headers: { 'x-bff': '1' } }) })
 */
export function cookie<U = Json>(options: CookieOptions<U>): Backend<U> {
  assertKnown('cookie', options, OPTIONS)
  const { sessionUrl, refreshUrl, signOutUrl, signInUrls, credentials } = requireOptions(options, 'sessionUrl')
  assertKnown('cookie', options.csrf, CSRF_OPTIONS, 'csrf.')
  const { read = readUsualNames<U>, needsToken = false, refreshOn401 = refreshUrl !== undefined } = options
  const { refreshBody = {} } = options
  const accepts = (['organizationId', 'data'] as const).filter((name) => refreshBody[name])
  if (accepts.length > 0 && !refreshUrl) throw new InvalidOptionError('refreshBody', 'needs a refreshUrl to be sent to')
  const endpoints = [sessionUrl, refreshUrl, signOutUrl, options.csrf?.renewUrl, ...(signInUrls ?? [])]
  const needsInclude = cookieReach(originsOf(endpoints), credentials, needsToken)
  const isRead = ownsEndpoints([sessionUrl, options.csrf?.renewUrl], 'GET', 'HEAD')
  const isWritten = ownsEndpoints([refreshUrl, signOutUrl], 'POST')
  const extra = [...new Headers(options.headers)]
  const csrf = options.csrf && createCsrf(options.csrf, ask)

  function dress(headers: Headers, jar: CookieReader): Headers {
    for (const [name, value] of extra) if (!headers.has(name)) headers.set(name, value)
    csrf?.attach(headers, jar)
    return headers
  }

  function ask(io: Io<U>, url: string, init?: { method: 'POST'; body?: string }): Promise<Response> {
    const headers = new Headers(init?.body === undefined ? undefined : { 'content-type': 'application/json' })
    return io.fetch(url, { method: 'GET', ...init, headers: dress(headers, io), credentials: 'include' })
  }

  async function post(io: Io<U>, url: string, body?: Json): Promise<Response> {
    const init = { method: 'POST' as const, ...(body && { body: JSON.stringify(body) }) }
    const response = await ask(io, url, init)
    if (!csrf?.isRefusal(response)) return response
    await csrf.renew(io)
    const again = csrf.canRenew ? await ask(io, url, init) : response
    if (!csrf.isRefusal(again)) return again
    throw new RefreshFailedError(`answered ${again.status}: it refuses the CSRF token`, { refusal: again })
  }

  /** One look at the session. `null`: nobody. */
  async function look(io: Io<U>): Promise<Credentials<U> | null> {
    const response = await ask(io, sessionUrl)
    if (response.status === 401 || (response.ok && (await isEmpty(response)))) return null
    const body = await readBody(response)
    const said = body && read(body)
    if (said === undefined) throw unreadable(body!)
    return said
  }

  /** `undefined`: prolonged, as far as the answer tells. */
  async function prolong(io: Io<U>, url: string, wanted: RefreshIntent): Promise<Credentials<U> | null | undefined> {
    const { organizationId, data } = wanted
    const parts = { ...(data && refreshBody.data?.(data)), ...organizationPart(organizationId) }
    const response = await post(io, url, accepts.some((name) => wanted[name] !== undefined) ? parts : undefined)
    if (response.status === 401) return null
    if (response.ok && (await isEmpty(response))) return undefined
    const body = await readBody(response)
    return body && read(body)
  }

  const organizationPart = (id: string | undefined): Json =>
    (id === undefined ? undefined : refreshBody.organizationId?.(id)) ?? {}

  async function refresh(_held: unknown, io: Io<U>, wanted: RefreshIntent): Promise<Credentials<U> | null> {
    // Nobody tells whether it was the session that was refused, or the token against CSRF.
    await csrf?.renew(io)
    const isCure = refreshUrl && (refreshOn401 || wanted.reason !== 'expired')
    const said = isCure ? await prolong(io, refreshUrl, wanted) : await look(io)
    // Somebody else may have replaced the cookie meanwhile: a no counts once it has been said twice.
    const sure = said ?? (await look(io))
    if (sure && said === null && accepts.some((name) => wanted[name] !== undefined))
      throw new RefreshFailedError('refused, though the session goes on: nothing was switched or updated')
    return sure
  }

  return {
    name: 'cookie',
    cookies: true,
    needsToken,
    accepts,
    origins: [...originsOf(endpoints), ...(typeof credentials === 'object' ? credentials : [])],
    identity: { endpoint: sessionUrl, others: [refreshUrl, signOutUrl] },
    // An app may well edit the user where this backend reads it.
    owns: (url, method) => isRead(url, method) || isWritten(url, method),
    ...(signInUrls && { beginsSession: writesTo(signInUrls) }),
    ...(csrf?.canRenew && { isExpired: (response: Response) => response.status === 401 || csrf.isRefusal(response) }),
    attach(headers, held, request) {
      dress(headers, request)
      attachBearer(headers, held)
      return {
        ...(needsInclude(request, held) && { credentials: 'include' }),
        // A CSRF token in a header of its own would travel along to wherever the server redirects.
        ...(csrf && { redirect: 'error' }),
      }
    },
    restore: async (io, held) => (await look(io)) ?? (held && look(io)),
    refresh,
    async reload(held, io, wanted) {
      const fresh = await refresh(held, io, wanted)
      if (!fresh || fresh.user != null) return fresh
      const found = (await look(io)) ?? (await look(io))
      return found && { ...fresh, ...found }
    },
    async signOut(_held, io) {
      if (signOutUrl) assertDelivered(await post(io, signOutUrl))
    },
  }
}
