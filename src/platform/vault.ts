// Where credentials lie, beside the record: encrypted under a key that no script can take out, or in localStorage, for all to
// read. The first keeps them out of dumps and away from casual scripts; it is no defence against script injection or the disk.

import type { Credentials } from '../core/credentials.ts'
import type { Globals } from './globals.ts'

/** `S` is what is stored in the row of the record. */
export interface Vault<U, S> {
  /** Before the transaction: one that waits for anything but itself ends. */
  seal(credentials: Credentials<U>): Promise<S>
  /** In the transaction, once it is decided that this is what the row holds; null: nothing. */
  put?(sealed: S | null): void
  /** @throws where it is gone, or sealed by another kind of storage. */
  unseal(sealed: S): Promise<Credentials<U>>
}

/** @param keep Stores this key, or gives the one that is stored already. */
export type OpenVault<U, S> = (
  get: Globals,
  name: string,
  keep: (fresh: CryptoKey) => Promise<CryptoKey>,
) => Promise<Vault<U, S>>

export interface Encrypted {
  readonly iv: Uint8Array<ArrayBuffer>
  readonly bytes: ArrayBuffer
}

const ALGORITHM = 'AES-GCM'

export async function encryptedVault<U>(
  ...[get, , keep]: Parameters<OpenVault<U, Encrypted>>
): Promise<Vault<U, Encrypted>> {
  const crypto = get('crypto')!
  const { subtle } = crypto
  const key = await keep(await subtle.generateKey({ name: ALGORITHM, length: 256 }, false, ['encrypt', 'decrypt']))
  return {
    async seal(credentials) {
      const iv = crypto.getRandomValues(new Uint8Array(12))
      const text = new TextEncoder().encode(JSON.stringify(credentials))
      return { iv, bytes: await subtle.encrypt({ name: ALGORITHM, iv }, key, text) }
    },
    async unseal({ iv, bytes }) {
      return JSON.parse(
        new TextDecoder().decode(await subtle.decrypt({ name: ALGORITHM, iv }, key, bytes)),
      ) as Credentials<U>
    },
  }
}
