// Routes whose 401 is their own: refused right after a fresh refresh, so that another one would cure nothing.

import { type Version, wasted } from '../core/record.ts'
import type { World } from '../ports.ts'
import type { Store } from './store.ts'

export interface Refusals {
  has(route: string): boolean
  add(route: string, refusedWith: Version): void
  /** It has been served. */
  remove(request: { readonly route: string }): void
}

const MOST = 100
const UNKNOWN_LIFE = 60_000

export function createRefusals<U, C>({ now, mono, update }: World<U>, store: Store<U, C>): Refusals {
  const until = new Map<string, number>()
  let charged = ''
  const key = (route: string): string => `${store.tab.version.generation} ${route}` // forgotten at a sign-in

  return {
    remove(request) {
      if (until.size) until.delete(key(request.route))
    },
    has: (route) => until.get(key(route))! > mono(),
    add(route, { generation, revision }) {
      until.delete(key(route))
      until.set(key(route), mono() + (store.remaining() || UNKNOWN_LIFE))
      if (until.size > MOST) until.delete(until.keys().next().value!)
      if (charged === (charged = `${generation} ${revision}`)) return // one refresh that cured nothing, however many met it
      update((old) => (old?.signedIn ? wasted(old, now()) : undefined)).catch(() => {})
    },
  }
}
