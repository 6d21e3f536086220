// What is written down of a call that may spend the refresh token: before it is sent, so that a later holder of the lock knows
// of an answer that nobody saw; and when it has failed.

import { backoff, retryAfter } from '../core/expiry.ts'
import { isNewer, journalled, mayWrite, type Record, wasted } from '../core/record.ts'
import { type RefreshFailedError, StepUpRequiredError } from '../errors.ts'
import type { World } from '../ports.ts'
import type { Call } from './call.ts'

export interface Journal {
  /** Answers null where another tab was quicker. */
  begin(found: Record): Promise<Record | null>
  /** Answers null where a sign-out, a sign-in or a later attempt came first. */
  failed(journal: Record, error: unknown, seen: Call<unknown>['seen'], isForced: boolean): Promise<Record | null>
}

export const createJournal = <U>({ now, random, update }: World<U>, timeout: number): Journal => ({
  begin: (found) =>
    update((old) =>
      mayWrite(old, found) && !isNewer(old.version, found.version) ? journalled(old, now(), timeout) : undefined,
    ),

  failed(journal, error, { last }, isForced) {
    const at = now()
    const isStepUp = error instanceof StepUpRequiredError
    // Headers seen and no success: the server has refused, and the refresh token is as good as before.
    const isSpent = (error as RefreshFailedError).spent ?? (!isStepUp && last?.ok !== false)
    const said = last?.headers.get('retry-after') ?? last?.headers.get('x-retry-after') // better-auth has the X
    const pause = retryAfter(said, at, random())
    return update((old) => {
      if (!mayWrite(old, journal)) return undefined
      const next = { ...old, sent: isSpent ? old.sent : null }
      if (isStepUp) return next
      const failures = old.failures + 1
      const coolUntil = at + (pause || backoff(failures, random()))
      return { ...(isForced ? next : wasted(next, at)), failures, coolUntil, isOrdered: !!pause }
    })
  },
})
