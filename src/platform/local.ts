// Credentials in localStorage, for all scripts to read; beside the record lies only which ones they are.

import type { Credentials } from '../core/credentials.ts'
import type { Globals } from './globals.ts'
import type { Vault } from './vault.ts'

// localStorage reaches other tabs a little later than the record does.
const TRIES = 20

export async function localVault<U>(get: Globals, name: string): Promise<Vault<U, string>> {
  const storage = get('localStorage')!
  const texts = new Map<string, string>()
  return {
    async seal(credentials) {
      const id = get('crypto')!.getRandomValues(new Uint32Array(4)).join() // randomUUID is for secure origins only
      texts.set(id, JSON.stringify({ id, credentials }))
      return id
    },
    put(sealed) {
      if (sealed) storage.setItem(name, texts.get(sealed)!)
      else storage.removeItem(name)
      texts.clear()
    },
    async unseal(sealed) {
      for (let tries = 0; tries < TRIES; tries++) {
        const { id, credentials } = JSON.parse(storage.getItem(name) ?? '{}') as {
          id?: string
          credentials: Credentials<U>
        }
        if (id === sealed) return credentials
        await new Promise((done) => get('setTimeout')!(done, 5))
      }
      throw new TypeError('Cleared, or sealed by another kind of storage')
    },
  }
}
