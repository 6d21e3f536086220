// Puts the platform together: what the flow stands on.

import type { World } from '../ports.ts'
import { createClock } from './clock.ts'
import type { Globals } from './globals.ts'
import { memoryLocks, memoryRecords, noChannel } from './memory.ts'
import { createPage } from './page.ts'
import { openRecords, type StorageKind } from './storage.ts'
import { tabChannel, tabLocks } from './tabs.ts'

/** @param report Told of a storage that fails. */
export function createWorld<U>(
  get: Globals,
  kind: StorageKind,
  session: string,
  report: (cause: unknown) => void,
): World<U> {
  const name = `resesh:${session}`
  const life = new AbortController()
  const { signal } = life
  const clock = createClock(get)
  const page = createPage(get, signal)
  const alone = memoryLocks()
  const isAlone = kind === 'memory' || (typeof kind === 'string' && !get('indexedDB')) // nothing that tabs could share
  const shared = isAlone
    ? { ...alone, ...noChannel, ...memoryRecords<U>() }
    : {
        ...tabLocks(get, name, alone, page),
        ...tabChannel(get, name, page, signal),
        ...openRecords<U>(get, kind, name, clock, report),
      }
  return {
    ...clock,
    ...page,
    ...shared,
    life: signal,
    dispose: () => life.abort(),
    fetch: (input, init) => get('fetch')!(input, init),
    base: () => get('document')?.baseURI ?? get('location')?.href,
    cookie(cookie) {
      const pairs = get('document')?.cookie.split('; ') ?? []
      const pair = pairs.find((each) => each.startsWith(`${cookie}=`))
      const value = pair?.slice(cookie.length + 1) ?? null
      try {
        return value && decodeURIComponent(value)
      } catch {
        return value // written as it is
      }
    },
  }
}
