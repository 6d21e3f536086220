// How long credentials live, and how long a failing server is left alone. Pure: times come in as numbers, randomness as a
// number in [0, 1).

import type { Credentials } from './credentials.ts'

// With tokens of 60 s, the retries after an outage stay below the steady load only if they are spread this far.
const MAX_BACKOFF_MS = 100_000
const MAX_RETRY_AFTER_MS = 300_000
// Jitter included. It has to stay below MAX_COOL_DOWN_MS in plan.ts: a longer cool-down is taken for a clock that was set back.
const MAX_PAUSE_MS = 599_999

/** When credentials were received. */
export interface Receipt {
  /** Wall time of this device, epoch ms. */
  readonly at: number
  /** The server's own time then, from the `Date` of its answer; `null`: no answer says so, or CORS hides it. */
  readonly serverTime: number | null
  /** Whether an `expiresAt` is by the server's clock. Else it is by this device's. */
  readonly isByServer: boolean
}

/** The receipt of credentials that the app handed over. */
export const receivedFromApp = (at: number): Receipt => ({ at, serverTime: null, isByServer: false })

/** A `Date` header (RFC 9110 §6.6.1) as epoch ms; `null` where there is none that can be read. */
export function parseDate(header: string | null): number | null {
  const time = Date.parse(header ?? '')
  return Number.isNaN(time) ? null : time
}

/**
 * The lifetime of an access token in ms from its receipt, or `null` where it is unknown: then only the server's word counts.
 * Never compares the server's clock with this device's: `expires_in`, else `exp - iat` (RFC 7519 §4.1), else the time of
 * expiry less the server's time.
 */
export function lifetimeOf(credentials: Credentials<unknown>, receipt: Receipt): number | null {
  const lifetime = Number(saidLifetime(credentials, receipt))
  // A token that is dead on arrival, or whose times make no sense, is used until the server refuses it.
  return lifetime > 0 && lifetime < Infinity ? lifetime : null
}

function saidLifetime(
  { expiresAt, expiresInSeconds, claims }: Credentials<unknown>,
  { at, serverTime, isByServer }: Receipt,
): number | null {
  const { exp, iat } = (claims ?? {}) as Record<string, number | undefined>
  if (expiresAt != null && !isByServer) return expiresAt - at
  if (expiresInSeconds != null) return expiresInSeconds * 1000
  if (exp! > iat!) return (exp! - iat!) * 1000
  if (serverTime === null) return null
  if (expiresAt != null) return expiresAt - serverTime
  return exp == null ? null : exp * 1000 - serverTime
}

/** The leeway, at most a quarter of the lifetime: a longer one would make every token near expiry, and refresh for ever. */
export const leewayFor = (lifetime: number, leeway: number): number => Math.min(leeway, lifetime / 4)

/** ms until a refresh is tried again for what n tokens in a row could not cure: doubling, at most once a minute. */
export const refusalBackoff = (refusals: number): number => Math.min(60_000, 1_000 * 2 ** (refusals - 1))

/** ms to wait after the nth failure in a row: full jitter, doubling. */
export const backoff = (failures: number, random: number): number =>
  random * Math.min(MAX_BACKOFF_MS, 500 * 2 ** failures)

/**
 * ms that a `Retry-After` header asks for (RFC 9110 §10.2.3), plus jitter: clients that obey it to the second come back as a
 * herd. `null` where there is no such header, or none that can be read.
 */
export function retryAfter(header: string | null | undefined, now: number, random: number): number | null {
  if (!header) return null
  const seconds = Number(header)
  const ms = Number.isNaN(seconds) ? Date.parse(header) - now : seconds * 1000
  if (!(ms >= 0)) return null
  return Math.min(Math.min(ms, MAX_RETRY_AFTER_MS) * (1 + random), MAX_PAUSE_MS)
}
