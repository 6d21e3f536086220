// What the page goes through: seen or hidden, on or off the network.

import type { Page, Undo } from '../ports.ts'
import type { Globals } from './globals.ts'

export function createPage(globals: Globals): Page {
  const isVisible = (): boolean => globals.get('document')?.visibilityState === 'visible'
  return {
    isVisible,
    isOnline: () => globals.get('navigator')?.onLine !== false,
    onWake(run) {
      const page = globals.get('document')
      const listen = globals.get('addEventListener')
      const quit = globals.get('removeEventListener')
      const woken = (event: { type: string }): void => {
        if (event.type !== 'visibilitychange' || isVisible()) run(event.type)
      }
      const undo: Undo[] = []
      for (const type of ['online', 'pageshow']) {
        listen?.(type, woken)
        undo.push(() => quit?.(type, woken))
      }
      for (const type of ['visibilitychange', 'resume']) {
        page?.addEventListener?.(type, woken)
        undo.push(() => page?.removeEventListener?.(type, woken))
      }
      return () => undo.forEach((each) => each())
    },
  }
}
