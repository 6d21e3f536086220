// What the page goes through: seen or hidden, frozen or thawed, on or off the network.

import type { Page } from './ports.ts'
import type { Globals } from './globals.ts'

export function createPage(get: Globals, disposed: AbortSignal): Page {
  const isVisible = (): boolean => get('document')?.visibilityState === 'visible'

  function on(types: string[], run: (type: string) => void): void {
    function handle({ type, persisted }: { type: string; persisted?: boolean }): void {
      const isFirstShow = persisted === false
      if (!isFirstShow) run(type)
    }
    for (const type of types) {
      get('addEventListener')?.(type, handle, { signal: disposed })
      // These two are told to the document alone, and do not bubble to the window.
      if (type === 'freeze' || type === 'resume')
        get('document')?.addEventListener?.(type, handle, { signal: disposed })
    }
  }

  return {
    isVisible,
    isOnline: () => get('navigator')?.onLine !== false,
    onWake(run) {
      on(['online', 'pageshow', 'resume', 'visibilitychange'], (type) => {
        if (type !== 'visibilitychange' || isVisible()) run(type)
      })
    },
    onSleep: (run) => on(['freeze', 'pagehide'], run),
  }
}
