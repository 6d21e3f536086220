// Waiting that a caller can leave: the signal frees that caller at once, the work itself goes on for the others.

import type { Clock } from './ports.ts'

/** As `work`, or rejects with the signal's reason as soon as it is aborted. No listener stays behind. */
export function orAborted<T>(work: Promise<T>, signal: AbortSignal | null | undefined): Promise<T> {
  if (!signal) return work
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort)
    void work.then(resolve, reject).then(() => signal.removeEventListener('abort', abort))
  })
}

/** As `work`, or rejects with what `late` makes once `ms` have passed. */
export function orLate<T>(work: Promise<T>, { after }: Clock, ms: number, late: () => unknown): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const stop = after(ms, () => reject(late()))
    void work.then(resolve, reject).then(stop)
  })
}
