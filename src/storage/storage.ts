// What a storage is: one interface for all kinds. Types only.

import type { Globals } from '../runtime/globals.ts'
import type { Records } from '../runtime/ports.ts'

/** Where a session is kept: `indexedDb()`, `memory()`, `local()`, or `custom({ getItem, setItem })`. */
export interface SessionStorage {
  readonly name: string
  /** Whether the tabs of this browser share it: then they share a lock and a channel, too. */
  isShared(get: Globals): boolean
  /** @throws where it can't be used. */
  open<U>(place: StoragePlace): Promise<Records<U>>
}

export interface StoragePlace {
  /** Reads a global of the platform. */
  readonly get: Globals
  /** Made of the session's name and the identity of its server. Another key, another session. */
  readonly key: string
}
