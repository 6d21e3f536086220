// Puts together what the session runs on: clock, page, lock, channel, storage, transport.

import { SessionDisposedError } from '../errors.ts'
import { memoryRecords } from '../storage/memory.ts'
import { openRecords } from '../storage/resilient.ts'
import type { SessionStorage } from '../storage/storage.ts'
import { createTabChannel, noChannel } from './channel.ts'
import { createClock } from './clock.ts'
import { baseOf, type Globals, standInFor } from './globals.ts'
import { createLocalLock, createTabLocks } from './locks.ts'
import { createPage } from './page.ts'
import type { Locks, Runtime } from './ports.ts'

/**
 * @param key Of what tabs share: see `shared-key.ts`. @param report Told of a storage that fails.
 * @param isJarShared Whether a cookie, which all tabs have, is what a refresh spends.
 */
export function createRuntime<U>(
  get: Globals,
  storage: SessionStorage,
  key: string,
  report: (cause: unknown) => void,
  isJarShared = false,
): Runtime<U> {
  const controller = new AbortController()
  const disposed = controller.signal
  const clock = createClock(get)
  const page = createPage(get, disposed)
  const localLock = createLocalLock()
  const isStorageShared = storage.isShared(get)
  // Tabs that share no storage, but a cookie that is used up, must take turns all the same.
  const isShared = isStorageShared || isJarShared
  const locks = isShared ? createTabLocks(get, key, localLock, page) : localLock

  return {
    locks: isStorageShared ? locks : withoutSharedJournal(locks, localLock),
    channel: isShared ? createTabChannel(get, key, page, clock, disposed) : noChannel,
    records: isStorageShared ? openRecords<U>(storage, { get, key }, clock, report) : memoryRecords<U>(),
    clock,
    page,
    disposed,
    dispose: () => controller.abort(new SessionDisposedError()),
    fetch: standInFor(get('fetch'), (input: RequestInfo | URL, init?: RequestInit) => get('fetch')!(input, init)),
    base: () => baseOf(get),
    cookie: (name) => readCookie(get('document')?.cookie ?? '', name),
  }
}

/** What a tab has sent is written where only that tab can read it: no other tab has to know its number. */
const withoutSharedJournal = (locks: Locks, { holdAttempt, findSender }: Locks): Locks => ({
  ...locks,
  holdAttempt,
  findSender,
  isJournalShared: false,
})

function readCookie(cookies: string, name: string): string | null {
  const pair = cookies.split('; ').find((each) => each.startsWith(`${name}=`))
  if (pair === undefined) return null
  const value = pair.slice(name.length + 1)
  try {
    return decodeURIComponent(value)
  } catch {
    return value // a server may write it without encoding
  }
}
