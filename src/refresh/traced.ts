// What traces tell of a talk with the server: that it began, and how it ended.

import type { Context } from '../context.ts'
import { messageOf, SessionEndedError, SessionError, StepUpRequiredError } from '../errors.ts'
import type { ExchangeOutcome } from '../seam/trace.ts'
import type { SessionRecord } from '../state/record.ts'
import type { CoreOperation, Exchanged, News } from './operation.ts'

interface Outcome<U> extends Exchanged<unknown> {
  readonly news?: News<U>
}

/** Carries out `work`. Where nobody listens, nothing else. @param record With the attempt in it, if there is one. */
export function traced<U, C, A, O extends Outcome<U>>(
  { events, runtime, store }: Pick<Context<U, C>, 'events' | 'runtime' | 'store'>,
  operation: CoreOperation<U, A>,
  record: SessionRecord | null,
  work: () => Promise<O | number>,
): Promise<O | number> {
  if (!events.isHeard('trace')) return work()
  const { name } = operation
  const { mono } = runtime.clock
  const startedAt = mono()
  const attempt = record?.attempt ?? null
  const { heldRequests: waiting, tokenNumber: token } = store
  // Only a refresh has one.
  const reason = record ? operation.reason?.(record) : undefined
  if (reason) events.trace('refresh-start', { attempt, reason, token, waiting })
  else events.trace('exchange-start', { operation: name })

  function tellEnd(outcome: ExchangeOutcome): void {
    const ms = mono() - startedAt
    if (reason) events.trace('refresh-end', { ...outcome, attempt, ms, waiting: store.heldRequests })
    else events.trace('exchange-end', { ...outcome, operation: name, ms })
  }

  function outcomeOf(result: O | number): ExchangeOutcome {
    if (typeof result === 'number') return { outcome: 'postponed' }
    const [stored = null, source] = result.news ?? []
    const number = store.numberOf(stored)
    if (source === 'other-tab') return { outcome: 'adopted', token: number, source: store.sourceOf(stored) }
    if (!reason) return { outcome: 'done', token: number }
    if (source === 'server') return { outcome: 'refused', reason: stored!.record.reason }
    return { outcome: 'renewed', token: number }
  }

  const working = work()
  working.then(
    (result) => tellEnd(outcomeOf(result)),
    (error: unknown) => tellEnd(failureOf(error)),
  )
  return working
}

function failureOf(error: unknown): ExchangeOutcome {
  if (error instanceof StepUpRequiredError) return { outcome: 'refused', reason: 'step-up' }
  if (error instanceof SessionEndedError) return { outcome: 'refused', reason: error.reason }
  // What code of the app throws, such as a login function, may say anything.
  if (!(error instanceof SessionError))
    return { outcome: 'failed', code: 'ERR_CALLBACK', message: 'code of the app threw' }
  return { outcome: 'failed', code: error.code, message: messageOf(error) }
}
