// The server has answered, and the storage fails: what the server gave can't be had again. The tab goes on with it, and writes it
// down as soon as the storage works.

import type { Context } from '../context.ts'
import { abortable, pause } from '../runtime/wait.ts'
import type { Commit } from '../seam/extension.ts'
import { retriedChange } from '../state/changes.ts'
import { backoff } from '../state/expiry.ts'
import type { SessionRecord } from '../state/record.ts'

/** Answers once it is written, or came too late; or once the session is disposed. @param before The record that was asked with. */
export type WriteLater<U> = (commit: Commit<U>, before: SessionRecord) => Promise<void>

export function createLateWrite<U, C>({ runtime }: Context<U, C>): WriteLater<U> {
  const { clock, records, channel, disposed } = runtime

  return async ({ change, credentials }, before) => {
    const retried = retriedChange(change, before.version)
    for (let failures = 1; ; failures++) {
      try {
        await abortable(pause(clock, backoff(failures, clock.random())), disposed)
        await records.update(retried, credentials)
        channel.post('moved')
        return
      } catch {
        if (disposed.aborted) return
      }
    }
  }
}
