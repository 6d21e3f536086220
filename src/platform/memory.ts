// Lock, record and channel of a single tab.

import { rowAfter } from '../core/record.ts'
import type { Channel, Locks, Records, Stored, Undo } from '../ports.ts'

export function memoryRecords<U>(row: Stored<U> | null = null): Records<U> {
  return {
    read: async () => row,
    async update(change, credentials) {
      const next = rowAfter(row, change, credentials)
      row = next ?? row
      return next && next.record
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
