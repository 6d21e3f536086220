// Routes that refuse fresh tokens: their 401 is their own, and another refresh would cure nothing. But one token may also have
// died early, so that a refresh is tried again: at once for the next token, then on back-off.

import type { Context } from '../context.ts'
import { curedChange, wastedChange } from '../state/changes.ts'
import { refusalBackoff } from '../state/expiry.ts'
import { isNewer, type Version } from '../state/record.ts'

export interface RefusedRoutes {
  /** Whether no refresh is to be tried for a refusal of the token of this version by this route. */
  has(route: string, sentWith: Version): boolean
  /** The route has refused the token of this version, which a refresh had just brought. */
  add(route: string, refused: Version): void
  /** The route has served a request with the token of this version. */
  remove(request: { readonly route: string }, sentWith: Version): void
}

/** What is remembered of a route. */
interface Refusal {
  /** The last token that it refused right after a refresh, and how many such tokens it refused in a row. */
  readonly version: Version
  readonly tokens: number
  /** Monotonic ms from which on a refresh is tried again. */
  readonly until: number
}

const MAX_REMEMBERED = 100

const isSame = (a: Version, b: Version | undefined): boolean =>
  a.revision === b?.revision && a.generation === b.generation

export function createRefusedRoutes<U, C>({ runtime, store }: Context<U, C>): RefusedRoutes {
  const { clock, records } = runtime
  const refusals = new Map<string, Refusal>()
  let lastServed: Version | undefined
  let lastCharged: Version | undefined
  // Another session begins with none.
  const keyOf = (route: string): string => `${store.view.version.generation} ${route}`

  function remember(route: string, version: Version): void {
    const key = keyOf(route)
    const before = refusals.get(key)
    // Other requests may have met the same token.
    if (before && isSame(version, before.version)) return
    const tokens = (before?.tokens ?? 0) + 1
    refusals.delete(key)
    refusals.set(key, { version, tokens, until: clock.mono() + refusalBackoff(tokens) })
    if (refusals.size > MAX_REMEMBERED) refusals.delete(refusals.keys().next().value!)
  }

  return {
    has(route, sentWith) {
      const known = refusals.get(keyOf(route))
      if (!known) return false
      // Two routes that refuse everything would else make new tokens for each other for ever.
      const isAnotherChance = known.tokens === 1 && isNewer(sentWith, known.version)
      return !isAnotherChance && clock.mono() < known.until
    },
    add(route, refused) {
      remember(route, refused)
      // A refresh that has cured another request was worth its while.
      if (isSame(refused, lastServed) || isSame(refused, lastCharged)) return
      lastCharged = refused
      records.update(wastedChange(refused, clock.now())).catch(() => {})
    },
    remove(request, sentWith) {
      lastServed = sentWith
      if (refusals.size) refusals.delete(keyOf(request.route))
      if (!lastCharged || isNewer(lastCharged, sentWith)) return
      lastCharged = undefined
      records.update(curedChange(sentWith)).catch(() => {})
    },
  }
}
