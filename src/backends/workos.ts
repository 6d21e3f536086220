// WorkOS AuthKit in a browser: its own endpoint, with the refresh token in hand (development) or in a cookie of its host
// (production); and the route of a Next.js app that holds the sealed cookie.

import type { Credentials, Json } from '../state/credentials.ts'
import type { RefreshFailedError } from '../errors.ts'
import { assertKnown, type Names } from '../known-options.ts'
import type { Backend, Predecessor } from '../seam/backend.ts'
import type { Io, RefreshIntent } from '../seam/io.ts'
import { fromAuthenticateResponse, refused, type WorkOSUser } from './workos/answers.ts'
import {
  attachBearer,
  assertDelivered,
  cookieReach,
  inherit,
  originsOf,
  ownsEndpoints,
  readJson,
  requireOptions,
} from './kit.ts'

export { fromAuthenticateResponse, type WorkOSClaims, type WorkOSUser } from './workos/answers.ts'

// WorkOS' engineers speak of 10 to 30 seconds.
const FORGIVEN_MS = 10_000

export interface WorkOSOptions {
  clientId: string
  /** Yours, if AuthKit has a domain of its own; `http://localhost:4100` for an emulator. @default 'api.workos.com' */
  apiHostname?: string
  /** The refresh token comes in the answer and is kept with the session, as on localhost. @default false: in a cookie of the host */
  devMode?: boolean
  /** ms in which the server forgives a second use of a refresh token. @default 10_000 */
  replayWindow?: number
}

export interface WorkOSRouteOptions {
  /**
   * POST `{ organizationId? }`: calls `refreshSession` and answers with its result. 401: nobody is signed in. 403: `error` and
   * maybe `redirectUrl` say what is asked of the user. 503: could not find out.
   */
  refreshUrl: string
  /** POST at sign-out. Left out: the server is not told. */
  signOutUrl?: string
  /** ms in which WorkOS forgives the route a second use of a refresh token. @default 10_000 */
  replayWindow?: number
}

const OPTIONS: Names<WorkOSOptions> = { clientId: true, apiHostname: true, devMode: true, replayWindow: true }
const ROUTE_OPTIONS: Names<WorkOSRouteOptions> = { refreshUrl: true, signOutUrl: true, replayWindow: true }

/**
 * Switching the organization is a refresh with another `organizationId`; a refused one keeps the session.
 *
 * @example
 * const session = createSession<WorkOSUser, WorkOSClaims>({ backend: workos({ clientId: 'client_123' }) })
 * await session.signIn(fromAuthenticateResponse(await exchangeCode()))
 * await session.refresh({ organizationId: 'org_456', ensureSignedIn: true })
 */
export function workos(options: WorkOSOptions): Backend<WorkOSUser> {
  assertKnown('workos', options, OPTIONS)
  const {
    clientId,
    apiHostname = 'api.workos.com',
    devMode = false,
    replayWindow = FORGIVEN_MS,
  } = requireOptions(options, 'clientId')
  const base = `${/^https?:/.test(apiHostname) ? '' : 'https://'}${apiHostname}/user_management`
  const endpoint = `${base}/authenticate`
  const credentials = devMode ? 'omit' : 'include'

  async function refresh(
    held: Credentials<WorkOSUser> | null,
    io: Io<WorkOSUser>,
    { organizationId = held?.organizationId ?? undefined }: Partial<RefreshIntent>,
  ): Promise<Credentials<WorkOSUser> | null> {
    if (devMode && !held?.refreshToken) return null // nothing to ask with
    const response = await io.fetch(endpoint, {
      method: 'POST',
      credentials,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        client_id: clientId,
        grant_type: 'refresh_token',
        ...(devMode && { refresh_token: held?.refreshToken }),
        ...(organizationId && { organization_id: organizationId }),
      }),
    })
    if (response.ok) return fromAuthenticateResponse(await readJson(response))
    return refused(response, organizationId)
  }

  /** It is set beside the cookie that scripts can't read: without it, asking is in vain. */
  const hasHint = (io: Io<WorkOSUser>): boolean =>
    !!io
      .cookie('workos-has-session')
      ?.split('.')
      .some((each) => each === '1' || each === clientId)

  /** Nobody counts only if it is said twice, where a cookie is shared with other pages: they may have replaced it meanwhile. */
  const confirm: typeof refresh = async (held, io, wanted) => {
    const said = await refresh(held, io, wanted)
    return said || devMode || !hasHint(io) ? said : refresh(held, io, wanted).catch(confirmRefusal)
  }

  async function restoreByCookie(
    io: Io<WorkOSUser>,
    held: Credentials<WorkOSUser> | null,
  ): Promise<Credentials<WorkOSUser> | null> {
    if (!hasHint(io)) return null
    return held ? confirm(null, io, {}) : refresh(null, io, {})
  }

  /** Asks only with a token in hand, such as that of authkit-js. */
  const restoreByToken: typeof restoreByCookie = async (io, held) => refresh(held, io, {})

  return {
    name: 'workos',
    accepts: ['organizationId'],
    replayWindow,
    cookies: !devMode,
    needsToken: true,
    identity: { endpoint, clientId },
    owns: (url) => url.startsWith(base),
    attach: attachBearer,
    ...(devMode && { canRefresh: ({ refreshToken }: Credentials<WorkOSUser>) => !!refreshToken }),
    // With a cookie, what the server says of it counts.
    ...(devMode && { readAnswer: readLogin }),
    restore: devMode ? restoreByToken : restoreByCookie,
    ...(devMode && { predecessor: authkitOf(clientId) }),
    refresh: confirm,
    async signOut(held, io) {
      const id = held?.claims?.['sid'] as string | undefined
      if (!id) return
      const url = `${base}/sessions/logout?session_id=${encodeURIComponent(id)}`
      // It redirects to a page, and shows no answer to scripts.
      await io.fetch(url, { mode: 'no-cors', credentials: 'include', redirect: 'follow' })
    },
  }
}

/** What the code exchange answered; or what was made of that by {@link fromAuthenticateResponse} already. */
const readLogin = (json: Json): Credentials<WorkOSUser> => (json['claims'] ? json : fromAuthenticateResponse(json))

/** What authkit-js keeps in localStorage, in development. */
function authkitOf(clientId: string): Predecessor<WorkOSUser> {
  const items = [`workos:refresh-token:${clientId}`, 'workos:refresh-token']
  return inherit({ items }, (found) => {
    const refreshToken = items.map((key) => found[key]).find((token) => token)
    return refreshToken === undefined ? null : { refreshToken }
  })
}

/** Asked once more, the server misses the cookie that its first answer has taken away: that is no news. */
function confirmRefusal(error: unknown): null {
  const status = (error as RefreshFailedError).refusal?.status ?? 0
  if (status === 400 || status === 401) return null
  throw error
}

/**
 * A route of your Next.js app over `refreshSession`: the browser holds a sealed cookie, and gets the user info as JSON.
 *
 * @example
 * createSession<WorkOSUser, WorkOSClaims>({ backend: workosRoute({ refreshUrl: '/api/auth/refresh' }) })
 */
export function workosRoute(options: WorkOSRouteOptions): Backend<WorkOSUser> {
  assertKnown('workosRoute', options, ROUTE_OPTIONS)
  const { refreshUrl, signOutUrl, replayWindow = FORGIVEN_MS } = requireOptions(options, 'refreshUrl')
  const needsInclude = cookieReach(originsOf([refreshUrl, signOutUrl]), undefined, true)

  async function ask(io: Io<WorkOSUser>, organizationId?: string): Promise<Credentials<WorkOSUser> | null> {
    const response = await io.fetch(refreshUrl, {
      method: 'POST',
      credentials: 'include',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ organizationId }),
    })
    if (response.status === 401) return null
    if (!response.ok) return refused(response, organizationId)
    const body = await readJson(response)
    return body['user'] === null ? null : fromAuthenticateResponse(body)
  }

  /** Nobody counts only if it is said twice: another page or the app's middleware may have replaced the cookie meanwhile. */
  const confirm: typeof ask = async (io, organizationId) =>
    (await ask(io, organizationId)) ?? (await ask(io, organizationId))

  return {
    name: 'workos',
    accepts: ['organizationId'],
    replayWindow,
    cookies: true,
    needsToken: true,
    origins: originsOf([refreshUrl, signOutUrl]),
    identity: { endpoint: refreshUrl, others: [signOutUrl] },
    owns: ownsEndpoints([refreshUrl, signOutUrl], 'POST'),
    attach(headers, credentials, request) {
      attachBearer(headers, credentials)
      return needsInclude(request, credentials) ? { credentials: 'include' } : {}
    },
    restore: (io, held) => (held ? confirm(io) : ask(io)),
    refresh: (held, io, { organizationId = held.organizationId ?? undefined }) => confirm(io, organizationId),
    async signOut(_held, io) {
      if (!signOutUrl) return
      assertDelivered(await io.fetch(signOutUrl, { method: 'POST', credentials: 'include' }))
    },
  }
}
