// Writes the record without asking the server: a sign-in, a sign-out, what a response said.

import type { Clock, Records, Stored } from '../runtime/ports.ts'
import type { Commit } from '../seam/extension.ts'
import type { Store } from './store.ts'

/** @returns what the record holds then: the commit, or whatever came first. */
export async function writeAlone<U>(
  records: Records<U>,
  { change, credentials }: Commit<U>,
): Promise<Stored<U> | null> {
  const record = await records.update(change, credentials)
  return record ? { record, credentials: credentials ?? null } : records.read()
}

/** Where a record was cleared, the next one begins above all generations that any tab may remember. */
export const firstGeneration = <U, C>({ view }: Store<U, C>, { now }: Clock): number =>
  Math.max(now(), view.version.generation)
