// ROQ: the routes of its Next.js handler, which keep the platform's tokens in a cookie and hide failures inside a 200.

import { claimsOf, type Credentials, type Json } from '../state/credentials.ts'
import { RefreshFailedError } from '../errors.ts'
import type { Backend } from '../seam/backend.ts'
import type { Io } from '../seam/io.ts'
import { attachBearer, assertDelivered, originsOf, peek, readJson } from './kit.ts'

export interface RoqOptions {
  /** Where the routes are. @default '/api/auth' */
  baseUrl?: string
}

interface RoqSession {
  roqAccessToken?: string
  roqUserId?: string
  user?: Json
  exp?: number
}

// The cookie is cleared with either.
const OVER = /^(SESSION_EXPIRED|TOKEN_MALFORMED)$/

/**
 * The session has to be refreshed before its access token dies: after that the server ends it, with its refresh token unused.
 * `refreshAhead` does so while the page is visible.
 *
 * @example
 * const session = createSession({ backend: roq() })
 * await session.refresh() // refetchSession: a changed role shows
 */
export function roq({ baseUrl = '/api/auth' }: RoqOptions = {}): Backend {
  /** `undefined`: trouble that can't be told apart. */
  async function ask(io: Io, path: 'session' | 'refetch-session'): Promise<Credentials | null | undefined> {
    const response = await io.fetch(`${baseUrl}/${path}`, { credentials: 'include' })
    if (response.status === 401 && OVER.test(String((await peek(response))?.['code']))) return null
    const { status, session } = (await readJson(response)) as { status?: string; session?: RoqSession | null }
    if (status === 'unauthenticated') return null
    if (status !== 'authenticated' || !session) return undefined
    const { roqAccessToken, roqUserId, user, exp } = session
    const token = roqAccessToken ? claimsOf(roqAccessToken) : null
    return {
      ...(roqAccessToken && { accessToken: roqAccessToken }),
      user: { id: roqUserId, ...user },
      claims: { sub: roqUserId, ...token, roles: user?.['roles'], tenantId: user?.['tenantId'] },
      // That of the cookie, and a thousand times too late where it was only read.
      ...(!token && exp && path === 'refetch-session' && { expiresAt: exp * 1000 }),
    }
  }

  async function refresh(_held: Credentials, io: Io): Promise<Credentials | null> {
    const fresh = await ask(io, 'refetch-session')
    if (fresh !== undefined) return fresh
    // Refused by the platform, or the platform is down: over only if the session itself says so.
    if ((await ask(io, 'session')) === null) return null
    throw new RefreshFailedError('/refetch-session brought no session, though /session says that there is one')
  }

  return {
    name: 'roq',
    cookies: true,
    origins: originsOf([baseUrl]),
    identity: { endpoint: baseUrl },
    owns: (url) => /\/(session|refetch-session|logout)(\?|$)/.test(url) && url.includes(`${baseUrl}/`),
    attach(headers, credentials) {
      attachBearer(headers, credentials)
      return { credentials: 'include' }
    },
    async restore(io) {
      const found = await ask(io, 'session')
      if (found === undefined)
        throw new RefreshFailedError('answered without a session, and does not say that nobody is signed in')
      return found
    },
    refresh,
    async signOut(_held, io) {
      // It redirects to a page.
      assertDelivered(await io.fetch(`${baseUrl}/logout`, { credentials: 'include', redirect: 'manual' }))
    },
  }
}
