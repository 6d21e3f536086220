// The way of a request: attach, send, detect an expired response, judge it, wait for the shared refresh, replay. At most three
// sendings. A request that needs nothing but a header pays for one look-up of its origin and one copy of its headers.

import { isNewer, isSameSession, type Version } from '../core/record.ts'
import { judge } from '../core/transition.ts'
import {
  isTransient,
  QueueFullError,
  RefreshFailedError,
  RefreshTimeoutError,
  ReplayError,
  SessionEndedError,
} from '../errors.ts'
import { Outgoing, type Replay, type SessionRequestInit, via } from '../outgoing.ts'
import type { Awaitable, RequestView } from '../ports.ts'
import { orAborted, orLate } from '../wait.ts'
import type { After } from './after.ts'
import type { Flights, Outcome } from './flights.ts'
import type { Gate } from './gate.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { Origins } from './origins.ts'
import type { Parts } from './refresh.ts'
import type { Refusals } from './refusals.ts'
import type { StepUp } from './step-up.ts'

export type Fetch = (input: RequestInfo | URL, init?: SessionRequestInit) => Promise<Response>

interface InterceptParts<U, C> extends Parts<U, C> {
  flights: Flights
  gate: Gate
  origins: Origins
  refusals: Refusals
  stepUp: StepUp
  observed: Lifecycle<U>['observed']
  isExpired(response: Response, request: RequestView): Awaitable<boolean>
  replay: Replay
  answered: After
}

const MOST_SENDS = 3
const MOST_TRIES = 3
const MOST_HELD = 10_000
const MOST_COPIED = 64 * 2 ** 20

export function createIntercept<U, C>(parts: InterceptParts<U, C>): Fetch {
  const {
    world,
    backend,
    store,
    events,
    flights,
    gate,
    origins,
    refusals,
    stepUp,
    observed,
    isExpired,
    replay,
    timeout,
    answered,
  } = parts
  let lastId = 0
  let holding = 0
  const room = { left: MOST_COPIED }

  return (input, init) => {
    if (init?.session === false || !origins(input)) return (init?.[via] ?? world.fetch)(input, init)
    return send(input, init ?? {})
  }

  async function send(input: RequestInfo | URL, init: SessionRequestInit): Promise<Response> {
    const request = new Outgoing(init instanceof Request ? new Request(input, init) : input, init, world, room)
    let isQueued = false
    let refused: Response | undefined
    try {
      const id = ++lastId
      request.signal?.throwIfAborted()
      const called = store.tab.version
      if (store.waking && !request.keepalive) {
        await orAborted(store.waking, request.signal)
        isOver(called)
      }
      const isOwn = ownOf(request) !== null
      if (backend.owns?.(request.url)) return dispatch(request, id, isOwn, 1)
      const isHeld = !isOwn && mustHold(request)
      const begunWith = isHeld ? await held(request, id) : store.tab.version
      let wasRefreshed = false

      for (let sends = 1; ; sends++) {
        if (isHeld || refused) {
          await gate.enter(request.signal)
          isQueued = true
        }
        if (isOver(begunWith) && refused) return refused
        if (refused && !request.canRepeat)
          throw new ReplayError(`${request.route}: its body can't be sent again`, { response: refused })
        refused?.body?.cancel().catch(() => {}) // an unread answer would keep its connection busy
        const sentWith = store.tab.version
        const sentAt = world.mono()
        const response = (refused = await dispatch(request, id, isOwn, sends))
        if (isQueued) gate.leave()
        isQueued = false
        // Where a redirect led: nothing that is said there is about this session.
        if (response.redirected && !origins(response.url)) return response
        const news = observed(response, request, sentWith)
        if (news) await news
        // Both answer at once as a rule, and a wait for nothing costs as much as the rest.
        const asks = !isOwn && stepUp.challengeOf(response, request)
        const challenge = asks && (await asks)
        if (challenge) {
          const mayGo = sends < MOST_SENDS && request.canRepeat && (await stepUp.park(challenge, request, begunWith))
          if (!mayGo) return response
          continue
        }
        const says = !isOwn && isExpired(response, request)
        if (!says || !(await says)) {
          const after = answered(response, request)
          if (after) await after
          return response
        }
        const verdict = sends < MOST_SENDS ? judge(store.tab, sentWith, wasRefreshed) : 'hand-back'
        if (verdict === 'hand-back') {
          if (wasRefreshed) refusals.add(request.route, sentWith)
          return response
        }
        if (verdict === 'refresh') {
          if (refusals.has(request.route)) return response
          if (!request.mayRepeat(replay)) {
            flights({ reason: 'expired' }).catch(() => {})
            return response
          }
          if ((await refreshed(request, id)) === 'give-up') return response
          // What another tab had got before this was sent may be as dead by now. Wall times are cut to the millisecond.
          wasRefreshed = isNewer(store.tab.version, sentWith) && store.bornAt > sentAt - 1
        } else if (!request.mayRepeat(replay)) return response
      }
    } finally {
      if (isQueued) gate.leave()
      room.left += request.copied
    }
  }

  function dispatch(request: Outgoing, id: number, isOwn: boolean, nth: number): Promise<Response> {
    const headers = nth > 1 ? request.dress() : request.headers
    const own = isOwn && ownOf(request)
    const attached = backend.attach(headers, store.credentials, request)
    if (own) headers.set('authorization', own)
    const response = request.send(world.fetch, attached)
    const { method, place } = request
    if (events.trace(nth > 1 ? 'replay' : 'send', { id, method, url: place }))
      response.then(
        ({ status }) => events.trace('response', { id, status }),
        () => events.trace('response', { id, status: 0 }),
      )
    return response
  }

  /** Credentials of the caller's own: left alone, and a refusal of them says nothing about the session. */
  function ownOf({ headers }: Outgoing): string | null {
    const own = headers.get('authorization')
    return own && !store.isOurs(own) ? own : null
  }

  /** Whether it would only meet a refusal, or go out bare for want of an answer that is on its way. */
  function mustHold({ keepalive, canRepeat }: Outgoing): boolean {
    const { status } = store.state
    if (keepalive || status === 'unauthenticated') return false
    // A body that can be sent once only must not meet an expiry on its way.
    return status === 'loading'
      ? !backend.cookies || !!backend.needsToken
      : store.isSpent(canRepeat ? undefined : 2 * timeout)
  }

  /** Takes a place among those that wait. */
  async function waiting<T>(work: Promise<T>, { signal, route }: Outgoing, id: number): Promise<T> {
    if (holding >= MOST_HELD) work.catch(() => {}) // nobody waits for it
    if (holding >= MOST_HELD) throw new QueueFullError(`${route}: ${MOST_HELD} requests wait already`)
    events.trace('hold', { id })
    holding++
    return orAborted(work, signal).finally(() => holding--)
  }

  /** Answers the version of the session that the request belongs to. */
  async function held(request: Outgoing, id: number): Promise<Version> {
    if (store.state.status === 'loading') {
      const late = (): Error =>
        new RefreshTimeoutError(`${request.route}: not sent, since it is unknown who is signed in`)
      await waiting(orLate(store.ready, world, timeout, late), request, id)
    }
    const { version } = store.tab
    if (mustHold(request)) {
      await refreshed(request, id, () => store.remaining() > 0)
      isOver(version)
    }
    return version
  }

  /** Waits for the shared refresh, through the failures that a short outage makes. */
  async function refreshed(request: Outgoing, id: number, isGoodYet = () => false): Promise<Outcome> {
    const { version } = store.tab
    for (let tries = 1; ; tries++) {
      try {
        const outcome = await waiting(flights({ reason: 'expired' }), request, id)
        if (outcome === 'done' || !store.state.stale || isGoodYet()) return outcome
        throw new RefreshFailedError(`${request.route}: not sent, since too many refreshes failed lately`)
      } catch (error) {
        if (request.signal?.aborted || error instanceof QueueFullError) throw error
        if (!isTransient(error) || isGoodYet()) return 'give-up'
        if (isNewer(store.tab.version, version)) return 'done' // only what the others wanted beyond it has failed
        if (error instanceof RefreshTimeoutError || !world.isOnline() || tries === MOST_TRIES) throw error
      }
    }
  }

  /**
   * Whether the server has ended the session that the request belongs to.
   * @throws SessionEndedError where the user ended it: what one asked for is never sent as another, or as nobody.
   */
  function isOver(begunWith: Version): boolean {
    if (isSameSession(begunWith, store.tab.version)) return false
    const { status, reason } = store.state
    if (status === 'authenticated') throw new SessionEndedError('signed-in')
    if (reason === 'signed-out') throw new SessionEndedError(reason)
    return true
  }
}
