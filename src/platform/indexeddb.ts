// The record in IndexedDB, where it is ordered with the lock: what one holder wrote, the next one reads.

import type { Credentials } from '../core/credentials.ts'
import { isRecord, type Record } from '../core/record.ts'
import type { Records } from '../ports.ts'
import type { Globals } from './globals.ts'
import type { Sealed, Vault } from './vault.ts'

interface Row {
  readonly record: Record
  readonly sealed: Sealed | null
}

interface Connection<U> {
  readonly database: IDBDatabase
  readonly vault: Vault<U>
}

/** @param openVault Gets a place for its key, in the same database. */
export async function indexedDbRecords<U>(
  get: Globals,
  name: string,
  openVault: (keep: (fresh: CryptoKey) => Promise<CryptoKey>) => Promise<Vault<U>> | Vault<U>,
): Promise<Records<U>> {
  let connection = connect()
  let last: { id: string; credentials: Credentials<U> } | undefined
  await connection

  async function connect(): Promise<Connection<U>> {
    const request = get('indexedDB')!.open('resesh', 1)
    request.onupgradeneeded = () => {
      request.result.createObjectStore('records')
      request.result.createObjectStore('keys')
    }
    const database = await done(request)
    database.onversionchange = () => database.close() // somebody deletes or upgrades it
    const vault = await openVault((fresh) =>
      transact(database, 'keys', 'readwrite', async (keys) => {
        const known = await done<CryptoKey | undefined>(keys.get(name))
        if (!known) keys.put(fresh, name)
        return known ?? fresh
      }),
    )
    return { database, vault }
  }

  /** Once more where the database was closed under us. The next one may be a new one, with another key. */
  async function attempt<T>(work: (connection: Connection<U>) => Promise<T>): Promise<T> {
    const used = connection
    try {
      return await work(await used)
    } catch {
      if (connection === used) connection = connect()
      return work(await connection)
    }
  }

  async function unsealed(sealed: Sealed, vault: Vault<U>): Promise<Credentials<U>> {
    const id = 'id' in sealed ? sealed.id : sealed.iv.join()
    if (last?.id !== id) last = { id, credentials: await vault.unseal(sealed) }
    return last.credentials
  }

  return {
    read: () =>
      attempt(async ({ database, vault }) => {
        const row = await transact(database, 'records', 'readonly', (rows) => done<Row | undefined>(rows.get(name)))
        if (!isRecord(row?.record)) return null // nobody's, or another version's
        const { record, sealed } = row
        if (!sealed) return { record, credentials: null }
        try {
          return { record, credentials: await unsealed(sealed, vault) }
        } catch {
          return { record: { ...record, signedIn: false }, credentials: null } // nobody can read it any more
        }
      }),
    update: (change, credentials) =>
      attempt(async ({ database, vault }) => {
        const fresh = credentials ? await vault.seal(credentials) : credentials
        return transact(database, 'records', 'readwrite', async (rows) => {
          const old = await done<Row | undefined>(rows.get(name))
          const record = change(isRecord(old?.record) ? old.record : null)
          if (!record) return null
          if (fresh !== undefined) vault.put(fresh)
          const sealed = fresh === undefined ? (old?.sealed ?? null) : fresh
          rows.put({ record, sealed } satisfies Row, name)
          rows.transaction.commit() // a page that navigates at once must not lose it
          return record
        })
      }),
  }
}

async function transact<T>(
  database: IDBDatabase,
  store: string,
  mode: IDBTransactionMode,
  work: (store: IDBObjectStore) => Promise<T>,
): Promise<T> {
  const transaction = database.transaction(store, mode, { durability: 'strict' })
  const committed = new Promise<void>((resolve, reject) => {
    transaction.oncomplete = () => resolve()
    transaction.onabort = () => reject(transaction.error ?? new TypeError('The database gave up'))
  })
  const [result] = await Promise.all([work(transaction.objectStore(store)), committed])
  return result
}

const done = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error!)
  })
