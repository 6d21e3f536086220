// The server has answered, and the storage fails: what the server gave can't be had again. The tab goes on with it, and writes it
// down as soon as the storage works.

import type { Context } from '../context.ts'
import { abortable } from '../runtime/wait.ts'
import type { Commit } from '../seam/extension.ts'
import { backoff } from '../state/expiry.ts'
import { type Change, isNewer, type SessionRecord } from '../state/record.ts'

/** Answers once it is written, or came too late; or once the session is disposed. @param before The record that was asked with. */
export type WriteLater<U> = (commit: Commit<U>, before: SessionRecord) => Promise<void>

export function createLateWrite<U, C>({ runtime }: Context<U, C>): WriteLater<U> {
  const { clock, records, channel, disposed } = runtime

  return async ({ change, credentials }, before) => {
    // A write that was given up may have happened all the same.
    const once: Change = (old) => (old && isNewer(old.version, before.version) ? undefined : change(old))
    for (let failures = 1; ; failures++) {
      const pause = new Promise<void>((done) => clock.after(backoff(failures, clock.random()), done))
      try {
        await abortable(pause, disposed)
        await records.update(once, credentials)
        channel.post('moved')
        return
      } catch {
        if (disposed.aborted) return
      }
    }
  }
}
