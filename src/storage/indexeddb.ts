// The record in IndexedDB, where it is ordered with the lock: what one holder of the lock wrote, the next holder reads.

import type { Records } from '../runtime/ports.ts'
import { applyChange, type Row } from '../state/record.ts'
import type { Credentials } from '../state/credentials.ts'
import type { SessionStorage, StoragePlace } from './storage.ts'
import { encryptedVault, type OpenVault } from './vault.ts'

/**
 * Shared by all tabs, and there again after a reload. The tokens are encrypted under a key that no script can take out: that
 * keeps them out of dumps, and is no defence against script injection.
 */
export const indexedDb = (): SessionStorage => ({
  name: 'indexedDb',
  isShared: (get) => !!get('indexedDB'),
  open: <U>(place: StoragePlace) => indexedDbRecords(place, encryptedVault<U>),
})

/** What is found may be of another layout, or written by another script. */
type Step<T> = (found: T | undefined, put: (value: T) => T) => T | null | undefined

const STORES = ['records', 'keys']

/** @param version Left out: the one that is there. */
async function openDatabase(factory: IDBFactory, version?: number): Promise<IDBDatabase> {
  const request = factory.open('resesh', version)
  const missing = (): string[] => STORES.filter((name) => !request.result.objectStoreNames.contains(name))
  request.onupgradeneeded = () => missing().forEach((name) => request.result.createObjectStore(name))
  const database = await done(request)
  // Deleted or upgraded elsewhere, which would have to wait for this page: the next call opens it again.
  database.onversionchange = () => database.close()
  if (!missing().length) return database
  // Another script has opened a database of this name before it was made.
  database.close()
  return openDatabase(factory, database.version + 1)
}

export async function indexedDbRecords<U, S>({ get, key }: StoragePlace, open: OpenVault<U, S>): Promise<Records<U>> {
  const database = await openDatabase(get('indexedDB')!)

  async function transact<T>(place: string, mode: IDBTransactionMode, step: Step<T>): Promise<T | null | undefined> {
    const transaction = database.transaction(place, mode, { durability: 'strict' })
    const committed = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve()
      transaction.onabort = () => reject(transaction.error ?? new DOMException('Closed', 'AbortError'))
    })
    const values = transaction.objectStore(place)
    const stepped = done<T | undefined>(values.get(key)).then((found) =>
      step(found, (value) => {
        values.put(value, key)
        transaction.commit() // a page that navigates at once must not lose it
        return value
      }),
    )
    const [result] = await Promise.all([stepped, committed])
    return result
  }

  const vault = await open(
    get,
    key,
    async (isRight, own) =>
      (await transact<CryptoKey>('keys', 'readwrite', (known, put) => (isRight(known) ? known : put(own))))!,
  )

  /** What can't be read any more is left out. */
  async function unsealAll(sealed: { readonly [id: string]: S }): Promise<{ [id: string]: Credentials<U> }> {
    const all: { [id: string]: Credentials<U> } = {}
    for (const [id, each] of Object.entries(sealed)) {
      const credentials = await vault.unseal(each).catch(() => null)
      if (credentials) all[id] = credentials
    }
    return all
  }

  return {
    async read() {
      // The row is read again for each look: it may have moved on, and its old credentials never come.
      for (let looks = 1; ; looks++) {
        const row = await transact<Row<S>>('records', 'readonly', (found) => applyChange(found))
        if (!row) return null
        const { record, credentials } = row
        const leaving = row.leaving && (await unsealAll(row.leaving))
        const isLast = !vault.mayComeLate?.(looks)
        try {
          return { record, credentials: credentials && (await vault.unseal(credentials, isLast)), leaving }
        } catch {
          if (isLast) return { record: { ...record, signedIn: false }, credentials: null, leaving } // the key is gone
        }
        await vault.untilNews!(looks)
      }
    },
    async update(change, credentials, leaving) {
      const sealed = credentials && (await vault.seal(credentials))
      const sealedLeaving = leaving && { ...leaving, credentials: await vault.seal(leaving.credentials) }
      const row = await transact<Row<S>>('records', 'readwrite', (old, put) => {
        const next = applyChange(old, change, sealed, sealedLeaving)
        const isLess = Object.keys(old?.leaving ?? {}).some((id) => !next?.leaving?.[id])
        const mustPut = next && (sealed !== undefined || sealedLeaving || isLess)
        if (mustPut) vault.put?.(next.credentials, Object.values(next.leaving ?? {}))
        return next && put(next)
      })
      return row?.record ?? null
    },
  }
}

const done = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error!)
  })
