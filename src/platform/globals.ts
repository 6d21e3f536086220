// The one place that touches globals. Each is read when it is needed: what a page or a test replaces later counts.

import type { Platform } from '../ports.ts'

export interface Globals {
  /** undefined: absent, by nature or because the caller said `null`. */
  get<K extends keyof typeof globalThis>(name: K): (typeof globalThis)[K] | undefined
}

export function globalsOf(platform: Platform): Globals {
  return {
    get(name) {
      try {
        return (name in platform ? platform[name] : globalThis[name]) ?? undefined
      } catch {
        return undefined // a sandboxed frame throws where others have storage
      }
    },
  }
}
