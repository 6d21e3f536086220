// What happens by itself: the first restore, refreshing ahead, and healing whatever could not be found out. One thing at a
// time, one timer. Nothing is right only because a timer fired: requests look at the clock themselves.

import { AUTOMATIC } from '../core/record.ts'
import { aheadAt, backoff } from '../core/expiry.ts'
import { RefreshFailedError, SessionError } from '../errors.ts'
import type { Undo, World } from '../ports.ts'
import type { Emitter } from './events.ts'
import type { Flights } from './flights.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { Store } from './store.ts'

export type RefreshAhead = 'visible' | 'always' | 'never'

export interface Schedule {
  /** Something changed: the timer is set anew. */
  arm(): void
  stop(): void
}

interface Parts<U, C> {
  world: World<U>
  store: Store<U, C>
  events: Emitter<U, C>
  flights: Flights
  lifecycle: Lifecycle<U>
  refreshAhead: RefreshAhead
  leeway: number
}

export function createSchedule<U, C>(parts: Parts<U, C>): Schedule {
  const { world, store, events, flights, lifecycle, refreshAhead, leeway } = parts
  const { clock, page } = world
  let failures = 0
  let isBusy = false
  let isStopped = false
  let disarm: Undo = () => {}
  let jitter = clock.random()

  const mayAhead = (): boolean => refreshAhead === 'always' || (refreshAhead === 'visible' && page.isVisible())

  /** ms until there is something to do; null: nothing. */
  function due(): number | null {
    if (failures) return backoff(failures, clock.random())
    const { status, stale } = store.state
    if (status === 'loading') return 0
    if (stale) return backoff(1, clock.random())
    const left = store.remaining()
    if (status !== 'authenticated' || left === null || left <= 0 || !mayAhead()) return null
    const life = store.life!
    return Math.max(0, aheadAt(life, leeway, jitter) - (life - left))
  }

  function arm(): void {
    disarm()
    if (isBusy || isStopped) return
    const ms = due()
    if (ms !== null) disarm = clock.after(ms, () => void work())
  }

  async function work(): Promise<void> {
    if (isBusy || isStopped) return
    isBusy = true
    try {
      const { status, stale } = store.state
      if (status === 'loading') await lifecycle.restore()
      else if (status === 'unauthenticated') await lifecycle.tellAgain()
      else await flights.request(AUTOMATIC, { reason: stale || failures ? 'healing' : 'ahead' })
      failures = 0
    } catch (cause) {
      failures++
      const error = cause instanceof SessionError ? cause : new RefreshFailedError('The platform failed', { cause })
      events.emit('error', { error })
    }
    jitter = clock.random()
    isBusy = false
    arm()
  }

  async function wake(): Promise<void> {
    try {
      await store.sync('other-tab')
    } catch {
      return // the timer tries again
    }
    if (failures || store.state.stale) void work()
    else arm()
  }

  const deafen = page.onWake(() => void wake())

  return {
    arm,
    stop() {
      isStopped = true
      disarm()
      deafen()
    },
  }
}
