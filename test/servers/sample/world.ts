// What all routes of one server share, and the one way in which each face runs a refresh.

import { withFault, type Call, type Outcome } from './exchange.ts'
import type { Knobs, Shape } from './faults.ts'
import type { Users } from './profile.ts'
import type { Records } from './stats.ts'
import type { Tokens } from './tokens.ts'

export interface World {
  knobs: Knobs
  users: Users
  tokens: Tokens
  records: Records
  now(): number
}

const isShape = (fault: unknown): fault is Shape =>
  fault === 'no-expiry' || fault === 'past-exp' || fault === 'negative' || fault === 'opaque'

/** Counts it, takes the next fault and answers late if a knob says so; `route` is called at arrival. */
export const refreshing = async (
  { knobs, records }: World,
  call: Call,
  route: (shape?: Shape) => Outcome | Promise<Outcome>,
): Promise<Outcome> => {
  const { stats, era } = records
  stats.refreshes++
  stats.maxRefreshesInFlight = Math.max(stats.maxRefreshesInFlight, ++stats.refreshesInFlight)
  const fault = knobs.refreshFailures.shift()
  try {
    return await withFault(fault, knobs.refreshDelayMs, call, () => route(isShape(fault) ? fault : undefined))
  } finally {
    if (records.era === era) stats.refreshesInFlight--
  }
}
