// One talk with the server at a time, over all tabs, and no tab waits for ever.

import { failedBefore, RefreshTimeoutError, SessionDisposedError } from '../errors.ts'
import type { Runtime } from '../runtime/ports.ts'

/**
 * Runs `work` under the lock. Where `work` answers a number, that is a wall time before which nothing may be sent: the lock is
 * given back, and `work` runs again then.
 * @throws RefreshTimeoutError when the lock is not free in time, RefreshFailedError when that wall time is too far off.
 */
export type WithLock = <T>(work: () => Promise<T | number>) => Promise<T>

const POLL_MS = 250

/** @param lastFailure For messages. */
export function createLock(
  { clock, locks, records, disposed }: Runtime<unknown>,
  timeout: number,
  lastFailure: () => unknown = () => null,
): WithLock {
  const { after, now, random } = clock

  async function lockedOnce<T>(work: () => Promise<T>): Promise<T> {
    const stuck = new AbortController()
    const late = new AbortController()
    // Within one tab a holder needs a little longer than its refresh, for the storage.
    const message = `The lock of the session was not free within ${2 * timeout} ms: another refresh does not end. The session is kept.`
    const stops = [after(2 * timeout, () => late.abort(new RefreshTimeoutError(message)))]
    const stopAll = (): void => stops.forEach((stop) => stop())

    /** After `ms` this tab may take the lock from its holder; tabs do so one after the other, never from a fresh holder. */
    function startPatience(ms: number): AbortSignal {
      const jitter = (random() * timeout) / 10
      const stop = after(ms + jitter, () => void takeLockIfStuck())
      stops.push(stop)
      return stuck.signal
    }

    async function takeLockIfStuck(): Promise<void> {
      const stored = await records.read().catch(() => null)
      const left = (stored?.record.sent?.deadline ?? 0) - now()
      // Another tab took the lock meanwhile, and its own refresh is under way.
      if (left > 0 && left <= timeout) startPatience(left)
      else stuck.abort()
    }

    const release = await locks.acquire(late.signal, () => startPatience(timeout)).finally(stopAll)
    try {
      return await work()
    } finally {
      release()
    }
  }

  return async (work) => {
    for (;;) {
      const result = await lockedOnce(work)
      if (typeof result !== 'number') return result
      const ms = result - now()
      if (ms > timeout)
        throw failedBefore(
          `No refresh for another ${Math.ceil(ms / 1000)} s, since the last ones failed`,
          lastFailure(),
        )
      // In short steps: the attempt that is waited for may end long before its deadline.
      if (ms > 0) await new Promise<void>((done) => after(Math.min(ms, POLL_MS), done))
      if (disposed.aborted) throw new SessionDisposedError()
    }
  }
}
