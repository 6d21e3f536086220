// Lock, record and channel of a single tab.

import type { Credentials } from '../core/credentials.ts'
import type { Record } from '../core/record.ts'
import type { Channel, Locks, Records, Stored, Undo } from '../ports.ts'

export function memoryRecords<U>(start?: Stored<U> | null): Records<U> {
  let record: Record | null = start?.record ?? null
  let held: Credentials<U> | null = start?.credentials ?? null
  return {
    read: async () => record && { record, credentials: held },
    async update(change, credentials) {
      const next = change(record)
      if (!next) return null
      if (credentials !== undefined) held = credentials
      return (record = next)
    },
  }
}

export function memoryLocks(): Locks {
  let last: Promise<unknown> = Promise.resolve()
  return {
    isSole: () => true,
    async acquire(late) {
      const before = last
      let release!: Undo
      last = new Promise<void>((done) => (release = done))
      try {
        await new Promise<unknown>((go, stop) => {
          late.addEventListener('abort', () => stop(late.reason))
          before.then(go, go)
        })
      } catch (reason) {
        void before.then(release) // whoever gave up keeps the place in line, and lets the next one through
        throw reason
      }
      return release
    },
  }
}

export const noChannel: Channel = { post() {}, listen() {} }
