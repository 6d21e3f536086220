// A storage of the app's own: record and credentials as one text under one key.

import type { Records, Stored } from '../runtime/ports.ts'
import type { Awaitable } from '../seam/io.ts'
import { applyChange } from '../state/record.ts'
import type { SessionStorage } from './storage.ts'

/** Such as `sessionStorage`, or an object of your own. */
export interface ItemStorage {
  getItem(key: string): Awaitable<string | null>
  setItem(key: string, value: string): Awaitable<unknown>
  /**
   * An atomic compare-and-set: `change` gives the next value from the one that stands, `undefined` leaves that as it is.
   * Answers whether it was written. Without it the storage serves one tab only.
   */
  update?(key: string, change: (old: string | null) => string | null | undefined): Awaitable<boolean>
}

/**
 * @example
 * createSession({ storage: custom(sessionStorage) })
 */
export const custom = (items: ItemStorage): SessionStorage => ({
  name: 'custom',
  isShared: () => true,
  open: async ({ key }) => customRecords(items, key),
})

function customRecords<U>(items: ItemStorage, key: string): Records<U> {
  let last: Promise<unknown> = Promise.resolve()

  /** Reads, changes and writes. @returns the row that was written. */
  async function updateItem(...[change, ...more]: Parameters<Records<U>['update']>): Promise<Stored<U> | null> {
    let row: Stored<U> | null = null
    function nextText(text: string | null): string | undefined {
      row = applyChange(parse<U>(text), change, ...more)
      return row ? JSON.stringify(row) : undefined
    }
    if (typeof items.update === 'function') return (await items.update(key, nextText)) ? row : null
    const text = nextText(await items.getItem(key))
    if (text) await items.setItem(key, text)
    return row
  }

  return {
    read: async () => applyChange(parse<U>(await items.getItem(key))),
    async update(...how) {
      // One after the other: without `update` the storage can't tell two changes of this tab apart.
      const updating = last.then(() => updateItem(...how))
      last = updating.catch(() => {})
      return (await updating)?.record ?? null
    },
  }
}

function parse<U>(text: string | null): Stored<U> | null {
  try {
    return JSON.parse(text ?? 'null') as Stored<U> | null
  } catch {
    return null // another script wrote it
  }
}
