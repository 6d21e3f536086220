// The way of a request: attach, send, detect an expired response, judge it, wait for the shared refresh, replay. At most three
// sendings. A request that needs nothing but a header pays for one look-up of its origin and one copy of its headers.

import { idOf } from '../core/credentials.ts'
import { isNewer, isSameSession } from '../core/record.ts'
import type { Reason } from '../core/state.ts'
import { judge, type Tab } from '../core/transition.ts'
import { ReplayError, SessionEndedError } from '../errors.ts'
import { Outgoing, type Replay, type SessionRequestInit, via } from '../outgoing.ts'
import type { Backend, Expired } from '../ports.ts'
import { orAborted } from '../wait.ts'
import type { After } from './after.ts'
import type { Flights } from './flights.ts'
import type { Gate } from './gate.ts'
import type { Hold } from './hold.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { Origins } from './origins.ts'
import type { Parking } from './parking.ts'
import type { Parts } from './parts.ts'
import type { Refusals } from './refusals.ts'

export type Fetch = (input: RequestInfo | URL, init?: SessionRequestInit) => Promise<Response>

interface InterceptParts<U, C> extends Parts<U, C> {
  flights: Flights
  gate: Gate
  hold: Hold<U, C>
  origins: Origins
  refusals: Refusals
  stepUp: NonNullable<Backend<U>['stepUp']>
  park: Parking['park']
  observed: Lifecycle<U>['observed']
  isExpired: Expired
  replay: Replay
  answered: After
}

const MOST_SENDS = 3
const BY_USER = /^signed/
const MOST_COPIED = 64 * 2 ** 20

export function createIntercept<U, C>(parts: InterceptParts<U, C>): Fetch {
  const {
    world,
    backend,
    store,
    events,
    flights,
    gate,
    hold,
    origins,
    refusals,
    stepUp,
    park,
    observed,
    isExpired,
    replay,
    answered,
  } = parts
  let lastId = 0
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
      const called = store.tab
      if (store.waking && !request.keepalive) {
        await orAborted(store.waking, request.signal)
        await goesOn(request, called)
      }
      const hasOwn = ownOf(request) !== null // an Authorization of the caller's own
      if (backend.owns?.(request.url)) return dispatch(request, id, hasOwn, 1)
      const isHeld = !hasOwn && hold.mustHold(request)
      let begun = isHeld ? await hold.held(request, id) : store.tab
      let wasRefreshed = false

      for (let sends = 1; ; sends++) {
        if (isHeld || refused)
          for (;;) {
            await gate.enter(request.signal)
            isQueued = true
            if (!endOf(begun)) break
            // Who waits for the user keeps nobody waiting.
            gate.leave()
            isQueued = false
            if (!(await goesOn(request, begun)) && refused) return refused
            begun = store.tab
          }
        if (refused && !request.canRepeat)
          throw new ReplayError(`${request.route}: its body can't be sent again`, { response: refused })
        refused?.body?.cancel().catch(() => {}) // an unread answer would keep its connection busy
        const sentWith = store.tab.version
        const sentAt = world.mono()
        const response = (refused = await dispatch(request, id, hasOwn, sends))
        if (isQueued) gate.leave()
        isQueued = false
        // Where a redirect led: nothing that is said there is about this session.
        if (response.redirected && !origins(response.url)) return response
        const news = observed(response, request, sentWith)
        if (news) await news
        // Both answer at once as a rule, and a wait for nothing costs as much as the rest.
        const asks = !hasOwn && stepUp(response, request)
        const challenge = asks && (await asks)
        if (challenge) {
          const mayGo = sends < MOST_SENDS && request.canRepeat
          if (!mayGo || !(await park('step-up', request, begun.version, { challenge }))) return response
          continue
        }
        const says = !hasOwn && isExpired(response, request)
        if (!says || !(await says)) {
          refusals.remove(request)
          const after = answered(response, request)
          if (after) await after
          return response
        }
        await hold.known(request, id) // a cookie's 401 says nothing yet of who is signed in
        const verdict = sends < MOST_SENDS ? judge(store.tab, sentWith, wasRefreshed) : 'hand-back'
        if (verdict === 'hand-back') {
          if (wasRefreshed) refusals.add(request.route, sentWith)
          // One that took its time: the server has ended the session meanwhile.
          if (sends === MOST_SENDS || BY_USER.test(endOf(begun) ?? 'signed')) return response
        }
        if (verdict === 'refresh') {
          if (refusals.has(request.route)) return response
          if (!request.mayRepeat(replay)) {
            flights({ reason: 'expired' }).catch(() => {})
            return response
          }
          if ((await hold.refreshed(request, id)) === 'give-up') return response
          // What another tab had got before this was sent may be as dead by now. Wall times are cut to the millisecond.
          wasRefreshed = isNewer(store.tab.version, sentWith) && store.bornAt > sentAt - 1
        } else if (!request.mayRepeat(replay)) return response
      }
    } finally {
      if (isQueued) gate.leave()
      room.left += request.copied
    }
  }

  function dispatch(request: Outgoing, id: number, hasOwn: boolean, nth: number): Promise<Response> {
    const headers = nth > 1 ? request.dress() : request.headers
    const own = hasOwn && ownOf(request)
    const attached = backend.attach(headers, store.credentials, request)
    if (own) headers.set('authorization', own)
    const response = request.send(world.fetch, attached, isExpired.around)
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

  /** How the session that a request belongs to has ended, if it has. */
  function endOf({ version }: Tab<U, C>): Reason | null {
    if (isSameSession(version, store.tab.version)) return null
    return store.state.status === 'authenticated' ? 'signed-in' : store.state.reason
  }

  /**
   * Whether it is still the session that the request belongs to; or the same user's next one, where the app has requests wait
   * for that.
   * @throws SessionEndedError where the user ended it: what one asked for is never sent as another, or as nobody.
   */
  async function goesOn(request: Outgoing, begun: Tab<U, C>): Promise<boolean> {
    let reason = endOf(begun)
    if (!reason) return true
    if (!BY_USER.test(reason)) {
      const { version } = store.tab
      if (!request.canRepeat || !(await park('sign-in-required', request, version, { reason }))) return false
      const { tab } = store
      const who = tab.version.generation === version.generation + 1 ? idOf(tab.state) : undefined
      if (who !== undefined && who === idOf(begun.state)) return true
      reason = endOf(begun)
    }
    throw new SessionEndedError(reason as SessionEndedError['reason'])
  }
}
