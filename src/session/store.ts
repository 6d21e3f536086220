// What this tab holds: its view of the session, the credentials, and how long they live. News come in as what the record says;
// whatever is not newer changes nothing.

import type { Clock, Stored } from '../runtime/ports.ts'
import type { Backend } from '../seam/backend.ts'
import type { Undo } from '../seam/io.ts'
import type { Credentials } from '../state/credentials.ts'
import { leewayFor } from '../state/expiry.ts'
import { BLANK, isNewer, isSameSession, type SessionRecord } from '../state/record.ts'
import {
  changedIn,
  isNewsFor,
  LOADING,
  nextView,
  type State,
  stateOf,
  type View,
  type ViewEvent,
} from '../state/view.ts'
import type { Emitter, Source } from './events.ts'

export interface Store<U, C> {
  readonly view: View<U, C>
  readonly state: State<U, C>
  readonly credentials: Credentials<U> | null
  /** ms from the receipt of the access token to its expiry; `null` where that is unknown. */
  readonly lifetime: number | null
  /** When the access token was received, by whatever tab, in monotonic ms of this tab. */
  readonly receivedAtMono: number
  /** The user has signed in or out in this tab: what was asked before that is out of date. */
  hasDecided: boolean
  /** The record holds sign-outs that the server was not told of, as far as this tab knows. */
  hasUntoldSignOuts: boolean
  /** Writes the sign-out of this tab down, which the storage has not taken yet; `null`: there is none. */
  writeSignOut: (() => Promise<void>) | null
  /**
   * Writes the sign-out of this tab down again, where the record was cleared before the server was told. Answers whether it was.
   * `null`: the server was told, or need not be.
   */
  rewriteSignOut: (() => Promise<boolean>) | null
  /** What the last refresh, or the last question who is signed in, failed with; `null` once one has worked. */
  lastFailure: unknown
  /** Whether there is anything to ask for new credentials with. */
  readonly canRefresh: boolean
  /** How many requests wait for a refresh, or to know who is signed in. */
  heldRequests: number
  /** The number of the token that this tab holds, for traces; `null`: none. */
  readonly tokenNumber: number | null
  /** The number of the token in what was read or written: how many this tab has seen up to it. `null`: nobody is signed in. */
  numberOf(stored: Stored<U> | null): number | null
  /** Which tab wrote this: another tab, if it is newer than what this tab holds. For traces. */
  sourceOf(stored: Stored<U> | null): 'this-tab' | 'other-tab'
  /** Whether this tab holds a session, and more of it than what is stored: the record was cleared, and maybe begun anew. */
  isAhead(stored: Stored<U> | null): boolean
  /** ms until the access token expires; `null` where that is unknown. */
  remaining(): number | null
  /**
   * Whether the access token expires within `validity` ms, at most nine tenths of its lifetime.
   * @param validity @default the leeway, at most a quarter of the lifetime
   * @param now Monotonic ms, where they were just read.
   */
  isNearExpiry(validity?: number, now?: number): boolean
  /** Whether a header that a caller has set holds a token of the session, or one that it had before. */
  isSessionToken(authorization: string): boolean
  dispatch(event: ViewEvent<U, C>, source?: Source): void
  adopt(stored: Stored<U> | null, source: Source): void
  /** Calls `run` after each step that changed something, before any listener of the app is told. */
  onStep(run: (source: Source, isNews: boolean) => void): Undo
}

// Code of the app may send an old token in a header of its own for as long as it remembers it.
const MAX_OLD_TOKENS = 8
// The clocks of two tabs may differ a little, though they are of one device.
const MAX_WOBBLE_MS = 1_000
// Tabs whose clocks differ for longer would take each other's tokens for spent, and refresh in turn without end.
const MIN_DOUBT_INTERVAL_MS = 60_000

export function createStore<U, C>(
  { now: wall, mono }: Clock,
  { emit, trace }: Emitter<U, C>,
  leeway: number,
  backend: Pick<Backend<U>, 'canRefresh'>,
): Store<U, C> {
  let view: View<U, C> = { version: BLANK.version, state: LOADING }
  let credentials: Credentials<U> | null = null
  let lifetime: number | null = null
  /** The same in wall time, as the record has it. */
  let receivedAt = 0
  let receivedAtMono = 0
  /** Monotonic ms from which on the access token is near expiry. */
  let nearExpiryAt = Infinity
  /** When a token was last taken for spent, since nobody could tell its age; monotonic ms. */
  let doubtedAt = -Infinity
  let tokens: string[] = []
  /** The newest version that was numbered, and its token; never shown. */
  let numbered = { version: BLANK.version, token: undefined as Credentials<U>['accessToken'], number: 0 }
  const steps = new Set<(source: Source, isNews: boolean) => void>()

  const canRefresh = (): boolean => !credentials || !backend.canRefresh || backend.canRefresh(credentials)

  function hold(next: Credentials<U> | null, livesFor: number | null, since: number): void {
    credentials = next
    lifetime = next && livesFor
    receivedAtMono = since
    // What can't be refreshed is used to its end.
    const early = lifetime !== null && canRefresh() ? leewayFor(lifetime, leeway) : 0
    nearExpiryAt = lifetime === null ? Infinity : since + lifetime - early
  }

  function dispatch(event: ViewEvent<U, C>, source: Source = 'this-tab'): void {
    const { version, state: previous } = view
    view = nextView(view, event)
    if (event.type === 'signed-out') hold(null, null, receivedAtMono)
    const current = view.state
    const changed = changedIn(current, previous)
    const isNews = version !== view.version
    if (changed[0] || isNews) steps.forEach((run) => run(source, isNews))
    if (changed[0]) emit('change', { current, previous, reason: current.reason!, source, changed })
  }

  function adopt(stored: Stored<U> | null, source: Source): void {
    if (!stored) return
    if (stored.record.signOuts.length > 0) store.hasUntoldSignOuts = true
    const { version, signedIn, reason, lifetime: livesFor } = stored.record
    if (!isNewsFor(view, version)) return
    const since = receiptOf(stored.record)
    receivedAt = stored.record.receivedAt
    hold(signedIn ? stored.credentials : null, livesFor, since)
    rememberToken(isSameSession(view.version, version))
    trace('token', { token: numberOf(stored), source, canRefresh: canRefresh(), reason })
    const state = stateOf<U, C>(view.state, credentials, lifetime && receivedAt + lifetime, reason)
    dispatch({ type: 'known', version, state }, source)
  }

  /** When the credentials of the record were received, in monotonic ms of this tab, by which their life is counted from here on. */
  function receiptOf(record: SessionRecord): number {
    // News that brought no new token: a wall clock that was set back since must not make the held token younger.
    if (credentials && record.receivedAt === receivedAt) return receivedAtMono
    const age = wall() - record.receivedAt
    if (age >= 0) return mono() - age
    const now = mono()
    if (age >= -MAX_WOBBLE_MS || now - doubtedAt < MIN_DOUBT_INTERVAL_MS) return now
    // The wall clock was set back since, and nobody can tell the age of the token: it counts as spent, for one refresh.
    doubtedAt = now
    return now - (record.lifetime ?? 0)
  }

  /** Tokens of a session before this one may be another user's: they are forgotten. */
  function rememberToken(isSame: boolean): void {
    const old = isSame ? tokens : []
    const token = credentials?.accessToken
    tokens = token ? [token, ...old].slice(0, MAX_OLD_TOKENS) : old
  }

  /** A session without a readable token has another number for each version. */
  function numberOf(stored: Stored<U> | null): number | null {
    if (!stored?.record.signedIn || !stored.credentials) return null
    const { accessToken: token } = stored.credentials
    const { version } = stored.record
    if (isNewer(version, numbered.version)) {
      const isSame = !!token && token === numbered.token
      numbered = { version, token, number: numbered.number + (isSame ? 0 : 1) }
    }
    return numbered.number
  }

  const store: Store<U, C> = {
    get view() {
      return view
    },
    get state() {
      return view.state
    },
    get credentials() {
      return credentials
    },
    get lifetime() {
      return lifetime
    },
    get receivedAtMono() {
      return receivedAtMono
    },
    get canRefresh() {
      return canRefresh()
    },
    get tokenNumber() {
      return credentials && numbered.number
    },
    numberOf,
    sourceOf: (stored) => (stored && isNewsFor(view, stored.record.version) ? 'other-tab' : 'this-tab'),
    heldRequests: 0,
    hasDecided: false,
    hasUntoldSignOuts: false,
    writeSignOut: null,
    rewriteSignOut: null,
    lastFailure: null,
    isAhead: (stored) =>
      !!credentials && view.version.generation > 0 && (!stored || isNewer(view.version, stored.record.version)),
    remaining: () => (lifetime === null ? null : receivedAtMono + lifetime - mono()),
    isNearExpiry(validity, now = mono()) {
      if (validity === undefined) return now >= nearExpiryAt
      return lifetime !== null && receivedAtMono + lifetime - now <= Math.min(validity, lifetime * 0.9)
    },
    isSessionToken: (authorization) => tokens.some((token) => authorization.endsWith(token)),
    dispatch,
    adopt,
    onStep(run) {
      steps.add(run)
      return () => steps.delete(run)
    },
  }
  return store
}
