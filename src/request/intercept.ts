// The way of a request: prepare → send → verdict → act. Each step has a room: prepare.ts, send.ts, decide.ts (which asks
// state/verdict.ts), act.ts. A request that needs nothing but a header takes the shortest way: one look-up
// of its origin, one copy of its headers, the real fetch.

import type { Context } from '../context.ts'
import { transportKey } from '../internals.ts'
import type { Awaitable } from '../seam/io.ts'
import type { Act } from './act.ts'
import type { Decide } from './decide.ts'
import type { Hooks } from './hooks.ts'
import { createForgottenOrigin, type IsAllowed } from './origins.ts'
import type { Prepare } from './prepare.ts'
import type { CopyBudget } from './body.ts'
import { ReplayableRequest, type SessionRequestInit } from './replayable.ts'
import type { Send } from './send.ts'
import type { SendAlone } from './send-alone.ts'
import { viewOf } from './response-view.ts'
import { traceEnd, traceForeign } from './traced.ts'
import { Trip } from './trip.ts'

export type SessionFetch = (input: RequestInfo | URL, init?: SessionRequestInit) => Promise<Response>

const MAX_COPIED_BYTES = 64 * 2 ** 20
const NO_INIT: SessionRequestInit = {}

export function createIntercept<U, C>(
  { runtime, settings, events, store, reentrance }: Context<U, C>,
  isAllowed: IsAllowed,
  { owns, beginsSession }: Hooks,
  { prepare, depart, leave }: Prepare<U, C>,
  send: Send<U, C>,
  sendAlone: SendAlone<U, C>,
  decide: Decide<U, C>,
  act: Act<U, C>,
): SessionFetch {
  const budget: CopyBudget = { left: MAX_COPIED_BYTES }
  const isRefusal = (response: Response): Awaitable<boolean> =>
    settings.isExpired(viewOf(response), { url: response.url, method: 'GET', headers: new Headers() })
  const lookForForgotten = createForgottenOrigin(settings, isRefusal, (error) => events.emit('error', { error }))
  const surroundings = { base: runtime.base, cookie: runtime.cookie, page: settings.page }
  let lastId = 0

  /** Not within a login function, which has the lock already. */
  const mustBeAlone = ({ request, isInLogin }: Trip<U, C>): boolean =>
    beginsSession(request) && !request.keepalive && !(isInLogin && reentrance.isLoggingIn)

  const transmit = (trip: Trip<U, C>): Promise<Response> => (mustBeAlone(trip) ? sendAlone(trip) : send(trip))

  async function travel(input: RequestInfo | URL, init: SessionRequestInit): Promise<Response> {
    const from = init instanceof Request ? new Request(input, init) : input
    const request = new ReplayableRequest(from, init, surroundings, budget)
    const trip = new Trip(++lastId, request, store.view, reentrance.isLoggingIn)
    let failure: { error: unknown } | null = null
    try {
      request.signal?.throwIfAborted()
      const preparing = prepare(trip)
      if (preparing) await preparing
      if (owns(request)) return (trip.refusal = await send(trip))
      for (;;) {
        const mustDepart = trip.hasWaited || trip.refusal
        if (mustDepart && !(await depart(trip))) return trip.refusal!
        const response = await transmit(trip)
        trip.refusal = response
        if (trip.hasPlace) leave(trip)
        const deciding = decide(trip, response)
        const verdict = typeof deciding === 'string' ? deciding : await deciding
        const acting = act(trip, verdict)
        const next = typeof acting === 'string' ? acting : await acting
        if (next === 'deliver') return response
      }
    } catch (error) {
      failure = { error }
      throw error
    } finally {
      if (trip.hasPlace) leave(trip)
      request.release()
      trip.end()
      traceEnd(events, trip, failure)
    }
  }

  return (input, init) => {
    const isOptedOut = init?.session === false || reentrance.isBackendAsking
    if (!isOptedOut && isAllowed(input)) return travel(input, init ?? NO_INIT)
    const response = (init?.[transportKey] ?? runtime.fetch)(input, init)
    if (lookForForgotten && init?.session !== false) response.then(lookForForgotten, () => {})
    if (!isOptedOut && events.isHeard('trace')) traceForeign(events.trace, [input, init], runtime.base(), response)
    return response
  }
}
