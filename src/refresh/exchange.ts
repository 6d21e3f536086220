// All talk with the server about the session, in one order: lock → read → plan → journal → call → fenced commit → publish.
// The lock lets one talk happen at a time; the fence in the record decides who may commit, whatever became of the lock. What is
// said, and what an answer changes, is in the operations: refresh, restore, sign-in, sign-out, side token.

import type { Context } from '../context.ts'
import { InvalidTokenError, sentenceOf, RefreshFailedError, RefreshTimeoutError, SessionEndedError } from '../errors.ts'
import { gaveUp, isTransient } from '../failures.ts'
import type { Stored } from '../runtime/ports.ts'
import type { Commit, Sending } from '../seam/extension.ts'
import type { Credentials } from '../state/credentials.ts'
import { signOutRenewedChange } from '../state/session-changes.ts'
import { type Receipt, receivedFromApp } from '../state/expiry.ts'
import type { SessionRecord } from '../state/record.ts'
import type { Call, CallBackend } from './call.ts'
import type { Attempt, Journal } from './journal.ts'
import type { WriteLater } from './late-write.ts'
import type { WithLock } from './lock.ts'
import type { CoreOperation, Exchange, Exchanged, News, SignOutOperation } from './operation.ts'
import { traced } from './traced.ts'

interface Outcome<U, A> extends Exchanged<A> {
  readonly news?: News<U>
}

type Asking<U, A> = Promise<Outcome<U, A> | number>

type Written<U> = { isRefused?: true; news?: News<U> }

export function createExchange<U, C>(
  context: Context<U, C>,
  withLock: WithLock,
  journal: Journal<U>,
  callBackend: CallBackend<U>,
  signOutOperation: SignOutOperation<U>,
  writeLater: WriteLater<U>,
): Exchange<U> {
  const { runtime, store, events, settings } = context
  const { clock, records } = runtime
  const { replayWindow } = settings

  /** The record does not know yet that the user has signed out, and no other session has begun since. */
  const isOver = <A>(operation: CoreOperation<U, A>, found: Stored<U> | null): boolean =>
    !!store.writeSignOut && !store.credentials && operation.maySpend(found?.credentials ?? null)

  async function talk<A>(operation: CoreOperation<U, A>): Asking<U, A> {
    const { stored: found, isSole, notBefore } = await journal.look()
    if (notBefore && operation.maySpend(store.credentials)) return notBefore
    // Without a lock over all tabs, the tab that has sent the last attempt may be about to write its answer.
    const plan = isOver(operation, found) ? 'adopt' : operation.plan(found, clock.now(), isSole ? replayWindow : 0)
    switch (plan) {
      case 'send':
        return begin(operation, found, isSole)
      case 'adopt':
        events.trace('adopt', { operation: operation.name, source: store.sourceOf(found) })
        return { plan, news: [found, 'other-tab'] }
      case 'give-up':
        events.trace('give-up', { operation: operation.name })
        if (found?.record.failures) throw gaveUp(operation.name, store.lastFailure)
        return { plan }
      case 'done':
        return { plan }
      default:
        if (plan > clock.now()) events.trace('back-off', { until: plan })
        return plan
    }
  }

  async function begin<A>(operation: CoreOperation<U, A>, found: Stored<U> | null, isSole: boolean): Asking<U, A> {
    if (operation.pendingSignOut && found?.record.signOuts[0]) {
      const telling = Promise.all(found.record.signOuts.map(({ id }) => talk(signOutOperation(id))))
      await (operation.pendingSignOut === 'required' ? telling : telling.catch(() => {}))
    }
    const held = found?.credentials ?? null
    if (!found || !operation.maySpend(held)) return send(operation, { record: found?.record ?? null, held })
    const attempt = await journal.begin(found.record, isSole)
    // Another tab was quicker, or may be: another look at the record says what is to be done now.
    return attempt ? send(operation, { record: attempt.record, held }, attempt) : clock.now()
  }

  const send = <A>(operation: CoreOperation<U, A>, sending: Sending<U>, attempt?: Attempt): Asking<U, A> =>
    traced(context, operation, sending.record, () => ask(operation, sending, attempt))

  async function ask<A>(operation: CoreOperation<U, A>, sending: Sending<U>, attempt?: Attempt): Asking<U, A> {
    const { record } = sending
    let checkpoint: Promise<News<U> | null> | undefined
    const call = startCall(operation, sending, attempt, (credentials) => {
      const commit = (operation.checkpoint ?? operation.commit)(credentials as never, sending, call.receipt())
      // Written at once: a page that dies before the rest is answered must not take the only refresh token with it.
      checkpoint = write(commit, sending, attempt).then(
        ({ news }) => news ?? null,
        () => null,
      )
    })
    try {
      const answer = await call.inTime
      note(operation, attempt, null)
      await checkpoint
      return await conclude(
        operation,
        await write(operation.commit(answer, sending, call.receipt()), sending, attempt),
        answer,
      )
    } catch (cause) {
      if (call.last.isUnsent) return clock.now()
      if (cause instanceof SessionEndedError && operation.end)
        return await conclude(operation, await write(operation.end(cause.reason, sending), sending, attempt))
      if (cause instanceof RefreshTimeoutError) attempt?.keepOpenFor(takeLateAnswer(operation, sending, call, attempt))
      const error = explain(cause, call, attempt)
      note(operation, attempt, error)
      const kept = await checkpoint
      if (kept && operation.isCheckpointEnough) return { plan: 'send', news: kept }
      if (kept) publish({ plan: 'send', news: kept })
      else if (attempt && (await isOvertaken(operation, record!, error, call))) return await planAgain(operation)
      throw error
    } finally {
      attempt?.end()
    }
  }

  /** Later errors tell what failed last. @param failure `null`: it worked. */
  function note<A>({ name }: CoreOperation<U, A>, attempt: Attempt | undefined, failure: unknown): void {
    const isAboutSession = !!attempt || name === 'restore'
    if (isAboutSession && isTransient(failure)) store.lastFailure = failure
  }

  function startCall<A>(
    operation: CoreOperation<U, A>,
    sending: Sending<U>,
    attempt: Attempt | undefined,
    checkpoint: (credentials: Credentials<U>) => void,
  ): Call<A> {
    if (operation.run) {
      const answer = operation.run()
      const receipt = (): Receipt => receivedFromApp(clock.now())
      return { answer, inTime: answer, last: { request: operation.name }, receipt }
    }
    return callBackend((io) => operation.call(io, sending), { attempt, checkpoint })
  }

  /** The fenced commit. `isRefused`: a sign-out, a sign-in or a later attempt came first. */
  async function write(
    commit: Commit<U> | undefined,
    { record: before }: Sending<U>,
    attempt?: Attempt,
  ): Promise<Written<U>> {
    if (!commit) return {}
    const { change, credentials } = commit
    const record = await records.update(change, credentials).catch((cause: unknown) => {
      const unwritten = attempt && credentials && before && change(before)
      if (!unwritten) throw cause
      attempt.keepOpenFor(writeLater(commit, before))
      return unwritten
    })
    if (record)
      return credentials === undefined ? {} : { news: [{ record, credentials }, credentials ? 'this-tab' : 'server'] }
    // Credentials that were just minted must not outlive a sign-out.
    if (credentials) await tellWith(credentials, before).catch(() => {})
    return { isRefused: true }
  }

  /** Tells the server of a sign-out that overtook an operation, with the credentials which that operation has brought. */
  async function tellWith(credentials: Credentials<U>, before: SessionRecord | null): Promise<void> {
    const id = before?.version.generation ?? null
    const record = await records.update(signOutRenewedChange(id), undefined, { id, credentials })
    const pending = id ?? record?.signOuts.at(-1)?.id
    if (pending !== undefined) await talk(signOutOperation(pending))
  }

  async function conclude<A>(
    operation: CoreOperation<U, A>,
    { isRefused, news }: Written<U>,
    answer?: A,
  ): Asking<U, A> {
    const outcome = { plan: 'send', answer } as const
    if (!isRefused || operation.ifRefused === 'keep-answer') return news ? { ...outcome, news } : outcome
    if (operation.ifRefused === 'plan-again') return planAgain(operation)
    return { ...outcome, news: [await records.read(), 'other-tab'] }
  }

  /** Another tab was quicker: what it has written may be enough. Else this operation waits for its turn again. */
  async function planAgain<A>(operation: CoreOperation<U, A>): Asking<U, A> {
    const stored = await records.read()
    // A record that was cleared is written anew on the next turn.
    const plan = stored && operation.plan(stored, clock.now(), replayWindow)
    return plan === 'adopt' ? { plan, news: [stored, 'other-tab'] } : clock.now()
  }

  function takeLateAnswer<A>(
    operation: CoreOperation<U, A>,
    sending: Sending<U>,
    { answer, receipt }: Call<A>,
    attempt: Attempt,
  ): Promise<void> {
    const { end } = operation
    const taken = answer.then(
      async (late) => write(operation.commit(late, sending, receipt()), sending, attempt),
      async (cause: unknown) =>
        write(cause instanceof SessionEndedError ? end?.(cause.reason, sending) : undefined, sending, attempt),
    )
    return taken.then(
      ({ news }) => news && publish({ plan: 'send', news }),
      () => {},
    )
  }

  /** Writes the failure down. True: another tab was quicker, and what it has written may be enough. */
  async function isOvertaken<A>(
    { isAutomatic = false, ifRefused }: CoreOperation<U, A>,
    record: SessionRecord,
    error: unknown,
    { last }: Call<A>,
  ): Promise<boolean> {
    const isWritten = await journal.fail(record, error, last.response, isAutomatic)
    return !isWritten && ifRefused === 'plan-again' && isTransient(error)
  }

  /** An answer that can't be used is a failure, and the refresh token is spent all the same. */
  function explain(cause: unknown, { last }: Call<unknown>, attempt: Attempt | undefined): unknown {
    if (!attempt || !(cause instanceof InvalidTokenError)) return cause
    const message = `${last.request}: ${sentenceOf(cause)} The session is kept.`
    return new RefreshFailedError(message, { cause, refusal: last.response, spent: true })
  }

  function publish<A>({ news }: Outcome<U, A>): void {
    if (news) store.adopt(...news)
  }

  return async (operation) => {
    const outcome = await withLock(() => talk(operation))
    // Outside the lock, since it calls listeners.
    publish(outcome.news && operation.present ? { ...outcome, news: operation.present(outcome.news) } : outcome)
    return { ...outcome, version: outcome.news?.[0]?.record.version }
  }
}
