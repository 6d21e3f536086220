// What the tabs of one process share beside locks: messages and a storage.

import { custom } from '../storage/custom.ts'
import type { SessionStorage } from '../storage/storage.ts'

// Not by queueMicrotask: the fake timers of Jest replace it.
const soon = (run: () => void): Promise<void> => Promise.resolve().then(run)

/** As BroadcastChannel, among the tabs of one process. @param later When a message arrives: never at once. */
export function createChannels(later: (run: () => void) => unknown = soon): typeof BroadcastChannel {
  const all = new Set<Channel>()
  class Channel {
    onmessage: ((event: { data: unknown }) => void) | null = null
    constructor(readonly name: string) {
      all.add(this)
    }
    postMessage(data: unknown): void {
      const others = [...all].filter((each) => each !== this && each.name === this.name)
      later(() => others.forEach((each) => all.has(each) && each.onmessage?.({ data })))
    }
    close(): void {
      all.delete(this)
    }
  }
  return Channel as unknown as typeof BroadcastChannel
}

/** What they store. */
export function createSharedStorage(): SessionStorage {
  const items = new Map<string, string>()
  return custom({
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => items.set(key, value),
    update(key, change) {
      const next = change(items.get(key) ?? null)
      if (next === undefined) return false
      if (next === null) items.delete(key)
      else items.set(key, next)
      return true
    },
  })
}
