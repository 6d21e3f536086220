// What is written down of a call that may use up the refresh token: before it is sent, so that the next holder of the lock knows
// of an answer that nobody has seen; and after it has failed. An attempt holds a lock of its own all that while, by which other
// tabs tell whether anybody can still receive the answer.

import type { Context } from '../context.ts'
import { type RefreshFailedError, RefreshTimeoutError, StepUpRequiredError } from '../errors.ts'
import type { Stored } from '../runtime/ports.ts'
import { pause } from '../runtime/wait.ts'
import type { Undo } from '../seam/io.ts'
import { attemptChange, failureChange, mayWrite, reseedChange, type TokenFate } from '../state/changes.ts'
import { backoff, retryAfter } from '../state/expiry.ts'
import { type SessionRecord } from '../state/record.ts'
import { loseAnswer } from '../state/steps.ts'

/** What a tab that has got the lock finds. */
export interface Found<U> {
  readonly stored: Stored<U> | null
  /** Whether the lock keeps all other tabs out. */
  readonly isSole: boolean
  /** The record was cleared, and an attempt that nobody knows of may be under way: none before that wall time. 0: it is not so. */
  readonly notBefore: number
}

/** A call that may use up the refresh token. It is written down, and may be sent. */
export interface Attempt {
  readonly id: string
  readonly record: SessionRecord
  /** Whether it must not be sent any more: this page slept, or lost the lock, or the user has signed out. */
  isTooLate(): boolean
  /** Its answer is not written yet: the attempt does not end before `work` does. */
  keepOpenFor(work: Promise<unknown>): void
  /** Its outcome is written, or nobody can write it any more. */
  end: Undo
}

export interface Journal<U> {
  /** Under the lock: reads the record; where the storage was cleared, the tab that holds the newest credentials writes it anew. */
  look(): Promise<Found<U>>
  /** Another tab, which has the lock, has found the storage cleared: what this tab holds is written, where that is newer. */
  reseed(): Promise<SessionRecord | null>
  /** Answers null where another tab was quicker, or may be. @param wasSole As the lock was before. */
  begin(found: SessionRecord, wasSole: boolean): Promise<Attempt | null>
  /** Answers null where a sign-out, a sign-in or a later attempt came first. */
  fail(
    journal: SessionRecord,
    error: unknown,
    response: Response | undefined,
    isAutomatic: boolean,
  ): Promise<SessionRecord | null>
}

const attemptId = (generation: number, attempt: number): string => `${generation}.${attempt}`
// Other tabs have to open the storage again first.
const ANSWER_MS = 300

export function createJournal<U, C>({ runtime, backend, store, settings, events }: Context<U, C>): Journal<U> {
  const { clock, locks, records, channel } = runtime
  const { timeout, replayWindow } = settings
  const { cookies = false } = backend
  /** Monotonic ms at which this tab found the record cleared. */
  let clearedAt: number | null = null

  async function look(): Promise<Found<U>> {
    const isSole = locks.isSole()
    const stored = await records.read()
    if (store.isAhead(stored)) return lookAfterClear(stored, isSole)
    clearedAt = null
    return lookForSender(stored, isSole)
  }

  /** Who sent the attempt whose outcome is not written: nobody has to wait for a page that is gone. */
  async function lookForSender(stored: Stored<U> | null, isSole: boolean): Promise<Found<U>> {
    const found = { stored, isSole, notBefore: 0 }
    const { version, attempt, sent } = stored?.record ?? {}
    if (!sent?.deadline) return found
    const sender = await locks.findSender(attemptId(version!.generation, attempt!))
    // It holds the lock of the session as well: this tab has lost that lock, and is yet to hear of it.
    if (sender === 'in-turn') return { ...found, isSole: false }
    if (sender !== 'gone' || !sent.endsWithPage) return found
    // The outcome may have been written just before the lock was freed.
    const again = await records.read()
    const isSame = again?.record.attempt === attempt && again!.record.version.generation === version!.generation
    return { ...found, stored: isSame ? { ...again!, record: loseAnswer(again!.record) } : again }
  }

  /** What was written of an attempt is gone: a tab that still waits for its answer writes that answer first. */
  async function lookAfterClear(stored: Stored<U> | null, isSole: boolean): Promise<Found<U>> {
    const mayBeUnderWay = (await locks.findSender()).endsWith('turn')
    clearedAt ??= clock.mono()
    const left = clearedAt + timeout - clock.mono()
    if (mayBeUnderWay && left > 0) return { stored, isSole, notBefore: clock.now() + left }
    clearedAt = null
    // This tab may have missed the last refresh, and its refresh token be spent. Its turn has come, so that no refresh is under
    // way, and a tab that holds more can write it down now.
    if (channel.post('cleared')) await pause(clock, ANSWER_MS)
    await reseed()
    return { stored: await records.read(), isSole, notBefore: 0 }
  }

  async function reseed(): Promise<SessionRecord | null> {
    const { credentials, view, lifetime, receivedAtMono } = store
    if (!credentials) return null
    const now = clock.now()
    const receivedAt = now - clock.mono() + receivedAtMono
    const record = await records.update(reseedChange(view.version, receivedAt, lifetime, now), credentials)
    // A page that was opened after the clear has found nobody.
    if (record) channel.post('moved')
    return record
  }

  async function begin(found: SessionRecord, wasSole: boolean): Promise<Attempt | null> {
    const at = clock.now()
    const atMono = clock.mono()
    const id = attemptId(found.version.generation, found.attempt + 1)

    function isTooLate(): boolean {
      const isSignedOut = store.view.version.generation > found.version.generation
      // While this page slept, another tab may have used up the refresh token. Either clock may have stood still, or been set.
      const slept = Math.max(Math.abs(clock.now() - at), clock.mono() - atMono)
      const hasLostLock = locks.isSole() !== wasSole
      return isSignedOut || slept > timeout / 4 || hasLostLock
    }

    const release = await locks.holdAttempt(id)
    const open: Promise<unknown>[] = []
    const end = (): void => void Promise.allSettled(open).then(() => release?.())
    try {
      // With a cookie, the browser may still receive the answer after the page is gone.
      const change = attemptChange(found, at, timeout, !!release && !cookies)
      const record = await records.update(change)
      // Without a lock over all tabs, another tab may have written the record anew since, if that was cleared.
      const isStill = !!record && (wasSole || mayWrite((await records.read())?.record ?? null, record))
      if (isStill && !isTooLate()) return { id, record, isTooLate, keepOpenFor: (work) => void open.push(work), end }
    } catch (error) {
      end()
      throw error
    }
    end()
    return null
  }

  function fail(
    journal: SessionRecord,
    error: unknown,
    response: Response | undefined,
    isAutomatic: boolean,
  ): Promise<SessionRecord | null> {
    const at = clock.now()
    const isStepUp = error instanceof StepUpRequiredError
    // With a response that is no success, the server has refused, and the refresh token is as good as before.
    const wasRefused = isStepUp || response?.ok === false
    const maySpend = (error as RefreshFailedError).spent ?? !wasRefused
    // better-auth has the header with an X.
    const header = response?.headers.get('retry-after') ?? response?.headers.get('x-retry-after')
    const ordered = retryAfter(header, at, clock.random())
    const coolDown = isStepUp ? null : (failures: number): number => ordered || backoff(failures, clock.random())
    const fate = maySpend ? fateOf(error) : 'unused'
    const writing = records.update(failureChange(journal, at, fate, coolDown, !!ordered, isAutomatic))
    if (events.isHeard('trace'))
      writing.then(
        (record) => traceBackOff(record),
        () => {},
      )
    return writing
  }

  function traceBackOff(record: SessionRecord | null): void {
    if (record && record.coolUntil > clock.now()) events.trace('back-off', { until: record.coolUntil })
  }

  /** After the deadline a late answer is still taken. A cookie may be on its way though the call was broken off. */
  function fateOf(error: unknown): TokenFate {
    if (error instanceof RefreshTimeoutError) return 'unknown'
    // Where asking again uses nothing up, a cookie that comes home late is as good as the next one.
    return cookies && replayWindow < Infinity ? 'unknown' : 'lost'
  }

  return { look, reseed, begin, fail }
}
