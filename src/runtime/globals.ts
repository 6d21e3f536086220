// The one place that touches globals. Each is read when it is needed: what a page or a test replaces later counts.

import type { ReadGlobal } from '../seam/io.ts'
import type { Platform } from './ports.ts'

export type Globals = ReadGlobal

export const globalsOf =
  (platform: Platform): Globals =>
  (name) =>
    (name in platform ? platform[name] : globalThis[name]) ?? undefined

/** What relative URLs are resolved against, where there is a page or a worker. */
export const baseOf = (get: Globals): string | undefined => get('document')?.baseURI ?? get('location')?.href

/** `own` with what else the platform's fetch has, such as Bun's `preconnect`: it stands in wherever that is asked for. */
export function standInFor<F extends object>(real: object | undefined, own: F): F & typeof fetch {
  for (const name of Reflect.ownKeys(real ?? {}))
    if (!(name in own)) Object.defineProperty(own, name, Object.getOwnPropertyDescriptor(real, name)!)
  return own as F & typeof fetch
}
