// Where credentials lie, beside the record: encrypted under a key that no script can take out, or in localStorage, for all to
// read. The first keeps them out of dumps and away from casual scripts; it is no defence against script injection or the disk.

import type { Credentials } from '../core/credentials.ts'
import type { Globals } from './globals.ts'

/** What is stored in the row of the record. */
export type Sealed = { readonly iv: Uint8Array<ArrayBuffer>; readonly bytes: ArrayBuffer } | { readonly id: string }

export interface Vault<U> {
  /** Before the transaction: one that waits for anything but itself ends. */
  seal(credentials: Credentials<U>): Promise<Sealed>
  /** In the transaction, once it is decided that this is what the row holds; null: nothing. */
  put(sealed: Sealed | null): void
  /** @throws where it is gone. */
  unseal(sealed: Sealed): Promise<Credentials<U>>
}

const ALGORITHM = 'AES-GCM'

/** @param keep Stores this key, or gives the one that is stored already. */
export async function encryptedVault<U>(
  get: Globals,
  keep: (fresh: CryptoKey) => Promise<CryptoKey>,
): Promise<Vault<U>> {
  const crypto = get('crypto')!
  const { subtle } = crypto
  const key = await keep(await subtle.generateKey({ name: ALGORITHM, length: 256 }, false, ['encrypt', 'decrypt']))
  return {
    put() {},
    async seal(credentials) {
      const iv = crypto.getRandomValues(new Uint8Array(12))
      const text = new TextEncoder().encode(JSON.stringify(credentials))
      return { iv, bytes: await subtle.encrypt({ name: ALGORITHM, iv }, key, text) }
    },
    async unseal(sealed) {
      if (!('iv' in sealed)) throw new TypeError('Sealed by another kind of storage')
      const text = await subtle.decrypt({ name: ALGORITHM, iv: sealed.iv }, key, sealed.bytes)
      return JSON.parse(new TextDecoder().decode(text)) as Credentials<U>
    },
  }
}

// localStorage reaches other tabs a little later than the record does.
const TRIES = 20

export function localVault<U>(get: Globals, name: string): Vault<U> {
  const storage = get('localStorage')!
  const texts = new Map<string, string>()
  return {
    async seal(credentials) {
      const id = get('crypto')!.getRandomValues(new Uint32Array(4)).join() // randomUUID is for secure origins only
      texts.set(id, JSON.stringify({ id, credentials }))
      return { id }
    },
    put(sealed) {
      if (sealed && 'id' in sealed) storage.setItem(name, texts.get(sealed.id)!)
      else storage.removeItem(name)
      texts.clear()
    },
    async unseal(sealed) {
      for (let tries = 0; tries < TRIES; tries++) {
        const { id, credentials } = JSON.parse(storage.getItem(name) ?? '{}') as {
          id?: string
          credentials: Credentials<U>
        }
        if ('id' in sealed && id === sealed.id) return credentials
        await new Promise((done) => get('setTimeout')!(done, 5))
      }
      throw new TypeError('Cleared, or sealed by another kind of storage')
    },
  }
}
