// Tells the server of a sign-out, once, whoever comes to do it: the tab where it happened, the holder of a refresh that was
// under way, or the next page that finds it untold.

import type { Credentials } from '../core/credentials.ts'
import type { Backend, Records } from '../ports.ts'
import type { Caller } from './call.ts'

/** Under the lock. What can't be told stays written down. @throws SessionError then. */
export type Farewell<U> = (credentials?: Credentials<U> | null) => Promise<void>

export function createFarewell<U>({ read, update }: Records<U>, backend: Backend<U>, call: Caller<U>): Farewell<U> {
  let last: Credentials<U> | null = null // for the next try: without it the server could not tell whose session to end
  return async (credentials) => {
    last = credentials ?? last
    const record = (await read())?.record
    if (!record?.untold) return
    await call(async (io) => backend.signOut?.(last, io)).inTime
    last = null
    await update((old) =>
      old?.version.generation === record.version.generation ? { ...old, untold: false } : undefined,
    )
  }
}
