// What a request waits for: to know who is signed in, the shared refresh, or the user. Whatever it waits for, it is woken at
// once when its caller gives up, or when its session is over.

import type { Context } from '../context.ts'
import { QueueFullError, RefreshTimeoutError, SessionEndedError } from '../errors.ts'
import { gaveUp, isTransient, isWrongUrl } from '../failures.ts'
import type { RefreshOutcome, RequestRefresh } from '../refresh/queue.ts'
import { abortable, withTimeout } from '../runtime/wait.ts'
import type { Readiness } from '../session/readiness.ts'
import type { HoldReason } from '../seam/trace.ts'
import { isNewer } from '../state/record.ts'
import { endOf, type View } from '../state/view.ts'
import type { Trip } from './trip.ts'

export type SessionOver = 'session-over'

export interface Waiting<U, C> {
  /** Whether the request, if it was sent at `trip.sentAt`, would only meet a refusal, or go out bare
   * although credentials are on their way. */
  mustHold(trip: Trip<U, C>): boolean
  /** False while the session waits for a login function that the request may come from. */
  mayWait(trip: Trip<U, C>): boolean
  /** Until it is known who is signed in. @throws RefreshTimeoutError */
  untilKnown(trip: Trip<U, C>): Promise<unknown>
  /** Until there are newer credentials, through the failures that a short outage makes. @throws SessionError */
  untilRefreshed(trip: Trip<U, C>, isGoodYet?: () => boolean): Promise<RefreshOutcome | SessionOver>
  /** Until the work is done, or the session of `view` is not the current one any more. */
  untilOver<T>(view: View<U, C>, signal: AbortSignal | null | undefined, work: Promise<T>): Promise<T | SessionOver>
  /** The session has made a step: wakes each request whose session is over, or that has got newer credentials. */
  wake(): void
  /** Tells that the request waits. */
  traceHold(trip: Trip<U, C>, why: HoldReason): void
}

const MAX_TRIES = 3
const MAX_HELD = 10_000
// After an answer that nobody could read, the next try may begin no sooner than `timeout` after it.
const LAST_TRY_MS = 1_000

export function createWaiting<U, C>(
  { runtime, backend, settings, store, events, reentrance }: Context<U, C>,
  readiness: Readiness,
  requestRefresh: RequestRefresh,
): Waiting<U, C> {
  const asleep = new Set<() => void>()

  const mayWait = ({ isInLogin }: Trip<U, C>): boolean => !(isInLogin && reentrance.isLoggingIn)

  function mustHold(trip: Trip<U, C>): boolean {
    const { request, sentAt: now } = trip
    const { keepalive, isSureToReplay } = request
    const { status } = store.state
    if (keepalive || status === 'unauthenticated' || !mayWait(trip)) return false
    if (status === 'loading') return !backend.cookies || !!backend.needsToken || !!backend.restoreSetsCookie
    // A body that can be sent only once must not meet an expiry on its way.
    return store.isNearExpiry(isSureToReplay || !store.canRefresh ? undefined : 2 * settings.timeout, now)
  }

  /** Until the work is done, or `look` finds something: it is asked now, and after each step of the session. */
  function untilFound<T, F>(
    signal: AbortSignal | null | undefined,
    work: Promise<T>,
    look: () => F | null,
  ): Promise<T | F> {
    let wake!: () => void
    const finding = new Promise<F>((resolve) => {
      wake = () => {
        const found = look()
        if (found) resolve(found)
      }
    })
    asleep.add(wake)
    wake()
    return abortable(Promise.race([work, finding]), signal).finally(() => asleep.delete(wake))
  }

  const overOf = (view: View<U, C>): SessionOver | null => (endOf(view, store.view) ? 'session-over' : null)

  /** Takes a place among the requests that are held. @param look Finds what wakes it before the work is done. */
  async function hold<T, F = never>(
    trip: Trip<U, C>,
    work: Promise<T>,
    look: () => F | null = () => null,
  ): Promise<T | F | SessionOver> {
    if (store.heldRequests >= MAX_HELD) {
      work.catch(() => {}) // nobody waits for it
      throw new QueueFullError(
        `${trip.request.route}: not sent, since ${MAX_HELD} requests wait for a refresh already. The session is kept.`,
      )
    }
    store.heldRequests++
    traceHold(trip, whyOf(trip))
    try {
      return await untilFound<T, F | SessionOver>(trip.request.signal, work, () => overOf(trip.started) ?? look())
    } finally {
      store.heldRequests--
    }
  }

  function whyOf({ refusal }: Trip<U, C>): HoldReason {
    if (store.state.status === 'loading') return 'loading'
    return refusal ? 'refused' : 'expiring'
  }

  function traceHold({ id, request }: Trip<U, C>, why: HoldReason): void {
    events.trace('hold', { id, method: request.method, url: request.place, why, waiting: store.heldRequests })
  }

  async function untilKnown(trip: Trip<U, C>): Promise<unknown> {
    if (store.state.status !== 'loading') return undefined
    return hold(trip, readiness.untilKnown(trip.request.route))
  }

  async function untilRefreshed(trip: Trip<U, C>, isGoodYet = () => false): Promise<RefreshOutcome | SessionOver> {
    const { version } = store.view
    const isRenewed = createIsRenewed()
    const startedAt = runtime.clock.mono()
    let failure: unknown
    for (let tries = 1; ; tries++) {
      try {
        const refreshing = requestRefresh({ reason: 'expired' })
        const outcome = await hold(trip, withinTime(refreshing, startedAt, failure), isRenewed)
        if (outcome !== 'give-up' || !store.state.stale || isGoodYet()) return outcome
        throw gaveUp(trip.request.route, store.lastFailure)
      } catch (error) {
        const isCallers = trip.request.signal?.aborted || error instanceof QueueFullError
        if (isCallers) throw error
        if (isGoodYet()) return 'give-up'
        if (!isTransient(error)) return giveUp(error)
        // Only what other callers wanted beyond these credentials has failed.
        if (isNewer(store.view.version, version)) return 'done'
        if (tries === MAX_TRIES || !mayHelp(error, failure)) throw error
        failure = error
      }
    }
  }

  /**
   * Whether newer credentials have come since now. Those of another tab come long before the turn of this tab to refresh, where
   * the tab that has its turn is frozen.
   */
  function createIsRenewed(): () => 'done' | null {
    const { view, receivedAtMono } = store
    return () => {
      // News of something else, such as a user name, leave the token as dead as it was.
      const isNewToken = isNewer(store.view.version, view.version) && store.receivedAtMono !== receivedAtMono
      return isNewToken && !store.isNearExpiry() ? 'done' : null
    }
  }

  /** One more try: once `timeout` has passed, a caller waits no longer, and is told what has failed. */
  function withinTime<T>(work: Promise<T>, startedAt: number, failure: unknown): Promise<T> {
    if (!failure) return work
    const left = startedAt + settings.timeout + LAST_TRY_MS - runtime.clock.mono()
    return withTimeout(work, runtime.clock, Math.max(0, left), () => failure as Error)
  }

  /** The server has answered: it ended the session, which the request is woken for, or it asks more of the user. */
  function giveUp(error: unknown): 'give-up' {
    if (error instanceof SessionEndedError) return 'give-up'
    throw error
  }

  /** Whether another try may help within the time that a caller has. */
  const mayHelp = (error: unknown, previous: unknown): boolean =>
    error !== previous && runtime.page.isOnline() && !(error instanceof RefreshTimeoutError) && !isWrongUrl(error)

  return {
    mustHold,
    mayWait,
    untilKnown,
    untilRefreshed,
    untilOver: (view, signal, work) => untilFound(signal, work, () => overOf(view)),
    wake: () => asleep.forEach((wake) => wake()),
    traceHold,
  }
}
