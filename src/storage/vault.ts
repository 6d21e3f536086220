// How credentials lie beside the record. Here: encrypted under a key that no script can take out. That keeps them out of dumps
// and away from casual scripts; it is no defence against script injection or the disk.

import type { Globals } from '../runtime/globals.ts'
import type { Credentials } from '../state/credentials.ts'

/** `S` is what is stored in the row of the record. */
export interface Vault<U, S> {
  /** Before the transaction: a transaction that waits for anything but itself ends. */
  seal(credentials: Credentials<U>): Promise<S>
  /** In the transaction, once it is decided what the row holds; `null`: no credentials. `leaving`: of sessions that are over. */
  put?(sealed: S | null, leaving?: readonly S[]): void
  /** @throws where the credentials are gone, or were sealed by another kind of storage. */
  unseal(sealed: S): Promise<Credentials<U>>
}

/** @param keep Stores this key, or answers with the key that is stored already. */
export type OpenVault<U, S> = (
  get: Globals,
  key: string,
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
