// One tab's view of the session: what an app sees (immutable, never a token), of which version it is, and how news change it.
// Pure.

import { type Credentials, isSameUser, type Json } from './credentials.ts'
import { isNewer, isSameSession, type Reason, type Version } from './record.ts'

export type Status = State['status']

/** What is known of the session. `status` tells which of the three it is, also to TypeScript. */
export type State<U = Json, C = Json> = LoadingState | AuthenticatedState<U, C> | UnauthenticatedState

/** It is not known yet who is signed in. */
export interface LoadingState extends Nobody {
  readonly status: 'loading'
  readonly reason: null
}

export interface AuthenticatedState<U = Json, C = Json> {
  readonly status: 'authenticated'
  /** A refresh is due and failing. */
  readonly stale: boolean
  /** `null` where neither the login nor the server has said who it is. */
  readonly user: U | null
  /** What the access token says; `null` where scripts can't read it. */
  readonly claims: C | null
  /** When the access token expires, epoch ms by this device's clock; `null` where that is unknown. */
  readonly expiresAt: number | null
  readonly organizationId: string | null
  /** What led here. */
  readonly reason: Reason
}

export interface UnauthenticatedState extends Nobody {
  readonly status: 'unauthenticated'
  /** Why the session is over; `restored` where there was none. */
  readonly reason: Reason
}

interface Nobody {
  readonly stale: false
  readonly user: null
  readonly claims: null
  readonly expiresAt: null
  readonly organizationId: null
}

export interface View<U, C> {
  readonly version: Version
  readonly state: State<U, C>
}

export const LOADING: LoadingState = Object.freeze({
  status: 'loading',
  stale: false,
  user: null,
  claims: null,
  expiresAt: null,
  organizationId: null,
  reason: null,
})

/** The state after news. User and claims keep their identity where nothing but the times of minting changed. */
export const stateOf = <U, C>(
  previous: State<U, C>,
  credentials: Credentials<U> | null,
  expiresAt: number | null,
  reason: Reason,
): State<U, C> =>
  Object.freeze(
    credentials
      ? {
          status: 'authenticated',
          stale: false,
          user: keepIfEqual(previous.user, credentials.user ?? null),
          claims: keepIfEqual(previous.claims, (credentials.claims ?? null) as C | null),
          expiresAt,
          organizationId: credentials.organizationId ?? null,
          reason: previous.stale && reason === 'refreshed' ? 'recovered' : reason,
        }
      : { ...LOADING, status: 'unauthenticated', reason },
  )

/** The names of the fields that differ. A new reason alone is no news: it is the same answer once more. */
export const changedIn = <U, C>(next: State<U, C>, previous: State<U, C>): (keyof State<U, C>)[] => {
  const names = (Object.keys(next) as (keyof State<U, C>)[]).filter((name) => next[name] !== previous[name])
  return names.length === 1 && names[0] === 'reason' ? [] : names
}

const keepIfEqual = <T>(old: T, next: T): T =>
  old && typeof next === 'object' && next && fingerprint(old) === fingerprint(next) ? old : next

const fingerprint = (value: unknown): string => {
  const { iat: _iat, exp: _exp, nbf: _nbf, jti: _jti, ...rest } = value as Json
  return JSON.stringify(Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1)))
}

export type ViewEvent<U, C> =
  /** The record holds this: a restore, an own commit, another tab's commit. */
  | { type: 'known'; version: Version; state: State<U, C> }
  | { type: 'failing' }
  | { type: 'signed-out' }
  | { type: 'sign-out-written' }

/** Of a tab that has found nobody, and nothing written: below every generation that a record begins with. */
export const NOBODY_FOUND: Version = { generation: 1, revision: 0 }

/** Whether a record of this version is news to the view. */
export function isNewsFor({ version, state }: View<unknown, unknown>, found: Version): boolean {
  if (state.status === 'loading') return true
  // The user signed out before it was known of which session. That is every session that is found until this is written.
  const isUnwritten = version.revision === Infinity && version.generation === 1
  return !isUnwritten && isNewer(found, version)
}

/** The next view; the same object where there is no news. */
export function nextView<U, C>(view: View<U, C>, event: ViewEvent<U, C>): View<U, C> {
  const { version, state } = view
  const sameIfEqual = (next: State<U, C>): State<U, C> => (changedIn(next, state)[0] ? next : state)
  switch (event.type) {
    case 'signed-out':
      return {
        // Until the sign-out is written down, no refresh of another tab is news to this tab, however new.
        version: { generation: version.generation + 1, revision: Infinity },
        state: sameIfEqual(stateOf(state, null, null, 'signed-out')),
      }
    case 'sign-out-written':
      // The record has the word again: of this generation, too, which may be a session that has begun before this was written.
      return version.revision === Infinity ? { version: { ...version, revision: -1 }, state } : view
    case 'known':
      if (!isNewsFor(view, event.version)) return view
      return { version: event.version, state: sameIfEqual(event.state) }
    case 'failing':
      if (state.status !== 'authenticated' || state.stale) return view
      return { version, state: Object.freeze({ ...state, stale: true, reason: 'stale' as const }) }
  }
}

/**
 * How the session that a request started with has ended, as far as this tab knows: `null` if it goes on, `signed-in` if
 * another session has begun since.
 */
export function endOf(started: View<unknown, unknown>, current: View<unknown, unknown>): Reason | null {
  if (isSameSession(started.version, current.version)) return null
  return current.state.status === 'authenticated' ? 'signed-in' : current.state.reason
}

/** Whether a session was ended by its user: by a sign-out, or by another sign-in. */
export const isEndedByUser = (reason: Reason): reason is 'signed-out' | 'signed-in' =>
  reason === 'signed-out' || reason === 'signed-in'

/** Whether `next` is the session right after `ended`, of the same user as `started`. */
export function isNextSession(
  started: View<unknown, unknown>,
  ended: View<unknown, unknown>,
  next: View<unknown, unknown>,
): boolean {
  return next.version.generation === ended.version.generation + 1 && isSameUser(started.state, next.state)
}
