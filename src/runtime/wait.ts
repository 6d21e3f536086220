// Waiting that a caller can leave: the signal frees that caller at once, the work itself goes on for the others.

import { RefreshTimeoutError } from '../errors.ts'
import type { Undo } from '../seam/io.ts'
import type { Clock } from './ports.ts'

interface Listeners {
  readonly runs: Set<Undo>
  readonly runAll: Undo
}

// One listener for all who wait with one signal: an app may hand the same signal to every request that it ever makes.
const listenersOf = new WeakMap<AbortSignal, Listeners>()

function onAbort(signal: AbortSignal, run: Undo): Undo {
  let listeners = listenersOf.get(signal)
  if (!listeners) {
    const runs = new Set<Undo>()
    listeners = { runs, runAll: () => runs.forEach((each) => each()) }
    listenersOf.set(signal, listeners)
  }
  const { runs, runAll } = listeners
  if (!runs.size) signal.addEventListener('abort', runAll)
  runs.add(run)
  return () => {
    if (runs.delete(run) && !runs.size) signal.removeEventListener('abort', runAll)
  }
}

/** As `work`, or rejects with the signal's reason as soon as it is aborted. No listener stays behind. */
export function abortable<T>(work: Promise<T>, signal: AbortSignal | null | undefined): Promise<T> {
  // Without a signal it takes as many turns as with one: callers who wait for the same go on in the order they came.
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(signal!.reason)
    if (signal?.aborted) abort()
    const stopListening = signal ? onAbort(signal, abort) : undefined
    void work.then(resolve, reject).then(stopListening)
  })
}

/** Until that many ms have passed. */
export const pause = ({ after }: Clock, ms: number): Promise<void> => new Promise((done) => void after(ms, done))

/** As `work`. @throws RefreshTimeoutError with this message, or the error that is given, once `ms` have passed. */
export function withTimeout<T>(
  work: Promise<T>,
  { after }: Clock,
  ms: number,
  late: string | (() => string | Error),
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const stopTimer = after(ms, () => {
      const told = typeof late === 'string' ? late : late()
      reject(typeof told === 'string' ? new RefreshTimeoutError(told) : told)
    })
    void work.then(resolve, reject).then(stopTimer)
  })
}

/** Whatever promise it is. */
export const isPromise = <T>(value: unknown): value is Promise<T> =>
  typeof (value as Promise<T> | undefined)?.then === 'function'
