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

export async function indexedDbRecords<U, S>({ get, key }: StoragePlace, open: OpenVault<U, S>): Promise<Records<U>> {
  const request = get('indexedDB')!.open('resesh', 1)
  request.onupgradeneeded = () => {
    request.result.createObjectStore('records')
    request.result.createObjectStore('keys')
  }
  const database = await done(request)
  database.onversionchange = () => database.close() // it is deleted or upgraded elsewhere

  async function transact<T>(place: string, mode: IDBTransactionMode, step: Step<T>): Promise<T | null | undefined> {
    const transaction = database.transaction(place, mode, { durability: 'strict' })
    const committed = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve()
      transaction.onabort = () => reject(transaction.error ?? new TypeError('The transaction was aborted'))
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
    async (fresh) => (await transact<CryptoKey>('keys', 'readwrite', (known, put) => known ?? put(fresh)))!,
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
      const row = await transact<Row<S>>('records', 'readonly', (found) => applyChange(found))
      if (!row) return null
      const { record, credentials } = row
      const leaving = row.leaving && (await unsealAll(row.leaving))
      try {
        return { record, credentials: credentials && (await vault.unseal(credentials)), leaving }
      } catch {
        return { record: { ...record, signedIn: false }, credentials: null, leaving } // the key is gone
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
