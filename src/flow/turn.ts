// The turn to talk to the server about this session: one at a time, and nobody waits for ever.

import { RefreshFailedError, RefreshTimeoutError } from '../errors.ts'
import type { Clock, Locks, Records } from '../ports.ts'

/**
 * Runs `work` under the lock. Where that answers a number, it is a wall time: another turn then, since nothing may be sent before.
 * @throws RefreshTimeoutError when its turn does not come, RefreshFailedError when that time is too far off.
 */
export type Turn = <T>(work: () => Promise<T | number>) => Promise<T>

const GLANCE = 250

export function createTurn(
  { acquire, after, now, random, read, life }: Locks & Clock & Records<unknown> & { life: AbortSignal },
  timeout: number,
): Turn {
  async function once<T>(work: () => Promise<T>): Promise<T> {
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

  return async (work) => {
    for (;;) {
      const said = await once(work)
      if (typeof said !== 'number') return said
      const ms = said - now()
      if (ms > timeout) throw new RefreshFailedError(`No refresh for another ${Math.ceil(ms / 1000)} s`)
      // Not all of it in one go: whoever is waited for may be done long before its deadline.
      if (ms > 0) await new Promise<void>((done) => after(Math.min(ms, GLANCE), done))
      if (life.aborted) throw new RefreshFailedError('The session was disposed of')
    }
  }
}
