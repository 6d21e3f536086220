// Credentials in localStorage, where every script of the origin can read them. The record stays in IndexedDB, since localStorage
// is not ordered with the lock; beside the record lies only a ticket that says which credentials it speaks of.

import type { Globals } from '../runtime/globals.ts'
import type { Credentials } from '../state/credentials.ts'
import { indexedDbRecords } from './indexeddb.ts'
import type { SessionStorage, StoragePlace } from './storage.ts'
import type { Vault } from './vault.ts'

/** `createSession({ storage: local() })` */
export const local = (): SessionStorage => ({
  name: 'local',
  isShared: (get) => !!get('indexedDB'),
  open: <U>(place: StoragePlace) => indexedDbRecords(place, localVault<U>),
})

/** What the row of the record holds. */
interface Ticket {
  readonly id: string
}

interface Kept<U> extends Partial<Ticket> {
  /** The ticket before: the page may have died between writing localStorage and the record. */
  was?: string | undefined
  credentials?: Credentials<U>
  /** Of sessions that are over, by their tickets: to tell the server of their sign-outs with. */
  left?: { [ticket: string]: Credentials<U> }
}

// localStorage reaches other tabs a little later than the record does.
const MAX_TRIES = 20

export async function localVault<U>(get: Globals, key: string): Promise<Vault<U, Ticket>> {
  const storage = get('localStorage')!
  const unwritten = new WeakMap<Ticket, Credentials<U>>()
  const kept = (): Kept<U> => JSON.parse(storage.getItem(key) ?? '{}') as Kept<U>
  return {
    async seal(credentials) {
      const ticket = { id: get('crypto')!.getRandomValues(new Uint32Array(4)).join() } // randomUUID is for secure origins only
      unwritten.set(ticket, credentials)
      return ticket
    },
    put(ticket, leaving = []) {
      const before = kept()
      const credentialsOf = (each: Ticket): Credentials<U> | undefined =>
        unwritten.get(each) ?? before.left?.[each.id] ?? (each.id === before.id ? before.credentials : undefined)
      const credentials = ticket ? credentialsOf(ticket) : undefined
      // Another tab has written since, and localStorage does not show it yet.
      if (ticket && !credentials) return
      const left = Object.fromEntries(leaving.map((each) => [each.id, credentialsOf(each)]))
      if (ticket?.id !== before.id) before.was = before.id
      const next = { ...(ticket && { ...ticket, was: before.was, credentials }), ...(leaving[0] && { left }) }
      if (Object.keys(next)[0]) storage.setItem(key, JSON.stringify(next))
      else storage.removeItem(key)
    },
    async unseal(ticket) {
      const left = kept().left?.[ticket.id]
      if (left) return left
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const { id, credentials } = kept()
        if (id === ticket.id) return credentials!
        await new Promise((done) => get('setTimeout')!(done, 5))
      }
      const { was, credentials } = kept()
      if (was === ticket.id) return credentials!
      throw new TypeError('Cleared: localStorage lost the tokens, or another kind of storage wrote the record')
    },
  }
}
