// Tells the server of a sign-out, once, whoever comes to do it: the tab where it happened, the holder of a refresh that was
// under way, or the next page that finds it untold.

import type { Credentials } from '../core/credentials.ts'
import type { Backend, Records } from '../ports.ts'
import type { Caller } from './call.ts'

/** Under the lock. Resolves whatever the server says; what could not be told stays written down. */
export type Farewell<U> = (credentials: Credentials<U> | null) => Promise<void>

export function createFarewell<U>(backend: Backend<U>, records: Records<U>, call: Caller<U>): Farewell<U> {
  let last: Credentials<U> | null = null // for the next try: without it the server could not tell whose session to end
  return async (credentials) => {
    last = credentials ?? last
    const stored = await records.read()
    if (!stored?.record.untold) return
    try {
      if (backend.signOut) await call((io) => backend.signOut!(last, io)).inTime
    } catch {
      return // still untold: the next one tries again
    }
    last = null
    const { generation } = stored.record.version
    await records.update((old) => (old?.version.generation === generation ? { ...old, untold: false } : undefined))
  }
}
