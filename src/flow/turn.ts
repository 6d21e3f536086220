// The turn to talk to the server about this session: one at a time, and nobody waits for ever.

import { RefreshTimeoutError } from '../errors.ts'
import type { Clock, Locks, Undo } from '../ports.ts'

/** Resolves with what ends the turn. @throws RefreshTimeoutError */
export type Acquire = () => Promise<Undo>

export function createAcquire(locks: Locks, clock: Clock, timeout: number): Acquire {
  return async () => {
    const patience = new AbortController()
    // A holder needs its timeout, and a little for storage; whoever waits longer waits for something that is stuck.
    const limit = 2 * timeout
    const stop = clock.after(limit, () =>
      patience.abort(new RefreshTimeoutError(`No turn to talk to the server within ${limit} ms`)),
    )
    try {
      return await locks.acquire(patience.signal)
    } finally {
      stop()
    }
  }
}
