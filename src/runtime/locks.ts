// The lock: one holder over all tabs, by Web Locks; among the callers of this tab where there are none. Beside it, a lock for each
// attempt, by which other tabs tell a page that is gone from one that sleeps.

import type { Undo } from '../seam/io.ts'
import type { Globals } from './globals.ts'
import type { Locks, Page, Sender } from './ports.ts'

/** The lock of a single tab: callers hold it in the order they came. */
export function createLocalLock(): Locks {
  let last: Promise<unknown> = Promise.resolve()
  return {
    isJournalShared: false,
    isSole: () => true,
    holdAttempt: async () => null,
    findSender: async () => 'gone', // there is no other tab
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
        // A caller that gave up keeps its place in line, and lets the next one through.
        void before.then(release)
        throw reason
      }
      return release
    },
  }
}

/**
 * The lock of all tabs. A caller whose patience is over takes it from its holder, which is stuck: the fence in the record keeps
 * that tab from writing.
 */
export function createTabLocks(get: Globals, name: string, local: Locks, { onSleep }: Page): Locks {
  const held = new Set<Undo>()
  // A frozen page keeps its locks, and a page in the back/forward cache is thrown out for them.
  onSleep(() => held.forEach((release) => release()))

  function request(options: LockOptions): Promise<Undo> {
    return new Promise((resolve, reject) => {
      function hold(): Promise<void> {
        return new Promise((done) => {
          function release(): void {
            held.delete(release)
            done()
          }
          held.add(release)
          resolve(release)
        })
      }
      get('navigator')!
        .locks.request(name, options, hold)
        .catch((error: unknown) => {
          held.clear() // another tab took the lock
          reject(error)
        })
    })
  }

  async function requestOrTake(stuck: AbortSignal): Promise<Undo> {
    try {
      return await request({ signal: stuck })
    } catch (error) {
      if (stuck.aborted) return request({ steal: true })
      throw error
    }
  }

  /** Attempts of this tab whose answer it may still receive. */
  const own = new Set<string>()
  const attemptName = (id: string): string => `${name}:attempt:${id}`

  async function holdAttempt(id: string): Promise<Undo | null> {
    try {
      const release = await new Promise<Undo>((resolve, reject) => {
        const hold = (): Promise<void> => new Promise((done) => resolve(done))
        // Shared: a tab whose journal comes too late may hold the same number for a moment.
        get('navigator')!.locks.request(attemptName(id), { mode: 'shared' }, hold).catch(reject)
      })
      own.add(id)
      return () => {
        own.delete(id)
        release()
      }
    } catch {
      return null
    }
  }

  async function findSender(id?: string): Promise<Sender> {
    try {
      const { held: all = [] } = await get('navigator')!.locks.query()
      const isAttempt = (lock: LockInfo): boolean =>
        id === undefined ? !!lock.name?.startsWith(attemptName('')) : lock.name === attemptName(id)
      const sender = all.find(isAttempt)
      if (!sender) return 'gone'
      // This tab's own: that it has the lock of the session, too, tells nothing of another tab.
      if (id !== undefined && own.has(id)) return 'out-of-turn'
      const isInTurn = all.some((lock) => lock.name === name && lock.clientId === sender.clientId)
      return isInTurn ? 'in-turn' : 'out-of-turn'
    } catch {
      return 'unknown'
    }
  }

  return {
    isJournalShared: true,
    holdAttempt,
    findSender,
    isSole: () => held.size > 0,
    async acquire(late, patience) {
      const releaseLocal = await local.acquire(late, patience)
      if (!get('navigator')?.locks) return releaseLocal
      try {
        const releaseTabs = await requestOrTake(patience())
        return () => {
          releaseTabs()
          releaseLocal()
        }
      } catch {
        return releaseLocal // there are no locks in a sandboxed frame, nor in a page on its way out
      }
    },
  }
}
