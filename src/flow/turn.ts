// The turn to talk to the server about this session: one at a time, and nobody waits for ever.

import { RefreshTimeoutError } from '../errors.ts'
import type { Clock, Locks } from '../ports.ts'

/** Runs `work` under the lock. @throws RefreshTimeoutError when its turn does not come. */
export type Turn = <T>(work: () => Promise<T>) => Promise<T>

export const createTurn =
  ({ acquire, after }: Locks & Clock, timeout: number): Turn =>
  async (work) => {
    const patience = new AbortController()
    // A holder needs its timeout, and a little for storage; whoever waits longer waits for something that is stuck.
    const stop = after(2 * timeout, () => patience.abort(new RefreshTimeoutError('Another refresh does not end')))
    const release = await acquire(patience.signal).finally(stop)
    try {
      return await work()
    } finally {
      release()
    }
  }
