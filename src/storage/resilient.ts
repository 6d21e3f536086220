// What is done when a storage is slow, fails, or is taken away under the page.

import { RefreshFailedError } from '../errors.ts'
import type { Clock, Records, Stored } from '../runtime/ports.ts'
import { pause, withTimeout } from '../runtime/wait.ts'
import { reseatChange } from '../state/changes.ts'
import { signOutRenewedChange } from '../state/session-changes.ts'
import { isSendable } from '../state/credentials.ts'
import { memoryRecords } from './memory.ts'
import type { SessionStorage, StoragePlace } from './storage.ts'

// A tab that stands still, or a deletion that waits for such a tab, keeps a database from all other tabs. That is no failure:
// tabs that went on in memory would each spend the same refresh token.
const CALL_TIMEOUT_MS = 10_000
// A database that is closed or deleted under the page fails for a moment: it is tried again, at once and then after 80 ms,
// doubling.
const MAX_TRIES = 8
const MAX_FIRST_TRIES = 5
const PAUSE_MS = 20
const MAX_PROBE_MS = 60_000
/** What a database says that is closed, deleted, or about to be: the next try may work. */
const PASSING = /^(Abort|InvalidState|Unknown|TransactionInactive)Error$/

/**
 * - Slow or silent: callers wait, and are told after a while that it could not be found out.
 * - Taken away after it has worked: opened again, as often as it takes.
 * - Failed by itself, before it has ever worked: the session lives in memory, never in plain text elsewhere, and the storage is
 *   tried again from time to time.
 *
 * @param report Called once, when the session begins to live in memory.
 */
export function openRecords<U>(
  storage: SessionStorage,
  place: StoragePlace,
  clock: Clock,
  report: (cause: unknown) => void,
): Records<U> {
  const { mono } = clock
  let hasWorked = false
  let hasReported = false
  let isReseating = false
  let memory: Records<U> | null = null
  let failures = 0
  let retryAt = 0
  let opened = open()

  function open(): Promise<Records<U>> {
    const opening = (async () => reseat(await storage.open<U>(place)))()
    opening.catch(() => {}) // told to the call that waits for it
    return opening
  }

  /** The storage works again: what happened meanwhile in memory is written there, before any call is served from either. */
  async function reseat(records: Records<U>): Promise<Records<U>> {
    isReseating = true
    try {
      const held = await memory?.read()
      if (held) await records.update(reseatChange(held.record), held.credentials)
      for (const [text, credentials] of Object.entries(held?.leaving ?? {})) {
        const id = Number(text)
        await records.update(signOutRenewedChange(id), undefined, { id, credentials })
      }
      memory = null
      return records
    } finally {
      isReseating = false
    }
  }

  const attempt = <T>(work: (records: Records<U>) => Promise<T>): Promise<T> =>
    withTimeout(
      tryAgain(work),
      clock,
      CALL_TIMEOUT_MS,
      `The storage ${storage.name} does not answer. The session is kept.`,
    )

  async function tryAgain<T>(work: (records: Records<U>) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      if (memory && !isReseating && mono() < retryAt) return work(memory)
      const used = opened
      try {
        return await work(await used)
      } catch (cause) {
        if (opened === used) opened = open()
        if (memory || !mayPass(cause, tries)) return work(giveUp(cause))
        if (tries > 1) await pause(clock, PAUSE_MS * 2 ** tries)
      }
    }
  }

  const mayPass = (cause: unknown, tries: number): boolean =>
    tries < 2 || (hasWorked ? tries < MAX_TRIES : tries < MAX_FIRST_TRIES && PASSING.test((cause as Error)?.name))

  /** @throws RefreshFailedError where the storage has worked: other tabs may use it, and spend the same refresh token. */
  function giveUp(cause: unknown): Records<U> {
    if (hasWorked) throw new RefreshFailedError(`The storage ${storage.name} fails. The session is kept.`, { cause })
    if (!hasReported) report(cause)
    hasReported = true
    retryAt = mono() + Math.min(MAX_PROBE_MS, 1_000 * 2 ** failures++)
    memory ??= memoryRecords()
    return memory
  }

  return {
    read: () =>
      attempt(async ({ read }) => {
        const stored = withSendableTokens(await read())
        hasWorked ||= !memory && stored !== null
        return stored
      }),
    update: (change, credentials, leaving) =>
      attempt(async ({ update }) => {
        const record = await update(change, credentials, leaving)
        hasWorked ||= !memory && record !== null
        return record
      }),
  }
}

/** Other scripts of the origin may have written there: a token that can't stand in a header gets no further. */
function withSendableTokens<U>(stored: Stored<U> | null): Stored<U> | null {
  if (!stored?.credentials || isSendable(Object(stored.credentials))) return stored
  return { ...stored, record: { ...stored.record, signedIn: false }, credentials: null }
}
