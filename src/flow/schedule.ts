// What happens by itself: the first restore, refreshing ahead, and healing whatever could not be found out. One thing at a
// time, one timer. Nothing is right only because a timer fired: requests look at the clock themselves.

import { backoff, leewayFor } from '../core/expiry.ts'
import type { AnySessionError } from '../errors.ts'
import type { Undo } from '../ports.ts'
import type { Flights } from './flights.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { Parts } from './parts.ts'

export type RefreshAhead = 'visible' | 'always' | 'never'

export interface Schedule {
  /** Something changed: the timer is set anew. After news nothing is left to heal. */
  arm(isNews?: boolean): void
  /** Something could not be done: it is tried again, on back-off. */
  failed(): void
}

interface ScheduleParts<U, C> extends Parts<U, C> {
  flights: Flights
  lifecycle: Lifecycle<U>
  refreshAhead: RefreshAhead
  leeway: number
}

// Clients that signed in together must not refresh together for ever after.
const LONGEST_JITTER = 15_000
// Nor refresh all the time, where each token is as good as dead.
const SHORTEST = 1_000

export function createSchedule<U, C>(parts: ScheduleParts<U, C>): Schedule {
  const { world, store, events, flights, lifecycle, turn, farewell, refreshAhead, leeway } = parts
  const { after, mono, random, update, isVisible } = world
  let failures = 0
  let isBusy = false
  let disarm: Undo = () => {}
  let jitter = random()

  /** ms until there is something to do; NaN: nothing. */
  function due(): number {
    const { life, state } = store
    if (failures || state.stale) return backoff(failures || 1, random())
    if (state.status === 'loading') return 0
    const mayAhead = refreshAhead === 'always' || (refreshAhead === 'visible' && isVisible())
    if (!mayAhead || life === null || state.status !== 'authenticated') return NaN
    const lead = leewayFor(life, leeway) + jitter * Math.min(LONGEST_JITTER, life / 4)
    return Math.max(0, store.remaining() - lead, store.bornAt + SHORTEST - mono())
  }

  function arm(isNews = false): void {
    disarm()
    if (isNews && store.state.status === 'authenticated') failures = 0
    const ms = isBusy || world.life.aborted ? NaN : due()
    if (ms >= 0) disarm = after(ms, () => void work())
  }

  async function work(): Promise<void> {
    isBusy = true
    let isVain = false
    const { version } = store.tab
    try {
      const { status, stale } = store.state
      if (status === 'loading') await lifecycle.restore()
      else if (status === 'unauthenticated') await turn(() => farewell())
      else {
        const outcome = await flights({ reason: stale ? 'healing' : 'ahead' })
        isVain = outcome === 'give-up' || version === store.tab.version
      }
      failures = isVain ? failures + 1 : 0
    } catch (cause) {
      failures = version === store.tab.version ? failures + 1 : 0
      events.emit('error', { error: cause as AnySessionError })
    }
    jitter = random()
    isBusy = false
    arm()
  }

  async function wake(why: string): Promise<void> {
    await store.sync()
    if (why === 'online')
      await update((old) => (old?.coolUntil && !old.isOrdered ? { ...old, coolUntil: 0 } : undefined))
    if (!isBusy && (failures || store.state.stale)) void work()
    else arm()
  }

  world.onWake((why) => void wake(why).catch(() => arm()))
  world.onSleep(store.doze)

  return {
    arm,
    failed() {
      if (store.state.status !== 'authenticated') failures++
      arm()
    },
  }
}
