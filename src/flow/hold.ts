// What a request waits for before it goes out, or goes out again: an answer who is signed in, and the shared refresh.

import { isNewer } from '../core/record.ts'
import type { Tab } from '../core/transition.ts'
import { isTransient, QueueFullError, RefreshFailedError, RefreshTimeoutError } from '../errors.ts'
import type { Outgoing } from '../outgoing.ts'
import { orAborted, orLate } from '../wait.ts'
import type { Flights, Outcome } from './flights.ts'
import type { Parts } from './parts.ts'

export interface Hold<U, C> {
  /** Whether it would only meet a refusal, or go out bare for want of an answer that is on its way. */
  mustHold(request: Outgoing): boolean
  /** Until it is known who is signed in. @throws RefreshTimeoutError */
  known(request: Outgoing, id: number): Promise<void>
  /** Answers the session that the request belongs to. */
  held(request: Outgoing, id: number): Promise<Tab<U, C>>
  /** Waits for the shared refresh, through the failures that a short outage makes. */
  refreshed(request: Outgoing, id: number, isGoodYet?: () => boolean): Promise<Outcome>
}

const MOST_TRIES = 3
const MOST_HELD = 10_000

export function createHold<U, C>(parts: Parts<U, C> & { flights: Flights }): Hold<U, C> {
  const { world, backend, store, events, flights, timeout } = parts
  let holding = 0

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
    if (holding >= MOST_HELD) {
      work.catch(() => {}) // nobody waits for it
      throw new QueueFullError(`${route}: ${MOST_HELD} requests wait already`)
    }
    events.trace('hold', { id })
    holding++
    return orAborted(work, signal).finally(() => holding--)
  }

  async function known(request: Outgoing, id: number): Promise<void> {
    if (store.state.status !== 'loading') return
    const late = `${request.route}: it is unknown who is signed in`
    await waiting(orLate(store.ready, world, timeout, late), request, id)
  }

  async function held(request: Outgoing, id: number): Promise<Tab<U, C>> {
    await known(request, id)
    const { tab } = store
    if (mustHold(request)) await refreshed(request, id, () => store.remaining() > 0)
    return tab
  }

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

  return { mustHold, known, held, refreshed }
}
