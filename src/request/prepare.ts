// What happens before a request is sent, for the first time or again: it is held until the session may serve, follows its
// session, and waits for its place among the requests that set out.

import type { Context } from '../context.ts'
import { ReplayError, SessionEndedError, StepUpRequiredError } from '../errors.ts'
import { abortable } from '../runtime/wait.ts'
import type { StepUpRefusal } from '../refresh/step-up-refusal.ts'
import type { Readiness } from '../session/readiness.ts'
import { endOf, isEndedByUser, isNextSession, type View } from '../state/view.ts'
import type { Hooks } from './hooks.ts'
import type { Limiter } from './limiter.ts'
import type { Trip } from './trip.ts'
import type { SessionOver, Waiting } from './waiting.ts'

export interface Prepare<U, C> {
  /** Holds the request until it may be sent. Answers nothing where it may be sent at once. @throws SessionError */
  prepare(trip: Trip<U, C>): Promise<void> | undefined
  /** Waits for its place among the requests that set out. False: its session is over, and the caller gets its refusal. */
  depart(trip: Trip<U, C>): Promise<boolean>
  /** Gives the place to the next request. */
  leave(trip: Trip<U, C>): void
  /** Whether an extension says that a request which could not go on may go on now. */
  unblock(trip: Trip<U, C>, error: SessionEndedError | StepUpRequiredError): Promise<boolean>
}

// Past this, a request is sent with what there is: a server that hands out dead tokens would be asked for ever.
const MAX_REFRESHES = 2

export function createPrepare<U, C>(
  { runtime, store }: Context<U, C>,
  readiness: Readiness,
  waiting: Waiting<U, C>,
  limiter: Limiter,
  hooks: Hooks,
  stepUpRefusal: StepUpRefusal,
): Prepare<U, C> {
  function prepare(trip: Trip<U, C>): Promise<void> | undefined {
    const { request } = trip
    if (readiness.pending && !request.keepalive && !hooks.owns(request)) return afterPending(trip)
    trip.sentAt = runtime.clock.mono()
    const own = request.hasOwnHeaders ? request.headers.get('authorization') : null
    // A token of the session in a header of the caller's own is renewed like any other.
    trip.hasOwnAuthorization = own !== null && !store.isSessionToken(own)
    const mustHold = !trip.hasOwnAuthorization && waiting.mustHold(trip) && !hooks.owns(request)
    return mustHold ? hold(trip) : undefined
  }

  /** The page comes back from a sleep, or the first session is being written down: nothing is known for sure until then. */
  async function afterPending(trip: Trip<U, C>): Promise<void> {
    waiting.traceHold(trip, 'waking')
    await abortable(readiness.pending!, trip.request.signal)
    await follow(trip)
    trip.started = store.view
    return prepare(trip)
  }

  async function hold(trip: Trip<U, C>): Promise<void> {
    trip.hasWaited = true
    await waiting.untilKnown(trip)
    trip.started = store.view
    trip.sentAt = runtime.clock.mono()
    try {
      await untilFresh(trip)
    } catch (error) {
      if (!(error instanceof StepUpRequiredError)) throw error
      trip.isDenied = !(await unblock(trip, error))
    }
  }

  /** What another tab had got may be spent again by the time that it comes to this tab: that is refreshed once more. */
  async function untilFresh(trip: Trip<U, C>): Promise<void> {
    for (let tries = 0; tries < MAX_REFRESHES && waiting.mustHold(trip); tries++) {
      const { receivedAtMono } = store
      await waiting.untilRefreshed(trip, () => (store.remaining() ?? 0) > 0)
      if (receivedAtMono === store.receivedAtMono) return
      trip.sentAt = runtime.clock.mono()
    }
  }

  async function depart(trip: Trip<U, C>): Promise<boolean> {
    const { request } = trip
    const rewinding = trip.refusal && request.rewind()
    if (rewinding) await abortable(rewinding, request.signal)
    for (;;) {
      await limiter.enter(request.signal)
      trip.hasPlace = true
      if (!endOf(trip.started, store.view)) break
      // A request that waits for the user keeps no other request waiting.
      leave(trip)
      if (!(await follow(trip)) && trip.refusal) return false
      trip.started = store.view
    }
    if (trip.refusal) dropRefusal(trip, trip.refusal)
    return true
  }

  /** @throws ReplayError where the request can't be sent again. */
  function dropRefusal({ request }: Trip<U, C>, response: Response): void {
    if (!request.canReplay)
      throw new ReplayError(
        `${request.route}: refused, and not sent again, since its body is too long to be kept. See error.refusal.`,
        { refusal: response },
      )
    response.body?.cancel().catch(() => {}) // a body that nobody reads would keep its connection busy
  }

  function leave(trip: Trip<U, C>): void {
    trip.hasPlace = false
    limiter.leave()
  }

  /**
   * Whether the session that the request belongs to goes on; or the same user's next session, where an extension waits for that.
   * @throws SessionEndedError where the user ended it: a request of one user is never sent as another, or as nobody.
   */
  async function follow(trip: Trip<U, C>): Promise<boolean> {
    const ended = store.view
    const end = endOf(trip.started, ended)
    if (!end) return true
    if (isEndedByUser(end)) throw new SessionEndedError(end)
    const mayWait = await unblock(trip, new SessionEndedError(end as SessionEndedError['reason']))
    if (mayWait) await untilAnotherSession(trip, ended, new Promise(() => {}))
    if (isNextSession(trip.started, ended, store.view)) return true
    const hasAnother = endOf(ended, store.view) !== null
    if (hasAnother) throw new SessionEndedError(endOf(trip.started, store.view) as SessionEndedError['reason'])
    return false
  }

  async function unblock(trip: Trip<U, C>, error: SessionEndedError | StepUpRequiredError): Promise<boolean> {
    const saying = trip.mayReplay && !trip.isDenied ? hooks.blocked(trip, error) : undefined
    if (!saying) return false
    waiting.traceHold(trip, 'user')
    const asking = Promise.resolve(saying)
    const isStepUp = error instanceof StepUpRequiredError
    const said = await untilAnotherSession(trip, store.view, isStepUp ? stepUpRefusal.whileAsked(asking) : asking)
    // Once another session has begun, nobody needs to answer any more.
    return said === 'replay' || said === 'session-over'
  }

  /** Until the work is done, another session begins, or this one is disposed of. */
  function untilAnotherSession<T>(
    trip: Trip<U, C>,
    view: View<U, C>,
    work: Promise<T>,
  ): Promise<T | SessionOver | undefined> {
    const untilDisposed = abortable(work, runtime.disposed).catch(() => undefined)
    return waiting.untilOver(view, trip.request.signal, untilDisposed)
  }

  return { prepare, depart, leave, unblock }
}
