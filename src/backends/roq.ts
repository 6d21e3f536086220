// ROQ: the routes of its Next.js handler, which keep the platform's tokens in a cookie and hide failures inside a 200.

import { claimsOf, type Credentials, type Json } from '../state/credentials.ts'
import { RefreshFailedError } from '../errors.ts'
import { assertKnown } from '../known-options.ts'
import type { Backend } from '../seam/backend.ts'
import type { Io } from '../seam/io.ts'
import { attachBearer, assertDelivered, cookieReach, originsOf, peek, readJson } from './kit.ts'
import { refusalOf } from './kit/server-words.ts'

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
export function roq(options: RoqOptions = {}): Backend {
  const { baseUrl = '/api/auth' } = options
  assertKnown('roq', options, { baseUrl: true })
  const needsInclude = cookieReach(originsOf([baseUrl]), undefined, true)

  /** `null`: nobody is signed in. The error is a value here, since only another question tells what it means. */
  async function ask(io: Io, path: 'session' | 'refetch-session'): Promise<Credentials | RefreshFailedError | null> {
    const response = await io.fetch(`${baseUrl}/${path}`, { credentials: 'include' })
    const refusal = response.ok ? null : await peek(response)
    if (response.status === 401 && OVER.test(String(refusal?.['code']))) return null
    if (!response.ok) throw refusalOf(response, refusal)
    const json = await readJson(response)
    const { status, session } = json as { status?: string; session?: RoqSession | null }
    if (status === 'unauthenticated') return null
    if (status !== 'authenticated' || !session) return refusalOf(response, json)
    // That of the cookie, and a thousand times too late where it was only read.
    return credentialsOf(session, path === 'refetch-session' ? session.exp : undefined)
  }

  /** Refused by the platform, or the platform is down, or another page has replaced the cookie: the session itself knows. */
  async function refresh(_held: Credentials, io: Io): Promise<Credentials | null> {
    const first = await ask(io, 'refetch-session')
    if (isFound(first)) return first
    if ((await ask(io, 'session')) === null) return null
    if (first) throw first
    const again = await ask(io, 'refetch-session')
    if (isFound(again)) return again
    throw (
      again ?? new RefreshFailedError('found nobody, though /session says that there is a session', { spent: false })
    )
  }

  async function look(io: Io): Promise<Credentials | null> {
    const found = await ask(io, 'session')
    if (found && !isFound(found)) throw found
    return found
  }

  return {
    name: 'roq',
    cookies: true,
    needsToken: true,
    // The handler sends the platform the same refresh token again and again.
    replayWindow: Infinity,
    origins: originsOf([baseUrl]),
    identity: { endpoint: baseUrl },
    owns: (url) => /\/(session|refetch-session|logout)(\?|$)/.test(url) && url.includes(`${baseUrl}/`),
    attach(headers, credentials, request) {
      attachBearer(headers, credentials)
      return needsInclude(request, credentials) ? { credentials: 'include' } : {}
    },
    restore: async (io, held) => (await look(io)) ?? (held && look(io)),
    refresh,
    async signOut(_held, io) {
      // It redirects to a page.
      assertDelivered(await io.fetch(`${baseUrl}/logout`, { credentials: 'include', redirect: 'manual' }))
    },
  }
}

/** @param exp Epoch seconds, for a token that does not tell its expiry. */
function credentialsOf({ roqAccessToken, roqUserId, user }: RoqSession, exp: number | undefined): Credentials {
  const token = roqAccessToken ? claimsOf(roqAccessToken) : null
  return {
    ...(roqAccessToken && { accessToken: roqAccessToken }),
    user: { id: roqUserId, ...user },
    claims: { sub: roqUserId, ...token, roles: user?.['roles'], tenantId: user?.['tenantId'] },
    ...(!token && exp && { expiresAt: exp * 1000 }),
  }
}

const isFound = (said: Credentials | RefreshFailedError | null): said is Credentials =>
  said !== null && !(said instanceof RefreshFailedError)
