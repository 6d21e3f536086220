// What is done when a storage fails, or does not answer.

import type { Clock, Records, Stored } from '../runtime/ports.ts'
import { withTimeout } from '../runtime/wait.ts'
import { isSendable } from '../state/credentials.ts'
import { applyChange } from '../state/record.ts'
import { memoryRecords } from './memory.ts'
import type { SessionStorage, StoragePlace } from './storage.ts'

const OPEN_TIMEOUT_MS = 2_000
// A frozen tab can keep a database from all other tabs until it thaws. They must not take that for a failure and go on in
// memory, where each of them would spend the same refresh token.
const CALL_TIMEOUT_MS = 10_000

/**
 * A storage that fails is opened once more, since a database may be closed under the page. Then the session lives in memory,
 * never in plain text elsewhere, and goes on from what was known last: this tab must not lose the newest refresh token.
 *
 * @param report Called once, when it comes to that.
 */
export function openRecords<U>(
  storage: SessionStorage,
  place: StoragePlace,
  clock: Clock,
  report: (cause: unknown) => void,
): Records<U> {
  let last: Stored<U> | null = null
  let fallback: Records<U> | undefined
  let records = open()

  function fallBack(cause: unknown): Records<U> {
    if (!fallback) {
      report(cause)
      fallback = memoryRecords(last)
    }
    return fallback
  }

  function open(): Promise<Records<U>> {
    const opening = (async () => storage.open<U>(place))()
    return withTimeout(opening, clock, OPEN_TIMEOUT_MS, `${storage.name}: no answer`).catch(fallBack)
  }

  const attempt = <T>(work: (records: Records<U>) => Promise<T>): Promise<T> =>
    withTimeout(
      tryTwice(work),
      clock,
      CALL_TIMEOUT_MS,
      `The storage ${storage.name} does not answer. The session is kept.`,
    )

  async function tryTwice<T>(work: (records: Records<U>) => Promise<T>): Promise<T> {
    const used = records
    try {
      return await work(await used)
    } catch {
      if (records === used) records = open()
    }
    try {
      return await work(await records)
    } catch (cause) {
      records = Promise.resolve(fallBack(cause))
      return work(await records)
    }
  }

  async function read(opened: Records<U>): Promise<Stored<U> | null> {
    last = withSendableTokens(await opened.read())
    return last
  }

  return {
    read: () => attempt(read),
    update: (change, credentials, leaving) =>
      attempt(async ({ update }) => {
        const record = await update(change, credentials, leaving)
        if (record) last = applyChange(last, () => record, credentials, leaving)
        return record
      }),
  }
}

/** Other scripts of the origin may have written there: a token that can't stand in a header gets no further. */
function withSendableTokens<U>(stored: Stored<U> | null): Stored<U> | null {
  if (!stored?.credentials || isSendable(Object(stored.credentials))) return stored
  return { ...stored, record: { ...stored.record, signedIn: false }, credentials: null }
}
