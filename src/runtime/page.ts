// What the page goes through: seen or hidden, frozen or thawed, on or off the network.

import type { Page } from './ports.ts'
import type { Globals } from './globals.ts'
import type { Undo } from '../seam/io.ts'

export function createPage(get: Globals, disposed: AbortSignal): Page {
  const isVisible = (): boolean => get('document')?.visibilityState === 'visible'
  // Not by the option `signal` of addEventListener: the window of jsdom refuses a signal that is Node's.
  const undos: Undo[] = []
  disposed.addEventListener('abort', () => undos.forEach((undo) => undo()))

  function on(types: string[], run: (type: string) => void): void {
    function handle({ type, persisted }: { type: string; persisted?: boolean }): void {
      const isFirstShow = persisted === false
      if (!isFirstShow) run(type)
    }
    for (const type of types) {
      get('addEventListener')?.(type, handle)
      // These two are told to the document alone, and do not bubble to the window.
      const document = type === 'freeze' || type === 'resume' ? get('document') : undefined
      document?.addEventListener?.(type, handle)
      undos.push(() => {
        get('removeEventListener')?.(type, handle)
        document?.removeEventListener?.(type, handle)
      })
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
