// What is written down of a call that may use up the refresh token: before it is sent, so that the next holder of the lock knows
// of an answer that nobody has seen; and after it has failed.

import type { Context } from '../context.ts'
import { type RefreshFailedError, StepUpRequiredError } from '../errors.ts'
import type { Stored } from '../runtime/ports.ts'
import { attemptChange, failureChange, reseedChange } from '../state/changes.ts'
import { backoff, retryAfter } from '../state/expiry.ts'
import { isNewer, type SessionRecord } from '../state/record.ts'

export interface Journal<U> {
  /** Under the lock: what is stored; where the storage was cleared, written anew by the tab that holds the newest credentials. */
  readOrReseed(): Promise<Stored<U> | null>
  /** Another tab, which has the lock, has found the storage cleared: what this tab holds is written, where that is newer. */
  reseed(): Promise<SessionRecord | null>
  /** Answers null where another tab was quicker. */
  begin(found: SessionRecord): Promise<SessionRecord | null>
  /** Whether nothing may be sent any more, though it was journalled. @param wasSole As the lock was before. */
  isTooLateToSend(journal: SessionRecord, wasSole: boolean): boolean
  /** Answers null where a sign-out, a sign-in or a later attempt came first. */
  fail(
    journal: SessionRecord,
    error: unknown,
    response: Response | undefined,
    isAutomatic: boolean,
  ): Promise<SessionRecord | null>
}

// Other tabs have to open the storage again first.
const ANSWER_MS = 300

export function createJournal<U, C>({ runtime, store, settings }: Context<U, C>): Journal<U> {
  const { clock, locks, records, channel } = runtime
  const { timeout } = settings

  async function readOrReseed(): Promise<Stored<U> | null> {
    const found = await records.read()
    if (!mustReseed(found)) return found
    // This tab may have missed the last refresh, and its refresh token be spent. Its turn has come, so that no refresh is under
    // way, and a tab that holds more can write it down now.
    if (channel.post('cleared')) await new Promise<void>((done) => clock.after(ANSWER_MS, done))
    await reseed()
    return records.read()
  }

  const mustReseed = (found: Stored<U> | null): boolean =>
    store.credentials !== null && (!found || isNewer(store.view.version, found.record.version))

  async function reseed(): Promise<SessionRecord | null> {
    const { credentials, view, lifetime, receivedAtMono } = store
    if (!credentials) return null
    const now = clock.now()
    const receivedAt = now - clock.mono() + receivedAtMono
    return records.update(reseedChange(view.version, receivedAt, lifetime, now), credentials)
  }

  function isTooLateToSend({ version, sent }: SessionRecord, wasSole: boolean): boolean {
    const isSignedOut = store.view.version.generation > version.generation
    // While this page slept, another tab may have used up the refresh token.
    const hasSlept = Math.abs(clock.now() - sent!.at) > timeout / 4
    const hasLostLock = locks.isSole() !== wasSole
    return isSignedOut || hasSlept || hasLostLock
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
    const pause = retryAfter(header, at, clock.random())
    const coolDown = isStepUp ? null : (failures: number): number => pause || backoff(failures, clock.random())
    return records.update(failureChange(journal, at, maySpend, coolDown, !!pause, isAutomatic))
  }

  return {
    readOrReseed,
    reseed,
    begin: (found) => records.update(attemptChange(found, clock.now(), timeout)),
    isTooLateToSend,
    fail,
  }
}
