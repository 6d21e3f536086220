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
  /**
   * @param isLast No other look at the row follows.
   * @throws where the credentials are gone, not there yet, or were sealed by another kind of storage.
   */
  unseal(sealed: S, isLast?: boolean): Promise<Credentials<U>>
  /** Whether the credentials may come later than the row, after so many looks in vain. */
  mayComeLate?(looks: number): boolean
  /** Until another look may find them. */
  untilNews?(looks: number): Promise<void>
}

/** Answers with the key that is stored, where that is right; else it stores `own` in its place. */
export type KeepKey = (isRight: (known: unknown) => known is CryptoKey, own: CryptoKey) => Promise<CryptoKey>

export type OpenVault<U, S> = (get: Globals, key: string, keep: KeepKey) => Promise<Vault<U, S>>

export interface Encrypted {
  readonly iv: Uint8Array<ArrayBuffer>
  readonly bytes: ArrayBuffer
}

const ALGORITHM = 'AES-GCM'
const USAGES: readonly KeyUsage[] = ['encrypt', 'decrypt']

/** A profile that was restored, or another script, may leave an object that is no key, or another kind of key. */
function isRightKey(known: unknown): known is CryptoKey {
  if (Object.prototype.toString.call(known) !== '[object CryptoKey]') return false
  const { algorithm, usages, extractable } = known as CryptoKey
  return algorithm.name === ALGORITHM && !extractable && USAGES.every((usage) => usages.includes(usage))
}

export async function encryptedVault<U>(
  ...[get, , keep]: Parameters<OpenVault<U, Encrypted>>
): Promise<Vault<U, Encrypted>> {
  const crypto = get('crypto')!
  const { subtle } = crypto
  // Browsers leave it out over plain http, but for localhost.
  if (!subtle) throw new Error('crypto.subtle is missing: serve the page over https, or from localhost')
  let key = await subtle.generateKey({ name: ALGORITHM, length: 256 }, false, USAGES)
  await agreeOnKey()

  /** The key that is stored, for all tabs. It may have been cleared: then this tab's own is stored in its place. */
  async function agreeOnKey(): Promise<void> {
    key = await keep(isRightKey, key)
  }

  async function decrypt({ iv, bytes }: Encrypted): Promise<Credentials<U>> {
    const text = await subtle.decrypt({ name: ALGORITHM, iv }, key, bytes)
    return JSON.parse(new TextDecoder().decode(text)) as Credentials<U>
  }

  return {
    async seal(credentials) {
      // What is sealed under a key that was cleared, and made anew by another tab, can be read by nobody.
      await agreeOnKey()
      const iv = crypto.getRandomValues(new Uint8Array(12))
      const text = new TextEncoder().encode(JSON.stringify(credentials))
      return { iv, bytes: await subtle.encrypt({ name: ALGORITHM, iv }, key, text) }
    },
    async unseal(sealed) {
      try {
        return await decrypt(sealed)
      } catch {
        await agreeOnKey()
        return decrypt(sealed)
      }
    },
  }
}
