// The way of a request: attach, send, detect an expired response, judge it, wait for the shared refresh, replay. At most three
// sendings. A request that needs nothing but a header pays for one look-up of its origin and one copy of its headers.

import { AUTOMATIC, isNewer, type Version } from '../core/record.ts'
import { judge } from '../core/transition.ts'
import {
  RefreshFailedError,
  RefreshTimeoutError,
  ReplayError,
  SessionEndedError,
  StepUpRequiredError,
} from '../errors.ts'
import type { Awaitable, Backend, RequestView, World } from '../ports.ts'
import type { Emitter } from './events.ts'
import type { Flights, Outcome } from './flights.ts'
import type { Origins } from './origins.ts'
import { Outgoing, type Replay, type SessionRequestInit } from '../outgoing.ts'
import type { Refusals } from './refusals.ts'
import type { Store } from './store.ts'
import { orAborted, orLate } from '../wait.ts'

export type Fetch = (input: RequestInfo | URL, init?: SessionRequestInit) => Promise<Response>

interface Parts<U, C> {
  world: World<U>
  backend: Backend<U>
  store: Store<U, C>
  events: Emitter<U, C>
  flights: Flights
  origins: Origins
  refusals: Refusals
  isExpired(response: Response, request: RequestView): Awaitable<boolean>
  replay: Replay
  timeout: number
  /** After each response: it may carry new credentials. */
  observed(response: Response, request: RequestView, sentWith: Version): Promise<void> | undefined
  /** After each that was not expired. */
  answered(response: Response, request: RequestView): void
}

const MOST_SENDS = 3
const MOST_TRIES = 3

export function createIntercept<U, C>(parts: Parts<U, C>): Fetch {
  const { world, backend, store, events, flights, origins, refusals, isExpired, timeout } = parts
  let lastId = 0

  return (input, init) => {
    if (init?.session === false) {
      const { session: _session, ...plain } = init
      return world.fetch(input, plain)
    }
    return origins(input) ? send(input, init) : world.fetch(input, init)
  }

  async function send(input: RequestInfo | URL, init: SessionRequestInit | undefined): Promise<Response> {
    const request = new Outgoing(input, init, world)
    const id = ++lastId
    if (backend.owns?.(request.url)) return dispatch(request, id, 1)
    const isOwn = hasOwnCredentials(request)
    const generation = !isOwn && mustHold(request) ? await held(request, id) : store.tab.version.generation
    let wasRefreshed = false

    for (let sends = 1; ; sends++) {
      const sentWith = store.tab.version
      const response = await dispatch(request, id, sends)
      await parts.observed(response, request, sentWith)
      if (isOwn || !(await isExpired(response, request))) {
        parts.answered(response, request)
        return response
      }
      const verdict = sends < MOST_SENDS ? judge(store.tab, sentWith, wasRefreshed) : 'hand-back'
      if (verdict === 'hand-back') {
        if (wasRefreshed) await refusals.add(request, sentWith)
        return response
      }
      if (!request.mayRepeat(parts.replay)) {
        if (verdict === 'refresh' && !refusals.has(request)) void renew().catch(() => {})
        return response
      }
      if (verdict === 'refresh') {
        if (refusals.has(request)) return response
        if ((await refreshed(request, id, false)) === 'give-up' || isOver(generation)) return response
        wasRefreshed = isNewer(store.tab.version, sentWith)
      }
      if (!request.canRepeat)
        throw new ReplayError(`${request.method} ${request.url}: this body can't be sent a second time`, { response })
      void response.body?.cancel().catch(() => {}) // an unread answer would keep its connection busy
    }
  }

  function dispatch(request: Outgoing, id: number, sends: number): Promise<Response> {
    const headers = sends === 1 ? request.headers : request.fresh()
    const own = hasOwnCredentials(request) ? headers.get('authorization') : null
    const attached = backend.attach(headers, store.credentials, request)
    if (own !== null) headers.set('authorization', own)
    if (!events.isTraced()) return request.send(world.fetch, attached)
    const { method, url } = request
    events.trace(sends === 1 ? 'send' : 'replay', { id, method, url })
    const response = request.send(world.fetch, attached)
    response.then(
      ({ status }) => events.trace('response', { id, status }),
      () => events.trace('response', { id, status: 0 }),
    )
    return response
  }

  function hasOwnCredentials(request: Outgoing): boolean {
    const own = request.headers.get('authorization')
    return own !== null && !store.isOurs(own)
  }

  function renew(): Promise<Outcome> {
    return flights.request(AUTOMATIC, { reason: 'expired' })
  }

  /** Whether it would only meet a refusal, or go out bare for want of an answer that is on its way. */
  function mustHold(request: Outgoing): boolean {
    const { status } = store.state
    if (request.keepalive) return false
    return status === 'loading' ? !backend.cookies : status === 'authenticated' && store.isSpent()
  }

  /** Answers the generation that the request belongs to. */
  async function held(request: Outgoing, id: number): Promise<number> {
    events.trace('hold', { id })
    if (store.state.status === 'loading') {
      const late = (): Error =>
        new RefreshTimeoutError(`${request.method} ${request.url}: not sent, it is unknown who is signed in`)
      await orAborted(orLate(store.ready, world.clock, timeout, late), request.signal)
    }
    const { generation } = store.tab.version
    if (mustHold(request)) {
      await refreshed(request, id, true)
      isOver(generation)
    }
    return generation
  }

  /** Waits for the shared refresh, through the failures that a short outage makes. */
  async function refreshed(request: Outgoing, id: number, isUnsent: boolean): Promise<Outcome> {
    if (!isUnsent) events.trace('hold', { id })
    const isAlive = (): boolean => isUnsent && (store.remaining() ?? 0) > 0
    for (let tries = 1; ; tries++) {
      try {
        const outcome = await orAborted(renew(), request.signal)
        if (outcome === 'give-up' && store.state.stale && !isAlive())
          throw new RefreshFailedError('Too many refreshes failed lately: none was made')
        return outcome
      } catch (error) {
        if (request.signal?.aborted) throw error
        if (error instanceof StepUpRequiredError || isAlive()) return 'give-up'
        const isHopeless = error instanceof RefreshTimeoutError || !world.page.isOnline()
        if (isHopeless || tries === MOST_TRIES) throw error
      }
    }
  }

  /**
   * Whether the server has ended the session that the request belongs to.
   * @throws SessionEndedError where the user ended it: what one asked for is never sent as another, or as nobody.
   */
  function isOver(generation: number): boolean {
    if (!generation || store.tab.version.generation === generation) return false
    const { status, reason } = store.state
    if (status === 'authenticated') throw new SessionEndedError('signed-in')
    if (reason === 'signed-out') throw new SessionEndedError('signed-out')
    return true
  }
}
