// What an app sees of its session: immutable, never a token. Pure.

import type { Credentials, Json } from './credentials.ts'

export type Status = 'loading' | 'authenticated' | 'unauthenticated'

export type Reason =
  | 'restored'
  | 'signed-in'
  | 'refreshed'
  | 'reloaded'
  | 'switched'
  | 'updated'
  | 'stale'
  | 'recovered'
  | Ending
/** Why a session is over: by the user, or by the server's word. */
export type Ending = 'signed-out' | 'expired' | 'revoked' | 'reused'

export interface State<U = Json, C = Json> {
  readonly status: Status
  /** A refresh is due and failing. */
  readonly stale: boolean
  readonly user: U | null
  readonly claims: C | null
  /** When the access token dies, epoch ms by this device's clock; `null` where it is unknown. */
  readonly expiresAt: number | null
  readonly organizationId: string | null
  /** What led here; `null` while loading. */
  readonly reason: Reason | null
}

export const LOADING: State<never, never> = Object.freeze({
  status: 'loading',
  stale: false,
  user: null,
  claims: null,
  expiresAt: null,
  organizationId: null,
  reason: null,
})

/** The state after news; user and claims keep their identity where nothing but the times of minting changed. */
export function stateOf<U, C>(
  previous: State<U, C>,
  credentials: Credentials<U> | null,
  expiresAt: number | null,
  reason: Reason,
): State<U, C> {
  const { user = null, claims = null, organizationId = null } = credentials ?? {}
  return Object.freeze({
    status: credentials ? 'authenticated' : 'unauthenticated',
    stale: false,
    user: kept(previous.user, user),
    claims: kept(previous.claims, claims as C | null),
    expiresAt,
    organizationId,
    reason: previous.stale && reason === 'refreshed' ? 'recovered' : reason,
  })
}

/** The names of what differs; empty where nothing does. */
export const changedIn = <U, C>(next: State<U, C>, previous: State<U, C>): (keyof State<U, C>)[] =>
  (Object.keys(next) as (keyof State<U, C>)[]).filter((key) => !Object.is(next[key], previous[key]))

function kept<T>(old: T, next: T): T {
  try {
    return old && next && fingerprint(old) === fingerprint(next) ? old : next
  } catch {
    return next // what can't be written as JSON can't be compared
  }
}

// Only names at the top are times of minting; a field of the app's own that has such a name deeper down counts.
function fingerprint(value: unknown): string {
  const { iat: _iat, exp: _exp, nbf: _nbf, jti: _jti, ...rest } = value as Json
  return JSON.stringify(rest, (_key, part: unknown) =>
    part && typeof part === 'object' && !Array.isArray(part) ? Object.fromEntries(Object.entries(part).sort()) : part,
  )
}
