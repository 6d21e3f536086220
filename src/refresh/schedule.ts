// What happens by itself: the first restore, refreshing ahead, and healing what could not be found out. One
// thing at a time, one timer. Nothing is right only because a timer fired: requests look at the clock themselves.

import type { Context } from '../context.ts'
import { type AnySessionError } from '../errors.ts'
import { isNoUrl, isWrongUrl } from '../failures.ts'
import { parseUrl } from '../parse-url.ts'
import type { Undo } from '../seam/io.ts'
import type { Readiness } from '../session/readiness.ts'
import { endCoolDown } from '../state/changes.ts'
import { backoff, leewayFor } from '../state/expiry.ts'
import { isSameSession } from '../state/record.ts'
import type { RequestRefresh } from './queue.ts'

export interface Schedule {
  /** Something changed: sets the timer anew. After news nothing is left to heal. */
  arm(isNews?: boolean): void
}

// Clients that signed in together must not refresh together for ever after.
const MAX_JITTER_MS = 15_000
// Nor may a client refresh all the time, where each token is as good as dead.
const MIN_INTERVAL_MS = 1_000

export function createSchedule<U, C>(
  { runtime, backend, settings, store, events }: Context<U, C>,
  readiness: Readiness,
  requestRefresh: RequestRefresh,
  restore: () => Promise<void>,
): Schedule {
  const { clock, records, page, disposed } = runtime
  let failures = 0
  let isBusy = false
  let isHopeless = false
  let disarm: Undo = () => {}
  let jitter = clock.random()

  /** ms until there is something to do; `null`: nothing. */
  function dueIn(): number | null {
    const { state } = store
    if (isHopeless) return null
    if (failures || state.stale) return backoff(failures || 1, clock.random())
    if (state.status === 'loading') return 0
    return state.status === 'authenticated' && mayRefreshAhead() ? aheadIn() : null
  }

  /** On a server a path leads nowhere: each try would fail in the same way, for as long as the server runs. */
  const leadsNowhere = (cause: unknown): boolean =>
    typeof backend.identity === 'object' && !parseUrl(backend.identity.endpoint, runtime.base()) && isNoUrl(cause)

  const mayRefreshAhead = (): boolean =>
    settings.refreshAhead === 'always' || (settings.refreshAhead === 'visible' && page.isVisible())

  /** ms until the token is to be refreshed, shortly before it expires; `null`: its expiry is unknown. */
  function aheadIn(): number | null {
    const { lifetime, receivedAtMono } = store
    if (lifetime === null || !store.canRefresh) return null
    const lead = leewayFor(lifetime, settings.leeway) + jitter * Math.min(MAX_JITTER_MS, lifetime / 4)
    return Math.max(0, store.remaining()! - lead, receivedAtMono + MIN_INTERVAL_MS - clock.mono())
  }

  function arm(isNews = false): void {
    disarm()
    if (isNews && store.state.status === 'authenticated') [failures, isHopeless] = [0, false]
    if (isBusy || disposed.aborted) return
    const ms = dueIn()
    if (ms !== null) disarm = clock.after(ms, () => void work())
  }

  /** Does what is due. @returns whether it brought anything. */
  async function doDue(): Promise<boolean> {
    const { view, receivedAtMono } = store
    const { status, stale } = store.state
    if (status === 'loading') await restore()
    else if (status === 'authenticated') {
      const outcome = await requestRefresh({ reason: stale ? 'healing' : 'ahead' })
      const isSame = isSameSession(view.version, store.view.version)
      return outcome !== 'give-up' && !(isSame && receivedAtMono === store.receivedAtMono)
    }
    return true
  }

  async function work(): Promise<void> {
    isBusy = true
    const { version } = store.view
    // News that brought no newer token, such as another user name, leave the refresh as due as before.
    const failed = failures + 1
    try {
      failures = (await doDue()) ? 0 : failed
    } catch (cause) {
      failures = version === store.view.version ? failures + 1 : 0
      store.lastFailure ??= cause
      isHopeless = leadsNowhere(cause)
      if (isWrongUrl(cause) || isHopeless) readiness.giveUp(cause, isHopeless)
      events.emit('error', { error: cause as AnySessionError })
    }
    jitter = clock.random()
    isBusy = false
    arm()
  }

  async function wake(why: string): Promise<void> {
    await readiness.sync()
    if (why === 'online') await records.update(endCoolDown)
    if (!isBusy && (failures || store.state.stale)) void work()
    else arm()
  }

  page.onWake((why) => void wake(why).catch(() => arm()))
  page.onSleep(readiness.suspend)

  return { arm }
}
