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

// localStorage reaches other tabs a little later than the record does. What it shows meanwhile, an older value or none, must not
// be taken for a sign-out.
const MAX_LOOKS = 16
const MAX_LOOKS_AT_NOTHING = 7
const PAUSE_MS = 5
const MAX_PAUSE_MS = 250

export async function localVault<U>(get: Globals, key: string): Promise<Vault<U, Ticket>> {
  const storage = get('localStorage')!
  const unwritten = new WeakMap<Ticket, Credentials<U>>()

  /** Another script may have written there. */
  function kept(): Kept<U> {
    try {
      return Object(JSON.parse(storage.getItem(key) ?? '{}')) as Kept<U>
    } catch {
      return {}
    }
  }

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
    async unseal(ticket, isLast = true) {
      const { id, was, credentials, left } = kept()
      if (left?.[ticket.id]) return left[ticket.id]!
      if (id === ticket.id || (isLast && was === ticket.id)) return credentials!
      throw new TypeError('Cleared: localStorage lost the tokens, or another kind of storage wrote the record')
    },
    mayComeLate: (looks) => looks < (kept().id ? MAX_LOOKS : MAX_LOOKS_AT_NOTHING),
    untilNews: (looks) => untilChanged(get, Math.min(MAX_PAUSE_MS, PAUSE_MS * 2 ** (looks - 1))),
  }
}

/** Until another tab has written to localStorage, or that many ms: of a hidden tab, timers come late, and events do not. */
function untilChanged(get: Globals, ms: number): Promise<void> {
  return new Promise((resolve) => {
    function done(): void {
      get('clearTimeout')?.(timer)
      get('removeEventListener')?.('storage', done)
      resolve()
    }
    const timer = get('setTimeout')!(done, ms)
    get('addEventListener')?.('storage', done)
  })
}
