// Tabs of one browser in one process: they share storage, locks and messages, as real tabs do.

import type { Session } from '../face.ts'
import type { SessionOptions } from '../options.ts'
import type { Platform } from '../runtime/ports.ts'
import { createSession } from '../session.ts'
import type { Json } from '../state/credentials.ts'
import { createSharedLocks } from './locks.ts'
import { createChannels, createSharedStorage } from './shared.ts'

export interface TestTabs {
  /**
   * A session in a tab of its own. It refreshes only when it has to (`refreshAhead: 'never'`), unless the options say otherwise.
   * Disposing of the session closes its tab.
   */
  open<U = Json, C = Json>(options: SessionOptions<U, C>): Session<U, C>
  /** Closes all tabs. What they stored stays, as after a reload. */
  close(): void
}

/**
 * Tabs for a unit test, in whatever environment: Node, jsdom, happy-dom.
 *
 * @param platform Replaces globals in all tabs, such as `fetch`, or the clock of `testClock()`.
 * @example
 * const tabs = testTabs()
 * const [first, second] = [tabs.open({ backend }), tabs.open({ backend })]
 * await first.signIn(await server.signIn())
 * server.expire()
 * await Promise.all([first.fetch(url), second.fetch(url)])
 * expect(server.counts.refreshes).toBe(1)
 */
export function testTabs(platform: Platform = {}): TestTabs {
  const locks = createSharedLocks()
  const storage = createSharedStorage()
  const BroadcastChannel = createChannels()
  const open = new Set<Session<any, any>>()
  let lastId = 0

  return {
    open<U, C>(options: SessionOptions<U, C>) {
      const clientId = `tab-${++lastId}`
      const navigator = { locks: locks.forTab(clientId), onLine: true } as Navigator
      const session = createSession<U, C>({
        storage,
        refreshAhead: 'never',
        ...options,
        platform: { navigator, BroadcastChannel, ...platform, ...options.platform },
      })
      const dispose = (): void => {
        session.dispose()
        open.delete(tab)
        locks.freeAll(clientId)
      }
      const tab = Object.assign(Object.create(session) as Session<U, C>, { dispose, [Symbol.dispose]: dispose })
      open.add(tab)
      return tab
    },
    close: () => open.forEach((session) => session.dispose()),
  }
}
