// Tells the server of sign-outs, each until it was told: at once, or on back-off where the server was away, also once somebody else
// has signed in, and by the next page that finds them written down.

import type { Context } from '../context.ts'
import type { AnySessionError } from '../errors.ts'
import type { Undo } from '../seam/io.ts'
import { backoff } from '../state/expiry.ts'
import type { Exchange, SignOutOperation } from './operation.ts'

export interface Farewells {
  /** Never rejects: what could not be told now is told later. */
  tellAll(): Promise<void>
  /** Something changed: sets the timer, where there is something to tell. */
  arm(): void
}

export function createFarewells<U, C>(
  { runtime, store, events }: Context<U, C>,
  exchange: Exchange<U>,
  signOutOperation: SignOutOperation<U>,
): Farewells {
  const { clock, records, page, disposed } = runtime
  let failures = 0
  let isBusy = false
  let disarm: Undo | null = null

  /** Tells of each that is written down, or can be now. @throws what the last one failed with */
  async function tellEach(): Promise<void> {
    await store.writeSignOut?.()
    await tellWritten()
    // The storage was cleared before this tab had its turn.
    if (await store.rewriteSignOut?.()) await tellWritten()
    store.rewriteSignOut = null
  }

  async function tellWritten(): Promise<void> {
    const failed: unknown[] = []
    for (const { id } of (await records.read())?.record.signOuts ?? [])
      await exchange(signOutOperation(id)).catch((error: unknown) => failed.push(error))
    if (failed[0]) throw failed.at(-1)
  }

  async function tellAll(isRetry = false): Promise<void> {
    isBusy = true
    try {
      await tellEach()
      failures = 0
      store.hasUntoldSignOuts = false
    } catch (cause) {
      failures++
      store.hasUntoldSignOuts = true
      if (isRetry) events.emit('error', { error: cause as AnySessionError })
    }
    isBusy = false
    arm()
  }

  function retry(): void {
    disarm = null
    void tellAll(true)
  }

  function arm(): void {
    const isDue = store.hasUntoldSignOuts && !disposed.aborted
    if (!isDue) disarm?.()
    if (!isDue) disarm = null
    else if (!isBusy) disarm ??= clock.after(backoff(failures || 1, clock.random()), retry)
  }

  page.onWake(() => {
    if (!isBusy && store.hasUntoldSignOuts && !disposed.aborted) {
      disarm?.()
      retry()
    }
  })

  return { tellAll: () => tellAll(), arm }
}
