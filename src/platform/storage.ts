// Where a session is kept: the kinds of storage, and what is done when one of them fails.

import { merge } from '../core/credentials.ts'
import { rowAfter } from '../core/record.ts'
import type { Clock, Records, Stored } from '../ports.ts'
import { orLate } from '../wait.ts'
import type { Globals } from './globals.ts'
import { indexedDbRecords } from './indexeddb.ts'
import { memoryRecords } from './memory.ts'
import type { SessionStorage } from './own.ts'
import { type Encrypted, encryptedVault } from './vault.ts'

export type StorageKind = 'indexeddb' | 'memory' | 'local' | SessionStorage

const PATIENCE = 2_000
// A frozen tab can keep a database from all others until it thaws. They must not take that for a failure and go on in memory,
// where each would spend the same refresh token.
const MOST_PATIENCE = 10_000

/**
 * What fails is opened once more, since a database may be closed under us. Then the session lives in memory, never in plain
 * text elsewhere, and goes on from what was known last: the newest refresh token must not be lost in this tab.
 *
 * @param report Called once, when it comes to that.
 */
export function openRecords<U>(
  get: Globals,
  kind: Exclude<StorageKind, 'memory'>,
  name: string,
  clock: Clock,
  report: (cause: unknown) => void,
): Records<U> {
  let last: Stored<U> | null = null
  let failed: Records<U> | undefined
  const fail = (cause: unknown): Records<U> => {
    if (!failed) report(cause)
    return (failed ??= memoryRecords(last))
  }
  // What only some apps choose is loaded by them alone. Should that fail, it is a storage that failed.
  const open = async (): Promise<Records<U>> => {
    if (typeof kind === 'object') return (await import('./own.ts')).ownRecords(kind, name, rowAfter)
    if (kind === 'local') return indexedDbRecords(get, name, (await import('./local.ts')).localVault<U>)
    return indexedDbRecords<U, Encrypted>(get, name, encryptedVault)
  }
  const opened = (): Promise<Records<U>> => orLate(open(), clock, PATIENCE, 'No answer').catch(fail)
  let records = opened()

  const attempt = <T>(work: (records: Records<U>) => Promise<T>): Promise<T> =>
    orLate(tryTwice(work), clock, MOST_PATIENCE, 'The storage does not answer')

  async function tryTwice<T>(work: (records: Records<U>) => Promise<T>): Promise<T> {
    const used = records
    try {
      return await work(await used)
    } catch {
      if (records === used) records = opened()
    }
    try {
      return await work(await records)
    } catch (cause) {
      records = Promise.resolve(fail(cause))
      return work(await records)
    }
  }

  return {
    read: () => attempt(async ({ read }) => (last = sound(await read()))),
    update: (change, credentials) =>
      attempt(async ({ update }) => {
        const record = await update(change, credentials)
        if (record) last = rowAfter(last, () => record, credentials)
        return record
      }),
  }
}

/** What lies in a storage may be anybody's: no token that can't stand in a header gets as far as one. */
function sound<U>(stored: Stored<U> | null): Stored<U> | null {
  try {
    if (stored?.credentials) merge(null, stored.credentials)
    return stored
  } catch {
    return stored && { record: { ...stored.record, signedIn: false }, credentials: null }
  }
}
