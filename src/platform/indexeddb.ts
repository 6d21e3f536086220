// The record in IndexedDB, where it is ordered with the lock: what one holder wrote, the next one reads.

import { type Row, rowAfter } from '../core/record.ts'
import type { Records } from '../ports.ts'
import type { Globals } from './globals.ts'
import type { OpenVault } from './vault.ts'

/** What is found may be of another version, or anybody's. */
type Step<T> = (found: T | undefined, put: (value: T) => T) => T | null | undefined

export async function indexedDbRecords<U, S>(get: Globals, name: string, open: OpenVault<U, S>): Promise<Records<U>> {
  const request = get('indexedDB')!.open('resesh', 1)
  request.onupgradeneeded = () => {
    request.result.createObjectStore('records')
    request.result.createObjectStore('keys')
  }
  const database = await done(request)
  database.onversionchange = () => database.close() // somebody deletes or upgrades it

  async function transact<T>(place: string, mode: IDBTransactionMode, step: Step<T>): Promise<T | null | undefined> {
    const transaction = database.transaction(place, mode, { durability: 'strict' })
    const committed = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve()
      transaction.onabort = () => reject(transaction.error ?? new TypeError('The database gave up'))
    })
    const values = transaction.objectStore(place)
    const stepped = done<T | undefined>(values.get(name)).then((found) =>
      step(found, (value) => {
        values.put(value, name)
        transaction.commit() // a page that navigates at once must not lose it
        return value
      }),
    )
    const [result] = await Promise.all([stepped, committed])
    return result
  }

  const vault = await open(
    get,
    name,
    async (fresh) => (await transact<CryptoKey>('keys', 'readwrite', (known, put) => known ?? put(fresh)))!,
  )

  return {
    async read() {
      const row = await transact<Row<S>>('records', 'readonly', (found) => rowAfter(found))
      if (!row) return null
      const { record, credentials } = row
      try {
        return { record, credentials: credentials && (await vault.unseal(credentials)) }
      } catch {
        return { record: { ...record, signedIn: false }, credentials: null } // nobody can read it any more
      }
    },
    async update(change, credentials) {
      const sealed = credentials && (await vault.seal(credentials))
      const row = await transact<Row<S>>('records', 'readwrite', (old, put) => {
        const next = rowAfter(old, change, sealed)
        if (next && sealed !== undefined) vault.put?.(sealed)
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
