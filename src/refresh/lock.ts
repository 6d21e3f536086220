// One talk with the server at a time, over all tabs, and no tab waits for ever.

import { RefreshTimeoutError, SessionDisposedError } from '../errors.ts'
import { failedBefore } from '../failures.ts'
import type { Runtime } from '../runtime/ports.ts'
import { pause } from '../runtime/wait.ts'
import { isForgiven, patienceLeft } from '../state/plan.ts'

/**
 * Runs `work` under the lock. Where `work` answers a number, that is a wall time before which nothing may be sent: the lock is
 * given back, and `work` runs again then.
 * @throws RefreshTimeoutError when the lock is not free in time, RefreshFailedError when that wall time is too far off.
 */
export type WithLock = <T>(work: () => Promise<T | number>) => Promise<T>

const POLL_MS = 250
// As a part of the timeout: from then on a holder has to show that its script goes on, where the server forgives a second use.
const EARLY = 1 / 5

/** @param lastFailure For messages. */
export function createLock(
  { clock, locks, records, channel, disposed }: Runtime<unknown>,
  timeout: number,
  replayWindow = 0,
  lastFailure: () => unknown = () => null,
): WithLock {
  const { after, now, mono, random } = clock
  const longestPatience = replayWindow ? timeout * EARLY : timeout
  channel.answerWhile(locks.isSole)

  async function lockedOnce<T>(work: () => Promise<T>): Promise<T> {
    const stuck = new AbortController()
    const late = new AbortController()
    // Within one tab a holder needs a little longer than its refresh, for the storage.
    const message = `No refresh could start within ${2 * timeout} ms: another refresh is still running. The session is kept.`
    const stops = [after(2 * timeout, () => late.abort(new RefreshTimeoutError(message)))]
    let isOver = false
    function stopAll(): void {
      isOver = true
      stops.forEach((stop) => stop())
    }
    let waitsSince = 0

    /** After `ms` this tab may take the lock from its holder; tabs do so one after the other, never from a fresh holder. */
    function startPatience(left: number): void {
      if (isOver) return
      const ms = Math.min(left, longestPatience)
      const stop = after(ms + (random() * longestPatience) / 10, () => void takeLockIfStuck())
      stops.push(stop)
    }

    async function takeLockIfStuck(): Promise<void> {
      const sent = (await records.read().catch(() => null))?.record.sent ?? null
      const left = patienceLeft(sent, now(), mono() - waitsSince, timeout)
      // A record of this tab alone does not tell since when the holder waits for an answer.
      const isLate = left <= 0 && locks.isJournalShared
      const mayBeStuck = left <= 0 || isForgiven(sent, now(), replayWindow)
      if (isLate || (mayBeStuck && !(await channel.isAnswered()))) stuck.abort()
      else startPatience(left > 0 ? left : timeout * EARLY)
    }

    function waitForTabs(): AbortSignal {
      waitsSince = mono()
      startPatience(timeout)
      return stuck.signal
    }

    const release = await locks.acquire(late.signal, waitForTabs).finally(stopAll)
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
      if (ms > 0) await pause(clock, Math.min(ms, POLL_MS))
      if (disposed.aborted) throw new SessionDisposedError()
    }
  }
}
