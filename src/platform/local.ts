// Credentials in localStorage, for all scripts to read; beside the record lies only which ones they are.

import type { Credentials } from '../core/credentials.ts'
import type { Globals } from './globals.ts'
import type { Vault } from './vault.ts'

/** What the row holds: which credentials. */
interface Ticket {
  readonly id: string
}

interface Kept<U> extends Partial<Ticket> {
  /** Those before: the page may have died between localStorage and the record. */
  was?: string | undefined
  credentials?: Credentials<U>
}

// localStorage reaches other tabs a little later than the record does.
const TRIES = 20

export async function localVault<U>(get: Globals, name: string): Promise<Vault<U, Ticket>> {
  const storage = get('localStorage')!
  const unwritten = new WeakMap<Ticket, Credentials<U>>()
  const kept = (): Kept<U> => JSON.parse(storage.getItem(name) ?? '{}') as Kept<U>
  return {
    async seal(credentials) {
      const ticket = { id: get('crypto')!.getRandomValues(new Uint32Array(4)).join() } // randomUUID is for secure origins only
      unwritten.set(ticket, credentials)
      return ticket
    },
    put(ticket) {
      const credentials = ticket && unwritten.get(ticket)
      if (credentials) storage.setItem(name, JSON.stringify({ ...ticket, was: kept().id, credentials }))
      else storage.removeItem(name)
    },
    async unseal(ticket) {
      for (let tries = 0; tries < TRIES; tries++) {
        const { id, credentials } = kept()
        if (id === ticket.id) return credentials!
        await new Promise((done) => get('setTimeout')!(done, 5))
      }
      const { was, credentials } = kept()
      if (was === ticket.id) return credentials!
      throw new TypeError('Cleared, or sealed by another kind of storage')
    },
  }
}
