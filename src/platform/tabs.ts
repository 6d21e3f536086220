// What tabs of one browser share: the turn, by Web Locks, and hints that the record has moved, by BroadcastChannel.

import type { Channel, Locks, Page, Undo } from '../ports.ts'
import type { Globals } from './globals.ts'

/**
 * One holder over all tabs; among the callers of this tab where there are no Web Locks. Whoever has waited until its signal
 * aborts takes the lock from its holder, which is stuck: the fence in the record keeps that one from writing.
 */
export function tabLocks(get: Globals, name: string, alone: Locks, { onSleep }: Page): Locks {
  const held = new Set<Undo>()
  // A frozen page keeps its locks, and one in the back/forward cache is thrown out for them.
  onSleep(() => held.forEach((release) => release()))

  const request = (options: LockOptions): Promise<Undo> =>
    new Promise((resolve, reject) => {
      const hold = (): Promise<void> =>
        new Promise((done) => {
          const release = (): void => {
            held.delete(release)
            done()
          }
          held.add(release)
          resolve(release)
        })
      get('navigator')!
        .locks.request(name, options, hold)
        .catch((error: unknown) => {
          held.clear() // robbed
          reject(error)
        })
    })

  return {
    isSole: () => held.size > 0,
    async acquire(late, patience) {
      const release = await alone.acquire(late, patience)
      if (!get('navigator')?.locks) return release
      const stuck = patience()
      try {
        const both = await request({ signal: stuck }).catch((error: unknown) => {
          if (stuck.aborted) return request({ steal: true })
          throw error
        })
        return () => {
          both()
          release()
        }
      } catch {
        return release // no locks in a sandboxed frame, nor in a page on its way out
      }
    },
  }
}

/** A message says that there is news, and never what. */
export function tabChannel(get: Globals, name: string, { onSleep, onWake }: Page, life: AbortSignal): Channel {
  let channel: BroadcastChannel | undefined
  let heard: () => void = () => {}
  const open = (): void => {
    const Class = get('BroadcastChannel')
    if (!Class || channel || life.aborted) return
    channel = new Class(name)
    channel.onmessage = () => heard()
  }
  // An open channel keeps a page out of the back/forward cache, and wakes a frozen one for as long as it takes to begin a
  // read that it can't end: no tab could write until it thaws.
  const close = (): void => {
    channel?.close()
    channel = undefined
  }
  onSleep(close)
  onWake(open)
  life.addEventListener('abort', close)
  return {
    post: () => channel?.postMessage(null),
    listen(run) {
      heard = run
      open()
    },
  }
}
