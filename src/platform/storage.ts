// Where a session is kept: the kinds of storage, and what is done when one of them fails.

import type { Credentials } from '../core/credentials.ts'
import { isRecord, type Record } from '../core/record.ts'
import type { Awaitable, Records, Stored } from '../ports.ts'
import type { Globals } from './globals.ts'
import { indexedDbRecords } from './indexeddb.ts'
import { memoryRecords } from './memory.ts'
import { encryptedVault, localVault } from './vault.ts'

/** A storage of your own. Without `update` it serves one tab only. */
export interface SessionStorage {
  getItem(key: string): Awaitable<string | null>
  setItem(key: string, value: string): Awaitable<unknown>
  removeItem(key: string): Awaitable<unknown>
  /** An atomic compare-and-set: `change` gives the next value from the one that stands, `undefined` leaves it. */
  update?(key: string, change: (old: string | null) => string | null | undefined): Awaitable<boolean>
}

export type StorageKind = 'indexeddb' | 'memory' | 'local' | SessionStorage

const PATIENCE = 2_000

/** @param report Called once, when the storage fails: the session lives in memory from then on, never in plain text elsewhere. */
export function openRecords<U>(
  get: Globals,
  kind: StorageKind,
  name: string,
  report: (cause: unknown) => void,
): Records<U> {
  if (kind === 'memory') return memoryRecords()
  if (typeof kind === 'object') return sturdy(async () => ownRecords(kind, name), report)
  if (!get('indexedDB')) return memoryRecords() // not a page, or not one that may keep anything
  const open = (): Promise<Records<U>> =>
    indexedDbRecords(get, name, (keep) => (kind === 'local' ? localVault(get, name) : encryptedVault(get, keep)))
  const late = new Promise<never>((_, reject) => get('setTimeout')!(() => reject(new Error('No answer')), PATIENCE))
  late.catch(() => {})
  return sturdy(() => Promise.race([open(), late]), report)
}

/** What fails goes on in memory, from what was known last: the newest refresh token must not be lost in this tab. */
function sturdy<U>(open: () => Promise<Records<U>>, report: (cause: unknown) => void): Records<U> {
  let last: Stored<U> | null = null
  let failed: Records<U> | undefined
  const fail = (cause: unknown): Records<U> => {
    if (!failed) report(cause)
    return (failed ??= memoryRecords(last))
  }
  const opened = open().catch(fail)

  async function attempt<T>(work: (records: Records<U>) => Promise<T>): Promise<T> {
    try {
      return await work(failed ?? (await opened))
    } catch (cause) {
      return work(fail(cause))
    }
  }

  return {
    read: () => attempt(async (records) => (last = await records.read())),
    update: (change, credentials) =>
      attempt(async (records) => {
        const record = await records.update(change, credentials)
        if (record)
          last = { record, credentials: credentials === undefined ? (last?.credentials ?? null) : credentials }
        return record
      }),
  }
}

function ownRecords<U>(storage: SessionStorage, key: string): Records<U> {
  interface Value {
    record: Record
    credentials: Credentials<U> | null
  }
  const parse = (text: string | null): Value | null => {
    try {
      const value = JSON.parse(text ?? 'null') as Value | null
      return isRecord(value?.record) ? value : null
    } catch {
      return null // not ours
    }
  }
  let last: Promise<unknown> = Promise.resolve()

  async function changed(
    change: (old: Record | null) => Record | undefined,
    credentials?: Credentials<U> | null,
  ): Promise<Record | null> {
    let record: Record | undefined
    const step = (text: string | null): string | undefined => {
      const old = parse(text)
      record = change(old?.record ?? null)
      const kept = credentials === undefined ? (old?.credentials ?? null) : credentials
      return record && JSON.stringify({ record, credentials: kept } satisfies Value)
    }
    if (storage.update) return (await storage.update(key, step)) ? (record ?? null) : null
    const next = step(await storage.getItem(key))
    if (next) await storage.setItem(key, next)
    return record ?? null
  }

  return {
    read: async () => parse(await storage.getItem(key)),
    update(change, credentials) {
      // One after the other: without an update of its own the storage can't tell two of this tab apart.
      const turn = last.then(() => changed(change, credentials))
      last = turn.catch(() => {})
      return turn
    },
  }
}
