// Does what the verdict says.

import type { Context } from '../context.ts'
import { StepUpRequiredError } from '../errors.ts'
import type { RequestRefresh } from '../refresh/queue.ts'
import { abortable } from '../runtime/wait.ts'
import type { Awaitable } from '../seam/io.ts'
import { isNewer } from '../state/record.ts'
import type { Verdict } from '../state/verdict.ts'
import type { Hooks } from './hooks.ts'
import type { Prepare } from './prepare.ts'
import type { RefusedRoutes } from './refused-routes.ts'
import type { Trip } from './trip.ts'
import type { Waiting } from './waiting.ts'

/** `deliver`: the caller gets the response. `send`: the request is sent again. */
export type Act<U, C> = (trip: Trip<U, C>, verdict: Verdict) => Awaitable<'deliver' | 'send'>

// For how long a token counts as right from a refresh. It is sent at once where it was waited for; later it may have died meanwhile.
const FRESH_MS = 300

export function createAct<U, C>(
  { runtime, store, events }: Context<U, C>,
  waiting: Waiting<U, C>,
  requestRefresh: RequestRefresh,
  refusedRoutes: RefusedRoutes,
  hooks: Hooks,
  { unblock }: Prepare<U, C>,
): Act<U, C> {
  function tellServed(trip: Trip<U, C>): Awaitable<'deliver'> {
    const telling = hooks.hasAny ? hooks.served(trip) : undefined
    return telling ? abortable(telling, trip.request.signal).then(() => 'deliver') : 'deliver'
  }

  /** Waits for the shared refresh. `deliver`: there was none, and none is to be had. */
  async function refresh(trip: Trip<U, C>): Promise<'deliver' | 'send'> {
    const { sentWith, sentAt } = trip
    const token = store.credentials?.accessToken
    try {
      const outcome = await waiting.untilRefreshed(trip)
      if (outcome === 'give-up') return 'deliver'
    } catch (error) {
      if (!(error instanceof StepUpRequiredError)) throw error
      return (await unblock(trip, error)) ? 'send' : 'deliver'
    }
    const hasSameToken = !!token && token === store.credentials?.accessToken
    // Credentials that another tab had got before this request was sent may be as dead by now, and so may those that came to
    // this tab late. Wall times are cut to the ms.
    const oldest = Math.max(sentAt - 1, runtime.clock.mono() - FRESH_MS)
    const isFresh = hasSameToken || store.receivedAtMono > oldest
    trip.wasRefreshed = isNewer(store.view.version, sentWith) && isFresh
    return 'send'
  }

  return (trip, verdict) => {
    if (events.isHeard('trace')) events.trace('decide', { id: trip.id, status: trip.refusal!.status, verdict })
    switch (verdict) {
      case 'served':
        refusedRoutes.remove(trip.request, trip.sentWith)
        return tellServed(trip)
      case 'deliver':
        return 'deliver'
      case 'refused-route':
        refusedRoutes.add(trip.request.route, trip.sentWith)
        return 'deliver'
      case 'refresh-behind':
        requestRefresh({ reason: 'expired' }).catch(() => {})
        return 'deliver'
      case 'refresh':
        return refresh(trip)
      case 'session-over':
      case 'replay':
        return 'send'
    }
  }
}
