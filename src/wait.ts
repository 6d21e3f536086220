// Waiting that a caller can leave: the signal frees that caller at once, the work itself goes on for the others.

import type { Clock } from './ports.ts'

/** As `work`, or rejects with the signal's reason as soon as it is aborted. The listener goes when either has happened. */
export function orAborted<T>(work: Promise<T>, signal: AbortSignal | null | undefined): Promise<T> {
  if (!signal) return work
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(signal.reason)
    const done = (): void => signal.removeEventListener('abort', abort)
    signal.addEventListener('abort', abort)
    work.then(resolve, reject).finally(done)
    if (signal.aborted) {
      done()
      abort()
    }
  })
}

/** As `work`, or rejects with what `late` makes once `ms` have passed. */
export function orLate<T>(work: Promise<T>, clock: Clock, ms: number, late: () => unknown): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const stop = clock.after(ms, () => reject(late()))
    work.then(resolve, reject).finally(stop)
  })
}

export const sleep = (clock: Clock, ms: number): Promise<void> => new Promise((done) => clock.after(ms, done))
