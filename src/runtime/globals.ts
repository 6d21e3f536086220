// The one place that touches globals. Each is read when it is needed: what a page or a test replaces later counts.

import type { Platform } from './ports.ts'

/** `undefined`: absent, by nature or because the caller said `null`. */
export type Globals = <K extends keyof typeof globalThis>(name: K) => (typeof globalThis)[K] | undefined

export const globalsOf =
  (platform: Platform): Globals =>
  (name) =>
    (name in platform ? platform[name] : globalThis[name]) ?? undefined

/** What relative URLs are resolved against, where there is a page or a worker. */
export const baseOf = (get: Globals): string | undefined => get('document')?.baseURI ?? get('location')?.href
