// After a sleep of the machine, or a time without network, a connection may be dead, and nothing tells of it: no `close` comes
// until the system gives up on the connection, minutes later.

import { createPage } from '../../runtime/page.ts'
import type { Page, Runtime } from '../../runtime/ports.ts'

/** What has likely broken a connection. */
export type Break = 'sleep' | 'network'

const TICK_MS = 30_000
// Timers of a hidden page run once a minute. What stood still for longer was asleep, or frozen.
const MAX_GAP_MS = 120_000

/**
 * Until `signal` aborts, tells of each time that the page, the machine or the network comes back; with `null` where an open
 * connection should have come through.
 */
export function watchWake(
  { clock, get }: Pick<Runtime<unknown>, 'clock' | 'get'>,
  signal: AbortSignal,
  woken: (why: Break | null) => void,
): Pick<Page, 'isOnline'> {
  const page = createPage(get, signal)
  let seenAt = clock.mono()
  let stopTimer = (): void => {}

  function wasAsleep(): boolean {
    const now = clock.mono()
    const gap = now - seenAt
    seenAt = now
    return gap > MAX_GAP_MS
  }

  function tick(): void {
    stopTimer = clock.after(TICK_MS, () => {
      if (wasAsleep()) woken('sleep')
      tick()
    })
  }

  page.onWake((event) => woken(wasAsleep() ? 'sleep' : event === 'online' ? 'network' : null))
  signal.addEventListener('abort', () => stopTimer())
  tick()
  return page
}
