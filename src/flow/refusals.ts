// Routes whose 401 is their own: refused right after a fresh refresh, so that another one would cure nothing.

import { type Version, wasted } from '../core/record.ts'
import type { Clock, Records } from '../ports.ts'
import type { Outgoing } from '../outgoing.ts'
import type { Store } from './store.ts'

export interface Refusals {
  has(request: Outgoing): boolean
  add(request: Outgoing, refusedWith: Version): Promise<void>
}

const MOST = 100
const UNKNOWN_LIFE = 60_000

export function createRefusals<U, C>(clock: Clock, records: Records<U>, store: Store<U, C>): Refusals {
  const until = new Map<string, number>()
  let generation = 0
  let charged = -1

  function forgetOthers(): void {
    if (generation === store.tab.version.generation) return
    generation = store.tab.version.generation
    charged = -1
    until.clear()
  }

  return {
    has(request) {
      if (until.size === 0) return false
      forgetOthers()
      return (until.get(request.route) ?? 0) > clock.mono()
    },
    async add(request, { revision }) {
      forgetOthers()
      until.delete(request.route)
      until.set(request.route, clock.mono() + (store.remaining() ?? UNKNOWN_LIFE))
      if (until.size > MOST) until.delete(until.keys().next().value!)
      if (revision <= charged) return // one refresh that cured nothing, however many met it
      charged = revision
      await records.update((old) => (old?.signedIn ? wasted(old, clock.now()) : undefined))
    },
  }
}
