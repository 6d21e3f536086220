// Gathers the facts about a response, and asks for the verdict: first the extensions, then `isExpired`, then what the tab holds.

import type { Context } from '../context.ts'
import { abortable } from '../runtime/wait.ts'
import type { Awaitable } from '../seam/io.ts'
import { compareSent, type Facts, judge, type Verdict } from '../state/verdict.ts'
import { endOf } from '../state/view.ts'
import type { Guard, Hooks } from './hooks.ts'
import type { IsAllowed } from './origins.ts'
import type { RefusedRoutes } from './refused-routes.ts'
import type { Trip } from './trip.ts'
import type { SessionOver, Waiting } from './waiting.ts'
import { asksForStepUp } from './www-authenticate.ts'

/** Without a promise, as long as nobody who is asked answers with one and the response was not refused. */
export type Decide<U, C> = (trip: Trip<U, C>, response: Response) => Awaitable<Verdict>

type Word = Facts['extension']

export function createDecide<U, C>(
  { runtime, settings, store }: Context<U, C>,
  isAllowed: IsAllowed,
  waiting: Waiting<U, C>,
  refusedRoutes: RefusedRoutes,
  hooks: Hooks,
  guard: Guard,
): Decide<U, C> {
  const { isExpired, hasPredicate, replay } = settings

  function askExtensions(trip: Trip<U, C>, response: Response): Awaitable<Verdict> {
    const observing = trip.observed === response ? undefined : hooks.observe(trip)
    return observing ? observing.then(() => askJudges(trip, response)) : askJudges(trip, response)
  }

  function askJudges(trip: Trip<U, C>, response: Response): Awaitable<Verdict> {
    // A refusal of the caller's own credentials says nothing about the session.
    const word = trip.hasOwnAuthorization ? undefined : hooks.judge(trip)
    return word instanceof Promise ? afterWord(trip, response, word) : decideWith(trip, response, word)
  }

  async function afterWord(trip: Trip<U, C>, response: Response, asking: Promise<Word>): Promise<Verdict> {
    const untilDisposed = abortable(asking, runtime.disposed).catch(() => undefined)
    const word: Word | SessionOver = await waiting.untilOver(trip.started, trip.request.signal, untilDisposed)
    // The session of the request ended while an extension waited: on the way of a replay that is looked at first.
    if (word === 'session-over') return 'replay'
    return decideWith(trip, response, word)
  }

  function decideWith(trip: Trip<U, C>, response: Response, word: Word): Awaitable<Verdict> {
    if (word) return judge(factsOf(trip, word, false))
    const refusing = isRefused(trip, response)
    if (refusing instanceof Promise) return refusing.then((isIt) => (isIt ? decideRefused(trip) : 'served'))
    return refusing ? decideRefused(trip) : 'served'
  }

  /** Whether the response refuses the token of the session. A predicate of the app that throws has said nothing. */
  function isRefused(trip: Trip<U, C>, response: Response): Awaitable<boolean | undefined> {
    const { hasOwnAuthorization, request } = trip
    if (hasOwnAuthorization || asksForStepUp(response)) return false
    return guard('isExpired', () => isExpired(hasPredicate ? trip.response : response, request))
  }

  async function decideRefused(trip: Trip<U, C>): Promise<Verdict> {
    // With a cookie, a 401 says nothing as long as it is unknown who is signed in.
    if (waiting.mayWait(trip)) await waiting.untilKnown(trip)
    return judge(factsOf(trip, undefined, true))
  }

  function factsOf(trip: Trip<U, C>, extension: Word, isIt: boolean): Facts {
    const { request, hasSendsLeft, sentWith } = trip
    // The refusal of a token whose life is over says nothing about the route.
    const isSpent = store.isNearExpiry()
    return {
      isForeign: false,
      extension,
      isExpired: isIt,
      mayWait: waiting.mayWait(trip),
      sentWith: compareSent(store.view, sentWith),
      end: endOf(trip.started, store.view),
      wasRefreshed: trip.wasRefreshed && !(isSpent && hasSendsLeft),
      isRefusedRoute: !isSpent && refusedRoutes.has(request.route, sentWith),
      mayReplay: request.mayReplay(replay),
      hasSendsLeft,
      canReplay: request.canReplay,
    }
  }

  return (trip, response) => {
    // A redirect led to a stranger: nothing that is said there is about this session.
    if (response.redirected && !isAllowed(response.url)) return 'deliver'
    return hooks.hasAny ? askExtensions(trip, response) : decideWith(trip, response, undefined)
  }
}
