// What the page goes through: seen or hidden, on or off the network.

import type { Page } from '../ports.ts'
import type { Globals } from './globals.ts'

export function createPage(get: Globals): Page {
  const isVisible = (): boolean => get('document')?.visibilityState === 'visible'
  return {
    isVisible,
    isOnline: () => get('navigator')?.onLine !== false,
    onWake(run) {
      const stop = new AbortController()
      const options = { signal: stop.signal }
      const page = get('document')
      const woken = ({ type }: { type: string }): void => {
        if (type !== 'visibilitychange' || isVisible()) run(type)
      }
      for (const type of ['online', 'pageshow']) get('addEventListener')?.(type, woken, options)
      for (const type of ['visibilitychange', 'resume']) page?.addEventListener?.(type, woken, options)
      return () => stop.abort()
    },
  }
}
