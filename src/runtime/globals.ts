// The one place that touches globals. Each is read when it is needed: what a page or a test replaces later counts.

import type { Platform } from './ports.ts'

/** `undefined`: absent, by nature or because the caller said `null`. */
export type Globals = <K extends keyof typeof globalThis>(name: K) => (typeof globalThis)[K] | undefined

export const globalsOf =
  (platform: Platform): Globals =>
  (name) =>
    (name in platform ? platform[name] : globalThis[name]) ?? undefined

/** `own` with what else the platform's fetch has, such as Bun's `preconnect`: it stands in wherever that is asked for. */
export function standInFor<F extends object>(real: object | undefined, own: F): F & typeof fetch {
  for (const name of Reflect.ownKeys(real ?? {}))
    if (!(name in own)) Object.defineProperty(own, name, Object.getOwnPropertyDescriptor(real, name)!)
  return own as F & typeof fetch
}
