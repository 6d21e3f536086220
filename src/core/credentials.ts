// What proves a session to the server, and how a fresh answer and the old credentials make new ones. Pure.

import { jwtDecode } from 'jwt-decode'
import { InvalidTokenError } from '../errors.ts'

export type Json = Record<string, unknown>

export interface Credentials<U = Json> {
  accessToken?: string | null
  refreshToken?: string | null
  /** When the access token dies, epoch ms by this device's clock. Wins over `expiresInSeconds`. */
  expiresAt?: number
  /** The access token's life in seconds from now (RFC 6749 §5.1). */
  expiresInSeconds?: number
  /** When the session itself ends, epoch ms, where the server tells. */
  sessionExpiresAt?: number
  user?: U | null
  /** Left out: the payload of the access token, where it is a JWT. */
  claims?: Json | null
  organizationId?: string | null
  /** The backend's own. */
  data?: Json
}

// Visible ASCII without quotes or control characters: RFC 6750 §2.1 allows less, real servers send a little more.
const SENDABLE = /^[\x21-\x7e]+$/
// A payload no server sends. Decoding it would only cost time.
const LONGEST_TOKEN = 65_536

/** The payload of a JWT (RFC 7519), unverified; `null` for a token that is none. */
export function claimsOf(token: string | null | undefined): Json | null {
  if (!token || token.length > LONGEST_TOKEN) return null
  try {
    const claims: unknown = jwtDecode(token)
    return typeof claims === 'object' && !Array.isArray(claims) ? (claims as Json) : null
  } catch {
    return null
  }
}

/**
 * What is held after an answer: what it left out stays as it was (RFC 6749 §6 for the refresh token).
 * @throws {@link InvalidTokenError} for a token that could not stand in a header.
 */
export function merge<U>(old: Credentials<U> | null, fresh: Credentials<U>): Credentials<U> {
  const { accessToken, refreshToken } = fresh
  for (const token of [accessToken, refreshToken]) {
    if (token != null && (typeof token !== 'string' || !SENDABLE.test(token)))
      throw new InvalidTokenError('The server sent a token that cannot stand in a header')
  }
  const { expiresAt: _at, expiresInSeconds: _in, ...kept } = old ?? {}
  const told = Object.fromEntries(Object.entries(fresh).filter(([, value]) => value !== undefined)) as Credentials<U>
  const claims = fresh.claims ?? (accessToken ? claimsOf(accessToken) : kept.claims)
  const organizationId = fresh.organizationId === undefined ? claims?.['org_id'] : fresh.organizationId
  const merged: Credentials<U> = { ...kept, ...told, claims: claims ?? null }
  if (organizationId === null || typeof organizationId === 'string') merged.organizationId = organizationId
  return merged
}
