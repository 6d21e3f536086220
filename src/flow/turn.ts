// The turn to talk to the server about this session: one at a time, and nobody waits for ever.

import { RefreshTimeoutError } from '../errors.ts'
import type { Clock, Locks } from '../ports.ts'

/** Runs `work` under the lock. @throws RefreshTimeoutError when its turn does not come. */
export type Turn = <T>(work: () => Promise<T>) => Promise<T>

export const createTurn =
  ({ acquire, after }: Locks & Clock, timeout: number): Turn =>
  async (work) => {
    const [stuck, late] = [new AbortController(), new AbortController()]
    // A holder needs no longer than its refresh; within one tab it needs a little for storage too.
    const stops = [
      after(timeout, () => stuck.abort()),
      after(2 * timeout, () => late.abort(new RefreshTimeoutError('Another refresh does not end'))),
    ]
    const release = await acquire(late.signal, stuck.signal).finally(() => stops.forEach((stop) => stop()))
    try {
      return await work()
    } finally {
      release()
    }
  }
