// A storage of the app's own: record and credentials as one text.

import type { rowAfter } from '../core/record.ts'
import type { Awaitable, Records, Stored } from '../ports.ts'

/** A storage of your own. Without `update` it serves one tab only. */
export interface SessionStorage {
  getItem(key: string): Awaitable<string | null>
  setItem(key: string, value: string): Awaitable<unknown>
  removeItem(key: string): Awaitable<unknown>
  /** An atomic compare-and-set: `change` gives the next value from the one that stands, `undefined` leaves it. */
  update?(key: string, change: (old: string | null) => string | null | undefined): Awaitable<boolean>
}

/** @param next Handed in, so that this file brings nothing along. */
export function ownRecords<U>(storage: SessionStorage, key: string, next: typeof rowAfter): Records<U> {
  const parse = (text: string | null): Stored<U> | null => {
    try {
      return JSON.parse(text ?? 'null') as Stored<U> | null
    } catch {
      return null // not ours
    }
  }
  let last: Promise<unknown> = Promise.resolve()

  async function changed(...[change, credentials]: Parameters<Records<U>['update']>): ReturnType<Records<U>['update']> {
    let row: Stored<U> | null | undefined
    const step = (text: string | null): string | undefined => {
      row = next(parse(text), change, credentials)
      return row ? JSON.stringify(row) : undefined
    }
    if (storage.update) return (await storage.update(key, step)) ? row!.record : null
    const text = step(await storage.getItem(key))
    if (text) await storage.setItem(key, text)
    return row?.record ?? null
  }

  return {
    read: async () => next(parse(await storage.getItem(key))),
    update(change, credentials) {
      // One after the other: without an update of its own the storage can't tell two of this tab apart.
      const turn = last.then(() => changed(change, credentials))
      last = turn.catch(() => {})
      return turn
    },
  }
}
