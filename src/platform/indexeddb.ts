// The record in IndexedDB, where it is ordered with the lock: what one holder wrote, the next one reads.

import type { Credentials } from '../core/credentials.ts'
import type { Record } from '../core/record.ts'
import type { Records } from '../ports.ts'
import type { Globals } from './globals.ts'
import type { Sealed, Vault } from './vault.ts'

interface Row {
  readonly record: Record
  readonly sealed: Sealed | null
}

/** @param openVault Gets a place for its key, in the same database. */
export async function indexedDbRecords<U>(
  get: Globals,
  name: string,
  openVault: (keep: (fresh: CryptoKey) => Promise<CryptoKey>) => Promise<Vault<U>> | Vault<U>,
): Promise<Records<U>> {
  let database = await open()
  let last: { id: string; credentials: Credentials<U> } | undefined

  async function open(): Promise<IDBDatabase> {
    const request = get('indexedDB')!.open('resesh', 1)
    request.onupgradeneeded = () => {
      request.result.createObjectStore('records')
      request.result.createObjectStore('keys')
    }
    const opened = await done(request)
    opened.onversionchange = () => opened.close() // somebody deletes or upgrades it
    return opened
  }

  function begin(store: string, mode: IDBTransactionMode): IDBTransaction {
    return database.transaction(store, mode, { durability: 'strict' })
  }

  async function transact<T>(
    store: string,
    mode: IDBTransactionMode,
    work: (store: IDBObjectStore) => Promise<T>,
  ): Promise<T> {
    let transaction: IDBTransaction
    try {
      transaction = begin(store, mode)
    } catch {
      database = await open() // the browser had closed it
      transaction = begin(store, mode)
    }
    const committed = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve()
      transaction.onabort = () => reject(transaction.error ?? new TypeError('The database gave up'))
    })
    const [result] = await Promise.all([work(transaction.objectStore(store)), committed])
    return result
  }

  const vault = await openVault((fresh) =>
    transact('keys', 'readwrite', async (keys) => {
      const known = await done<CryptoKey | undefined>(keys.get(name))
      if (!known) keys.put(fresh, name)
      return known ?? fresh
    }),
  )

  async function unsealed(sealed: Sealed): Promise<Credentials<U>> {
    const id = 'id' in sealed ? sealed.id : sealed.iv.join()
    if (last?.id !== id) last = { id, credentials: await vault.unseal(sealed) }
    return last.credentials
  }

  return {
    async read() {
      const row = await transact('records', 'readonly', (rows) => done<Row | undefined>(rows.get(name)))
      if (row?.record?.layout !== 1) return null // nobody's, or another version's
      const { record, sealed } = row
      if (!sealed) return { record, credentials: null }
      try {
        return { record, credentials: await unsealed(sealed) }
      } catch {
        return { record: { ...record, signedIn: false }, credentials: null } // nobody can read it any more
      }
    },
    async update(change, credentials) {
      const fresh = credentials ? await vault.seal(credentials) : credentials
      return transact('records', 'readwrite', async (rows) => {
        const old = await done<Row | undefined>(rows.get(name))
        const record = change(old?.record?.layout === 1 ? old.record : null)
        if (!record) return null
        if (fresh !== undefined) vault.put(fresh)
        const sealed = fresh === undefined ? (old?.sealed ?? null) : fresh
        rows.put({ record, sealed } satisfies Row, name)
        rows.transaction.commit() // a page that navigates at once must not lose it
        return record
      })
    },
  }
}

const done = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error!)
  })
