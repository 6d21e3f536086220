// How long credentials live, and when to ask for new ones. Pure: times come in as numbers, randomness as a number in [0, 1).

import type { Credentials } from './credentials.ts'

/** What `setTimeout` can hold; one millisecond more fires at once. */
export const LONGEST_TIMER: number = 2 ** 31 - 1
const LONGEST_AHEAD = 15_000
const FIRST_BACKOFF = 1_000
// With 60 s tokens, retries after an outage stay below the steady load only from twice the refresh interval on.
const LONGEST_BACKOFF = 100_000
const LONGEST_RETRY_AFTER = 300_000

/**
 * The life of an access token in ms from receipt, or `null` where it can't be known: then only the server's word counts.
 * Never compares the server's clock with this device's: `expires_in`, else `exp - iat` (RFC 7519 §4.1).
 */
export function lifeOf(credentials: Credentials<unknown>, now: number): number | null {
  const { expiresAt, expiresInSeconds, accessToken, claims } = credentials
  const { exp, iat } = (accessToken && claims) || {}
  const life =
    typeof expiresAt === 'number'
      ? expiresAt - now
      : typeof expiresInSeconds === 'number'
        ? expiresInSeconds * 1000
        : typeof exp === 'number' && typeof iat === 'number'
          ? (exp - iat) * 1000
          : NaN
  // Dead on arrival, or nonsense: used as it is, until the server refuses it.
  return life > 0 && life < Number.MAX_SAFE_INTEGER ? life : null
}

/** A leeway longer than a quarter of the life would make every token spent, and refresh for ever. */
export const leewayFor = (life: number, leeway: number): number => Math.min(leeway, life / 4)

/** ms after receipt at which to refresh ahead: the jitter keeps clients that signed in together from refreshing together. */
export const aheadAt = (life: number, leeway: number, random: number): number =>
  Math.max(0, life - leewayFor(life, leeway) - random * Math.min(LONGEST_AHEAD, life / 4))

/** ms to wait after the nth failure in a row: full jitter, doubling. */
export const backoff = (failures: number, random: number): number =>
  random * Math.min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** (failures - 1))

/**
 * ms that a `Retry-After` asks for (RFC 9110 §10.2.3), plus jitter: obeyed to the second it makes herds.
 * `null` where there is none, or nothing that can be read.
 */
export function retryAfter(header: string | null, now: number, random: number): number | null {
  if (!header) return null
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now
  if (!(ms >= 0)) return null
  const asked = Math.min(ms, LONGEST_RETRY_AFTER)
  return asked + random * asked
}
