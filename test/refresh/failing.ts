// A session whose refreshes fail, for the tests of what becomes of it.

import type { SessionOptions } from 'resesh'
import type { Fault } from '../servers/sample/server.ts'
import { type Clock, createClock, setup } from '../support/session.ts'

/** The token is spent, and refreshes fail one after the other with these. */
export const failing = async (faults: Fault[], options: Partial<SessionOptions> = {}) => {
  const clock = createClock()
  const state = await setup(options, { clock, knobs: { refreshFailures: faults } })
  await clock.pass(61_000)
  return { ...state, clock }
}

/** As failing, but the device takes the token for good. */
export const refused = async (faults: Fault[], options: Partial<SessionOptions> = {}) => {
  const clock = createClock()
  const state = await setup(options, { clock, knobs: { refreshFailures: faults } })
  state.server.expireAccessTokens()
  return { ...state, clock }
}

export const outcome = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error)

export const statusOf = async (response: Promise<Response>, clock: Clock, ms: number): Promise<unknown> => {
  const seen = outcome(response.then(({ status }) => status))
  await clock.pass(ms)
  return seen
}
