// How long credentials live, and how long to leave a failing server alone. Pure: times come in as numbers, randomness as a
// number in [0, 1).

import type { Credentials } from './credentials.ts'

// With 60 s tokens, retries after an outage stay below the steady load only from twice the refresh interval on.
const LONGEST_BACKOFF = 100_000
const LONGEST_RETRY_AFTER = 300_000
// With jitter. As a sum that is rounded up it would be as long as no cool-down may be, and count for none.
const LONGEST_PAUSE = 599_999

/**
 * The life of an access token in ms from receipt, or `null` where it can't be known: then only the server's word counts.
 * Never compares the server's clock with this device's: `expires_in`, else `exp - iat` (RFC 7519 §4.1).
 */
export function lifeOf({ expiresAt, expiresInSeconds, claims }: Credentials<unknown>, now: number): number | null {
  const { exp, iat } = (claims ?? {}) as Record<string, number>
  const life = expiresAt === undefined ? (expiresInSeconds ?? exp! - iat!) * 1000 : expiresAt - now
  // Dead on arrival, or nonsense: used as it is, until the server refuses it.
  return life > 0 && life < Infinity ? life : null
}

/** A leeway longer than a quarter of the life would make every token spent, and refresh for ever. */
export const leewayFor = (life: number, leeway: number): number => Math.min(leeway, life / 4)

/** ms to wait after the nth failure in a row: full jitter, doubling. */
export const backoff = (failures: number, random: number): number =>
  random * Math.min(LONGEST_BACKOFF, 500 * 2 ** failures)

/**
 * ms that a `Retry-After` asks for (RFC 9110 §10.2.3), plus jitter: obeyed to the second it makes herds.
 * NaN where there is none, or nothing that can be read.
 */
export function retryAfter(header: string | null | undefined, now: number, random: number): number {
  const ms = header ? (isNaN(+header) ? Date.parse(header) - now : +header * 1000) : NaN
  return ms >= 0 ? Math.min(Math.min(ms, LONGEST_RETRY_AFTER) * (1 + random), LONGEST_PAUSE) : NaN
}
