// Waiting that a caller can leave: the signal frees that caller at once, the work itself goes on for the others.

import { RefreshTimeoutError } from './errors.ts'
import type { Clock, Undo } from './ports.ts'

interface Crowd {
  readonly members: Set<Undo>
  readonly tell: Undo
}

// One listener for all who wait with one signal: an app may hand the same one to every request it ever makes.
const crowds = new WeakMap<AbortSignal, Crowd>()

function onAbort(signal: AbortSignal, run: Undo): Undo {
  let crowd = crowds.get(signal)
  if (!crowd) {
    const members = new Set<Undo>()
    crowds.set(signal, (crowd = { members, tell: () => members.forEach((member) => member()) }))
  }
  const { members, tell } = crowd
  if (!members.size) signal.addEventListener('abort', tell)
  members.add(run)
  return () => {
    if (members.delete(run) && !members.size) signal.removeEventListener('abort', tell)
  }
}

/** As `work`, or rejects with the signal's reason as soon as it is aborted. No listener stays behind. */
export function orAborted<T>(work: Promise<T>, signal: AbortSignal | null | undefined): Promise<T> {
  // Without a signal it takes as many turns as with one: those who wait for the same go on in the order they came.
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(signal!.reason)
    if (signal?.aborted) abort()
    void work.then(resolve, reject).then(signal && onAbort(signal, abort))
  })
}

/** As `work`. @throws RefreshTimeoutError with this message once `ms` have passed. */
export function orLate<T>(work: Promise<T>, { after }: Clock, ms: number, message: string): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const stop = after(ms, () => reject(new RefreshTimeoutError(message)))
    void work.then(resolve, reject).then(stop)
  })
}
