// Sends a request that may begin a session by a cookie: under the lock of all tabs, so that no refresh is under way. The answer of
// a refresh that was sent with the old cookie would overwrite the new one, or clear it.

import type { Context } from '../context.ts'
import { SessionEndedError } from '../errors.ts'
import type { WithLock } from '../refresh/lock.ts'
import { abortable, withTimeout } from '../runtime/wait.ts'
import { endOf, isEndedByUser } from '../state/view.ts'
import type { Hooks } from './hooks.ts'
import type { Send } from './send.ts'
import type { Trip } from './trip.ts'

/** @throws RefreshTimeoutError where the lock is not free in time, SessionEndedError: nothing was sent. */
export type SendAlone<U, C> = (trip: Trip<U, C>) => Promise<Response>

export function createSendAlone<U, C>(
  { runtime, settings, store }: Context<U, C>,
  withLock: WithLock,
  send: Send<U, C>,
  hooks: Hooks,
): SendAlone<U, C> {
  /** What the answer says of the session is written before the lock is free. */
  async function sendAndObserve(trip: Trip<U, C>): Promise<Response> {
    trip.request.signal?.throwIfAborted() // its caller may have left while it waited
    runtime.disposed.throwIfAborted()
    follow(trip)
    const response = await send(trip)
    trip.refusal = response
    await hooks.observe(trip)
    trip.observed = response
    return response
  }

  /** A request that somebody sent who was signed in is not sent as another user. A login is for whoever is there. */
  function follow(trip: Trip<U, C>): void {
    const end = endOf(trip.started, store.view)
    if (trip.started.state.status === 'authenticated' && end && isEndedByUser(end)) throw new SessionEndedError(end)
    trip.started = store.view
  }

  return async (trip) => {
    let sending: Promise<Response> | undefined
    const locked = withLock(async () => {
      sending = sendAndObserve(trip)
      // A login that is not answered must not keep refreshes waiting for ever.
      await withTimeout(sending, runtime.clock, settings.timeout, 'unanswered').catch(() => {})
    })
    await abortable(locked, trip.request.signal)
    return sending!
  }
}
