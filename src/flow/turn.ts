// The turn to talk to the server about this session: one at a time, and nobody waits for ever.

import { RefreshTimeoutError } from '../errors.ts'
import type { Clock, Locks, Records } from '../ports.ts'

/** Runs `work` under the lock. @throws RefreshTimeoutError when its turn does not come. */
export type Turn = <T>(work: () => Promise<T>) => Promise<T>

export const createTurn =
  ({ acquire, after, now, random, read }: Locks & Clock & Records<unknown>, timeout: number): Turn =>
  async (work) => {
    const [stuck, late] = [new AbortController(), new AbortController()]
    // Within one tab a holder needs a little longer than its refresh, for storage.
    const stops = [after(2 * timeout, () => late.abort(new RefreshTimeoutError('Another refresh does not end')))]
    // All who wait for another tab must not rob each other in a row: they lose patience one after the other, and rob nobody
    // whose own refresh has begun since.
    const wait = (ms: number): AbortSignal => {
      stops.push(
        after(ms + (random() * timeout) / 10, () => {
          void read()
            .catch(() => null)
            .then((stored) => {
              const left = (stored?.record.sent?.deadline ?? 0) - now()
              if (left > 0 && left <= timeout) wait(left)
              else stuck.abort()
            })
        }),
      )
      return stuck.signal
    }
    const release = await acquire(late.signal, () => wait(timeout)).finally(() => stops.forEach((stop) => stop()))
    try {
      return await work()
    } finally {
      release()
    }
  }
