// What the page goes through: seen or hidden, frozen or thawed, on or off the network.

import type { Page } from '../ports.ts'
import type { Globals } from './globals.ts'

export function createPage(get: Globals, signal: AbortSignal): Page {
  const isVisible = (): boolean => get('document')?.visibilityState === 'visible'
  const on = (types: string[], run: (type: string) => void): void => {
    const heard = ({ type, persisted }: { type: string; persisted?: boolean }): void => {
      if (persisted ?? true) run(type) // a page that is shown for the first time comes back from nowhere
    }
    for (const type of types) {
      get('addEventListener')?.(type, heard, { signal })
      // These are told to the document alone, and do not rise from there.
      if (/^(freeze|resume)$/.test(type)) get('document')?.addEventListener?.(type, heard, { signal })
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
