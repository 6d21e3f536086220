// Puts together what the session runs on: clock, page, lock, channel, storage, transport.

import { SessionDisposedError } from '../errors.ts'
import { memoryRecords } from '../storage/memory.ts'
import { openRecords } from '../storage/resilient.ts'
import type { SessionStorage } from '../storage/storage.ts'
import { createTabChannel, noChannel } from './channel.ts'
import { createClock } from './clock.ts'
import { baseOf, type Globals, standInFor } from './globals.ts'
import { createLocalLock, createTabLocks } from './locks.ts'
import { readCookie } from './cookies.ts'
import { createPage } from './page.ts'
import type { Locks, Runtime } from './ports.ts'

/** @throws TypeError where a request would fail later, in a browser that is older than limits.md says. */
function assertBrowser(): void {
  if (typeof AbortSignal === 'undefined' || !AbortSignal.prototype.throwIfAborted)
    throw new TypeError('resesh: this browser is too old, AbortSignal.prototype.throwIfAborted is missing')
}

/**
 * @param key The name of what tabs share: see `shared-key.ts`.
 * @param report Told of a storage that fails.
 * @param takesTurns Whether tabs share the lock even if they do not share the storage: a cookie, for example, is one for all tabs.
 */
export function createRuntime<U>(
  get: Globals,
  storage: SessionStorage,
  key: string,
  report: (cause: unknown) => void,
  takesTurns = false,
): Runtime<U> {
  assertBrowser()
  const controller = new AbortController()
  const disposed = controller.signal
  const clock = createClock(get)
  const page = createPage(get, disposed)
  const localLock = createLocalLock()
  const isStorageShared = storage.isShared(get)
  // On a server there are no tabs: another session there belongs to another visitor.
  const isShared = isStorageShared || (takesTurns && baseOf(get) !== undefined)
  const locks = isShared ? createTabLocks(get, key, localLock, page) : localLock

  return {
    locks: isStorageShared ? locks : withoutSharedJournal(locks, localLock),
    channel: isShared ? createTabChannel(get, key, page, clock, disposed) : noChannel,
    records: isStorageShared ? openRecords<U>(storage, { get, key }, clock, report) : memoryRecords<U>(),
    clock,
    page,
    isShared,
    disposed,
    dispose: () => controller.abort(new SessionDisposedError()),
    fetch: standInFor(get('fetch'), (input: RequestInfo | URL, init?: RequestInit) => get('fetch')!(input, init)),
    base: () => baseOf(get),
    get,
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
