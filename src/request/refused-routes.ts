// Routes that refuse fresh tokens: their 401 is their own, and another refresh would cure nothing.

import { chargeBudget } from '../state/steps.ts'
import type { Version } from '../state/record.ts'
import type { Context } from '../context.ts'

export interface RefusedRoutes {
  has(route: string): boolean
  /** The route has refused the token of this version, which a refresh had just brought. */
  add(route: string, refused: Version): void
  /** The route has served a request. */
  remove(request: { readonly route: string }): void
}

const MAX_REMEMBERED = 100
const UNKNOWN_LIFETIME_MS = 60_000

export function createRefusedRoutes<U, C>({ runtime, store }: Context<U, C>): RefusedRoutes {
  const { clock, records } = runtime
  const refusedUntil = new Map<string, number>()
  let lastCharged = ''
  // Another session begins with none.
  const keyOf = (route: string): string => `${store.view.version.generation} ${route}`

  return {
    has: (route) => (refusedUntil.get(keyOf(route)) ?? -Infinity) > clock.mono(),
    add(route, { generation, revision }) {
      const key = keyOf(route)
      refusedUntil.delete(key)
      refusedUntil.set(key, clock.mono() + (store.remaining() ?? UNKNOWN_LIFETIME_MS))
      if (refusedUntil.size > MAX_REMEMBERED) refusedUntil.delete(refusedUntil.keys().next().value!)
      // A refresh that cured nothing is charged once, however many requests met it.
      const version = `${generation} ${revision}`
      if (version === lastCharged) return
      lastCharged = version
      records.update((old) => (old?.signedIn ? chargeBudget(old, clock.now()) : undefined)).catch(() => {})
    },
    remove(request) {
      if (refusedUntil.size) refusedUntil.delete(keyOf(request.route))
    },
  }
}
