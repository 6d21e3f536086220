// What proves a session to the server, and how a fresh answer and the held credentials make new credentials. Pure.

import { jwtDecode } from 'jwt-decode'
import { InvalidTokenError } from '../errors.ts'

export type Json = Record<string, unknown>

export interface Credentials<U = Json> {
  accessToken?: string | null | undefined
  refreshToken?: string | null | undefined
  /**
   * When the access token expires, epoch ms. What the app hands over (`signIn`, `initial`) is by this device's clock, and wins
   * over `expiresInSeconds`. What a backend reads from an answer is by the server's clock: it is compared with the `Date` of that
   * answer, and counts for nothing where scripts can't read that header, or where the answer tells the lifetime.
   */
  expiresAt?: number | undefined
  /** The lifetime of the access token, in seconds from now (RFC 6749 §5.1). */
  expiresInSeconds?: number | undefined
  user?: U | null | undefined
  /** Left out: the payload of the access token, where it is a JWT. */
  claims?: Json | null | undefined
  organizationId?: string | null | undefined
  /** For the backend's own use. */
  data?: Json | undefined
  /** What else the server said, such as `idToken` and `scope`: the app reads it as {@link Session.extras}. */
  extras?: Json | undefined
}

// Visible ASCII. RFC 6750 §2.1 allows fewer characters, real servers send a few more.
const SENDABLE = /^[!-~]*$/
// No server sends a longer payload; decoding it would only cost time.
const MAX_TOKEN_LENGTH = 65_536

/** The payload of a JWT (RFC 7519), not verified; `null` for a token that is no JWT. */
export function claimsOf(token: string): Json | null {
  if (token.length >= MAX_TOKEN_LENGTH) return null
  try {
    const claims: unknown = jwtDecode(token)
    return claims && typeof claims === 'object' ? (claims as Json) : null
  } catch {
    return null
  }
}

/** Credentials, or what a state shows of them. */
interface Identified {
  claims?: unknown
  user?: unknown
}

/** The ids that name the user: `sub` of the claims, `id` and `sub` of the user object. */
function idsOf({ claims, user }: Identified): unknown[] {
  const { id, sub } = (user ?? {}) as Json
  return [(claims as Json | null | undefined)?.['sub'], id, sub]
}

/** Whether the two are known to belong to two different users. An id that only one side names says nothing. */
export function isOtherUser(a: Identified, b: Identified): boolean {
  const others = idsOf(b)
  return idsOf(a).some((id, kind) => id != null && others[kind] != null && id !== others[kind])
}

/** Whether the two are known to belong to one user. */
export function isSameUser(a: Identified, b: Identified): boolean {
  const others = idsOf(b)
  return !isOtherUser(a, b) && idsOf(a).some((id, kind) => id != null && id === others[kind])
}

/** Whether `a` is known to have been issued before `b` (`iat`, RFC 7519 §4.1.6). */
export const isOlder = (a: Credentials<unknown>, b: Credentials<unknown>): boolean =>
  Number(a.claims?.['iat']) < Number(b.claims?.['iat'])

/** Leaves out every property whose value is `undefined`. */
export const withoutUndefined = <T extends object>(parts: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined)) as never

/** Whether both tokens can stand in a header. */
export const isSendable = ({ accessToken, refreshToken }: Credentials<unknown>): boolean =>
  [accessToken ?? '', refreshToken ?? ''].every((token) => typeof token === 'string' && SENDABLE.test(token))

export const notCredentials = (): InvalidTokenError =>
  new InvalidTokenError('Not credentials: expected an object such as { accessToken, refreshToken }')

/**
 * The credentials after an answer: what the answer left out stays as it was (RFC 6749 §6 for the refresh token).
 * @throws {@link InvalidTokenError} for an answer that is no object, or for a token that could not stand in a header.
 */
export function merge<U>(held: Credentials<U> | null, fresh: Credentials<U>): Credentials<U> {
  if (!fresh || typeof fresh !== 'object' || Array.isArray(fresh)) throw notCredentials()
  if (!isSendable(fresh))
    throw new InvalidTokenError('A token must be a string of visible ASCII characters, to stand in a header')
  const claims = fresh.accessToken ? claimsOf(fresh.accessToken) : held?.claims
  const extras = fresh.extras && { ...held?.extras, ...withoutUndefined(fresh.extras) }
  const said = withoutUndefined({ ...fresh, extras })
  return { ...held, expiresAt: undefined, expiresInSeconds: undefined, claims, ...said }
}

/** As {@link merge}; but nothing of one user is kept in the credentials of another. */
export function mergeAnswer<U>(held: Credentials<U>, fresh: Credentials<U>): Credentials<U> {
  const merged = merge(held, fresh)
  return isOtherUser(held, merged) ? merge(null, fresh) : merged
}
