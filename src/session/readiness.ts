// May the session serve now? It may not while it is unknown who is signed in, while the page comes back from a sleep (another
// tab may have signed out meanwhile), and while the first session is being written down.

import type { Context } from '../context.ts'
import { sentenceOf, RefreshTimeoutError } from '../errors.ts'
import type { Stored } from '../runtime/ports.ts'
import { abortable, withTimeout } from '../runtime/wait.ts'

export interface Readiness {
  /** Set while nothing may be served, though a state is known. Its failure is that of the callers who wait. */
  readonly pending: Promise<unknown> | null
  /** Nothing is served until this work is done. */
  holdUntil(work: Promise<unknown>): void
  /** Resolves once nothing is pending, and it is known who is signed in. @throws RefreshTimeoutError, the signal's reason */
  untilReady(signal?: AbortSignal): Promise<void>
  /** Resolves once it is known who is signed in. @param caller For the message. @throws RefreshTimeoutError */
  untilKnown(caller: string): Promise<void>
  /** The page goes to sleep: nothing is served until the record was read again. */
  suspend(): void
  /** Reads the record again, and takes over what is newer. */
  sync(): Promise<void>
  /**
   * Those who wait to know who is signed in are told that asking leads nowhere.
   * @param isForGood Nobody asks any more: those who come later are told, too.
   */
  giveUp(cause: unknown, isForGood: boolean): void
}

/** @param rewrite Called where this tab finds less in the storage than it holds. */
export function createReadiness<U, C>(
  { runtime, store, settings, reentrance }: Context<U, C>,
  rewrite: () => void = () => {},
): Readiness {
  const { clock, records, disposed } = runtime
  const { timeout } = settings
  let begun: Promise<unknown> | null = null
  let asleep: { promise: Promise<void>; wake(): void; fail(cause: unknown): void } | null = null
  let syncing: Promise<void> | null = null
  let isHinted = false
  const waiting = new Set<(cause: unknown) => void>()
  /** Why nobody asks any more. */
  let end: { readonly cause: unknown } | null = null

  const known = new Promise<void>((resolve) => {
    const stop = store.onStep(() => {
      if (store.state.status === 'loading') return
      stop()
      resolve()
    })
  })

  /** However many hints come: one read at a time, and the last one begins after the last hint. */
  async function readAgain(): Promise<void> {
    while (isHinted && !disposed.aborted) {
      isHinted = false
      await records.read().then(takeOver, stayAsleep)
    }
    syncing = null
    asleep?.wake()
    asleep = null
  }

  function takeOver(found: Stored<U> | null): void {
    store.adopt(found, 'other-tab')
    if (store.isAhead(found)) rewrite()
  }

  function stillUnknown(caller: string): RefreshTimeoutError {
    const { lastFailure } = store
    const reason = lastFailure ? sentenceOf(lastFailure) : `There was no answer within ${timeout} ms.`
    const message = `${caller}: it is unknown who is signed in. ${reason} The session keeps asking.`
    return new RefreshTimeoutError(message, { cause: lastFailure ?? undefined })
  }

  /** It could not be found out what happened while the page slept: those who wait are told, and the record is read again. */
  function stayAsleep(cause: unknown): void {
    if (!asleep) return
    asleep.fail(cause)
    asleep = null
    suspend()
    isHinted = true
  }

  function suspend(): void {
    if (asleep) return
    let [wake, fail] = [(): void => {}, (_cause: unknown): void => {}]
    const promise = abortable(new Promise<void>((resolve, reject) => ([wake, fail] = [resolve, reject])), disposed)
    promise.catch(() => {})
    asleep = { promise, wake, fail }
  }

  async function untilKnown(caller: string): Promise<void> {
    if (store.state.status !== 'loading') return
    if (end) throw end.cause
    let stop!: (cause: unknown) => void
    const hopeless = new Promise<never>((_, reject) => (stop = reject))
    waiting.add(stop)
    const knownOrNever = Promise.race([known, hopeless])
    await withTimeout(abortable(knownOrNever, disposed), clock, timeout, () => stillUnknown(caller)).finally(() =>
      waiting.delete(stop),
    )
  }

  return {
    get pending() {
      return begun ?? asleep?.promise ?? null
    },
    holdUntil(work) {
      begun = work.finally(() => (begun = null))
      begun.catch(() => {})
    },
    async untilReady(signal) {
      const assertMayWait = reentrance.startCall('session')
      signal?.throwIfAborted()
      const pending = begun ?? asleep?.promise
      if (pending) await abortable(pending, signal)
      if (store.state.status !== 'loading') return
      assertMayWait()
      await abortable(untilKnown('session'), signal)
    },
    untilKnown,
    giveUp(cause, isForGood) {
      end = isForGood ? { cause } : null
      waiting.forEach((stop) => stop(cause))
    },
    suspend,
    sync() {
      isHinted = true
      syncing ??= readAgain()
      return syncing
    },
  }
}
