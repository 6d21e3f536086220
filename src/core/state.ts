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
export const stateOf = <U, C>(
  previous: State<U, C>,
  credentials: Credentials<U> | null,
  expiresAt: number | null,
  reason: Reason,
): State<U, C> =>
  Object.freeze({
    ...LOADING,
    status: credentials ? 'authenticated' : 'unauthenticated',
    user: kept(previous.user, credentials?.user ?? null),
    claims: kept(previous.claims, (credentials?.claims ?? null) as C | null),
    expiresAt,
    organizationId: credentials?.organizationId ?? null,
    reason: previous.stale && reason === 'refreshed' ? 'recovered' : reason,
  })

/** The names of what differs. A new reason alone is no news, such as the same answer once more. */
export const changedIn = <U, C>(next: State<U, C>, previous: State<U, C>): (keyof State<U, C>)[] => {
  const names = (Object.keys(next) as (keyof State<U, C>)[]).filter((name) => next[name] !== previous[name])
  return names.length === 1 && names[0] === 'reason' ? [] : names
}

const kept = <T>(old: T, next: T): T =>
  old && typeof next === 'object' && next && fingerprint(old) === fingerprint(next) ? old : next

const fingerprint = (value: unknown): string => {
  const { iat: _iat, exp: _exp, nbf: _nbf, jti: _jti, ...rest } = value as Json
  return JSON.stringify(Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1)))
}
