// Refreshes that callers share: one runs, others stand in line behind it. Here is decided who shares which one; a forced caller
// never joins the one that runs, since the server may have answered it before the caller's edit was stored.

import type { Context } from '../context.ts'
import { type AnySessionError, SessionDisposedError, StepUpRequiredError } from '../errors.ts'
import { isTransient } from '../failures.ts'
import type { RefreshIntent } from '../seam/io.ts'
import { requestReload } from '../state/changes.ts'
import { type Ask, findShared } from '../state/plan.ts'
import { isNewer, isSameSession, type Version } from '../state/record.ts'
import type { State } from '../state/view.ts'
import type { Exchange } from './operation.ts'
import { refreshOperation } from './refresh.ts'
import type { StepUpRefusal } from './step-up-refusal.ts'

/**
 * `give-up`: too many automatic refreshes cured nothing lately, so that none was sent. `other-session`: another session has begun
 * meanwhile, and nothing of it is known to be as fresh as a forced caller wants it.
 */
export type RefreshOutcome = 'done' | 'give-up' | 'other-session'

/** Resolves when a refresh that satisfies `ask` is committed and published. @throws SessionError */
export type RequestRefresh = (intent: RefreshIntent, ask?: Partial<Ask>) => Promise<RefreshOutcome>

interface QueuedRefresh<U, C> {
  forced: boolean
  reload: boolean
  readonly shareKey: string | undefined
  intent: RefreshIntent
  version: Version
  /** What the tab showed when the last caller asked: whose refresh it is. */
  of: State<U, C>
  /** The number of the last attempt when the last forced caller asked: only a later attempt is fresh for that caller. */
  attempt: number
  /** Reads that number. One read serves all callers of one moment, and begins after the last of them. */
  reading: Promise<void>
  isReadDue: boolean
  outcome: Promise<RefreshOutcome>
  settle(outcome: Promise<RefreshOutcome>): void
}

export function createQueue<U, C>(
  context: Context<U, C>,
  exchange: Exchange<U>,
  stepUpRefusal: StepUpRefusal,
): RequestRefresh {
  const { runtime, backend, store, events } = context
  const { records, disposed } = runtime
  const queue: QueuedRefresh<U, C>[] = []

  function enqueue(intent: RefreshIntent, { forced, reload, shareKey }: Ask): QueuedRefresh<U, C> {
    let settle!: QueuedRefresh<U, C>['settle']
    const outcome = new Promise<RefreshOutcome>((resolve) => (settle = resolve))
    outcome.catch(() => {}) // every caller may have left
    const reading = Promise.resolve()
    const { version, state } = store.view
    const queued = {
      forced,
      reload,
      shareKey,
      intent,
      version,
      of: state,
      attempt: 0,
      reading,
      isReadDue: false,
      outcome,
      settle,
    }
    queue.push(queued)
    return queued
  }

  async function start(queued: QueuedRefresh<U, C>): Promise<RefreshOutcome> {
    await Promise.resolve() // callers of the same moment share it
    await queued.reading
    if (disposed.aborted) throw new SessionDisposedError()
    const operation = refreshOperation(backend, store, queued, queued.intent)
    const { plan, version } = await exchange(operation)
    if (plan === 'give-up') return plan
    // It may have begun right after the answer was written, or while the caller was content with a part of the answer.
    const isOvertaken = !!version && !isSameSession(version, store.view.version)
    return queued.forced && (operation.isOfOther || isOvertaken) ? 'other-session' : 'done'
  }

  async function run(queued: QueuedRefresh<U, C>): Promise<void> {
    const wasFailing = store.lastFailure !== null
    const outcome = start(queued)
    await outcome.catch((error: unknown) => {
      learnFrom(queued, error)
      if (!wasFailing) tellEarly(queued, error)
    })
    queue.shift()
    if (queue[0]) void run(queue[0])
    queued.settle(outcome)
  }

  function learnFrom(queued: QueuedRefresh<U, C>, error: unknown): void {
    // What a switch was refused with says nothing about a plain refresh.
    if (error instanceof StepUpRequiredError && queued.shareKey === undefined) stepUpRefusal.remember(error)
    markStale(queued, error)
  }

  /** A refresh that is due has failed. Not where newer credentials have come since, nor where the old token is still good. */
  function markStale({ forced, intent, version }: QueuedRefresh<U, C>, error: unknown): void {
    const isDue = !forced && (intent.reason !== 'ahead' || store.isNearExpiry())
    if (isDue && isTransient(error) && !isNewer(store.view.version, version)) store.dispatch({ type: 'failing' })
  }

  /** Requests are held through more than one failure. The first is told at once: maybe it is one that no further try can cure. */
  function tellEarly({ forced, intent }: QueuedRefresh<U, C>, error: unknown): void {
    const isHolding = !forced && intent.reason === 'expired'
    if (isHolding && isTransient(error)) events.emit('error', { error: error as AnySessionError })
  }

  function markForced(queued: QueuedRefresh<U, C>, intent: RefreshIntent): void {
    queued.intent = intent
    if (queued.isReadDue) return
    queued.isReadDue = true
    queued.reading = queued.reading.then(() => readAttempt(queued))
    queued.reading.catch(() => {}) // the callers are told once it starts
  }

  async function readAttempt(queued: QueuedRefresh<U, C>): Promise<void> {
    queued.isReadDue = false
    const record = queued.reload ? await records.update(requestReload) : (await records.read())?.record
    // The record was cleared: nobody knows which attempt is under way, so that none of those will do.
    queued.attempt = record?.attempt ?? Infinity
  }

  return (intent, { forced = false, reload = false, shareKey } = {}) => {
    const refusal = stepUpRefusal.current
    if (refusal && !forced && shareKey === undefined) return Promise.reject(refusal)
    const ask = { forced, reload, shareKey }
    const place = findShared(queue, ask)
    const queued = queue[place] ?? enqueue(intent, ask)
    if (place > 0) {
      queued.forced ||= forced
      queued.reload ||= reload
    }
    if (isNewer(store.view.version, queued.version)) {
      queued.version = store.view.version
      queued.of = store.state
    }
    if (forced) markForced(queued, intent)
    const isFirst = place < 0 && queue.length === 1
    if (isFirst) void run(queued)
    return queued.outcome
  }
}
