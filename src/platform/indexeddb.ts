// The record where it is ordered with the lock, and beside it the credentials, encrypted under a key that no script can take
// out: out of dumps and away from casual scripts, no defence against script injection or the disk.

import type { Credentials } from '../core/credentials.ts'
import type { Record } from '../core/record.ts'
import type { Records, Stored } from '../ports.ts'
import type { Globals } from './globals.ts'

interface Row {
  record: Record
  sealed: { iv: Uint8Array<ArrayBuffer>; bytes: ArrayBuffer } | null
}

const ALGORITHM = 'AES-GCM'

const done = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error!)
  })

/** @throws where there is no database, no `crypto.subtle`, or the key can't be kept. */
export async function indexedDbRecords<U>(get: Globals, name: string): Promise<Records<U>> {
  const crypto = get('crypto')!
  const { subtle } = crypto
  let database = await open()
  const key = await findKey()
  let last: { row: Row; credentials: Credentials<U> | null } | undefined

  async function open(): Promise<IDBDatabase> {
    const request = get('indexedDB')!.open('resesh', 1)
    request.onupgradeneeded = () => {
      request.result.createObjectStore('records')
      request.result.createObjectStore('keys')
    }
    const opened = await done(request)
    opened.onversionchange = () => opened.close() // another tab deletes or upgrades it
    return opened
  }

  /** Runs `work` in one transaction, on a fresh connection where the browser has closed the old one. */
  async function transact<T>(
    mode: IDBTransactionMode,
    work: (store: IDBObjectStore) => Promise<T>,
    store = 'records',
  ): Promise<T> {
    let transaction: IDBTransaction
    try {
      transaction = database.transaction(store, mode, { durability: 'strict' })
    } catch {
      database = await open()
      transaction = database.transaction(store, mode, { durability: 'strict' })
    }
    const committed = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve()
      transaction.onabort = () => reject(transaction.error!)
    })
    const [result] = await Promise.all([work(transaction.objectStore(store)), committed])
    return result
  }

  async function findKey(): Promise<CryptoKey> {
    const fresh = await subtle.generateKey({ name: ALGORITHM, length: 256 }, false, ['encrypt', 'decrypt'])
    return transact(
      'readwrite',
      async (keys) => {
        const known = await done<CryptoKey | undefined>(keys.get(name))
        if (!known) keys.put(fresh, name)
        return known ?? fresh
      },
      'keys',
    )
  }

  async function seal(credentials: Credentials<U>): Promise<Row['sealed']> {
    const iv = crypto.getRandomValues(new Uint8Array(12))
    const text = new TextEncoder().encode(JSON.stringify(credentials))
    return { iv, bytes: await subtle.encrypt({ name: ALGORITHM, iv }, key, text) }
  }

  async function unseal(row: Row): Promise<Stored<U> | null> {
    const { record, sealed } = row
    if (record?.layout !== 1) return null // of another version of this SDK, or nobody's
    if (!sealed) return { record, credentials: null }
    if (last?.row.record.version.generation === record.version.generation && same(last.row.sealed, sealed))
      return { record, credentials: last.credentials }
    try {
      const bytes = await subtle.decrypt({ name: ALGORITHM, iv: sealed.iv }, key, sealed.bytes)
      const credentials = JSON.parse(new TextDecoder().decode(bytes)) as Credentials<U>
      last = { row, credentials }
      return { record, credentials }
    } catch {
      return { record: { ...record, signedIn: false }, credentials: null } // the key is gone: nobody can read it any more
    }
  }

  return {
    async read() {
      const row = await transact('readonly', (records) => done<Row | undefined>(records.get(name)))
      return row ? unseal(row) : null
    },
    async update(change, credentials) {
      // Before the transaction: one that waits for anything but itself ends.
      const sealed = credentials ? await seal(credentials) : credentials
      return transact('readwrite', async (records) => {
        const old = await done<Row | undefined>(records.get(name))
        const record = change(old?.record.layout === 1 ? old.record : null)
        if (!record) return null
        records.put({ record, sealed: sealed === undefined ? (old?.sealed ?? null) : sealed } satisfies Row, name)
        return record
      })
    },
  }
}

const same = (a: Row['sealed'], b: Row['sealed']): boolean => !!a && !!b && a.iv.join() === b.iv.join()
