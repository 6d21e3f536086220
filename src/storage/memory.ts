// A session in the memory of this tab, until it is reloaded.

import type { Records, Stored } from '../runtime/ports.ts'
import { applyChange } from '../state/record.ts'
import type { SessionStorage } from './storage.ts'

export const memory = (): SessionStorage => ({
  name: 'memory',
  isShared: () => false,
  open: async () => memoryRecords(),
})

export function memoryRecords<U>(row: Stored<U> | null = null): Records<U> {
  return {
    read: async () => row,
    async update(change, credentials, leaving) {
      const next = applyChange(row, change, credentials, leaving)
      row = next ?? row
      return next && next.record
    },
  }
}
