// What proves a session to the server, and how a fresh answer and the old credentials make new ones. Pure.

import { jwtDecode } from 'jwt-decode'
import { InvalidTokenError } from '../errors.ts'

export type Json = Record<string, unknown>

export interface Credentials<U = Json> {
  accessToken?: string | null | undefined
  refreshToken?: string | null | undefined
  /** When the access token dies, epoch ms by this device's clock. Wins over `expiresInSeconds`. */
  expiresAt?: number | undefined
  /** The access token's life in seconds from now (RFC 6749 §5.1). */
  expiresInSeconds?: number | undefined
  user?: U | null | undefined
  /** Left out: the payload of the access token, where it is a JWT. */
  claims?: Json | null | undefined
  organizationId?: string | null | undefined
  /** The backend's own. */
  data?: Json | undefined
}

// Visible ASCII: RFC 6750 §2.1 allows less, real servers send a little more.
const SENDABLE = /^[!-~]*$/
// A payload no server sends. Decoding it would only cost time.
const LONGEST_TOKEN = 65_536

/** The payload of a JWT (RFC 7519), unverified; `null` for a token that is none. */
export function claimsOf(token: string): Json | null {
  try {
    const claims: unknown = token.length < LONGEST_TOKEN && jwtDecode(token)
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

const idsOf = ({ claims, user }: Identified): unknown[] => {
  const { id, sub } = (user ?? {}) as Json
  return [(claims as Json | null)?.['sub'], id, sub]
}

/** Whose they are, as far as they tell. */
export const idOf = (credentials: Identified): unknown => idsOf(credentials).find((id) => id != null)

/** Whether they are known to be of two users. */
export const isOther = (a: Credentials<unknown>, b: Credentials<unknown>): boolean => {
  const ids = idsOf(b)
  return idsOf(a).some((id, kind) => (id ?? ids[kind]) !== (ids[kind] ?? id))
}

/** Whether these are known to have been issued before those (`iat`, RFC 7519 §4.1.6). */
export const isOlder = (a: Credentials<unknown>, b: Credentials<unknown>): boolean =>
  Number(a.claims?.['iat']) < Number(b.claims?.['iat'])

/** What is not left out. */
export const withoutUndefined = <T extends object>(parts: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined)) as never

/**
 * What is held after an answer: what it left out stays as it was (RFC 6749 §6 for the refresh token).
 * @throws {@link InvalidTokenError} for what is no object, or a token that could not stand in a header.
 */
export function merge<U>(old: Credentials<U> | null, fresh: Credentials<U>): Credentials<U> {
  if (!fresh || typeof fresh !== 'object' || Array.isArray(fresh))
    throw new InvalidTokenError('These are no credentials')
  const { accessToken, refreshToken } = fresh
  if (![accessToken ?? '', refreshToken ?? ''].every((token) => typeof token === 'string' && SENDABLE.test(token)))
    throw new InvalidTokenError('The token cannot stand in a header')
  const claims = accessToken ? claimsOf(accessToken) : old?.claims
  return { ...old, expiresAt: undefined, expiresInSeconds: undefined, claims, ...withoutUndefined(fresh) }
}
