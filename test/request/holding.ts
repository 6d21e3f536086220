// A request that waits.

import type { Setup } from '../support/session.ts'

/** Held until a refresh that does not end before the test says so. */
export const holding = async ({ server, session, wire }: Setup, ...requests: Parameters<typeof session.fetch>[]) => {
  server.expireAccessTokens()
  const refresh = wire.hold('/auth/refresh')
  const responses = requests.map((args) => session.fetch(...args))
  responses.forEach((response) => void response.catch(() => {}))
  await refresh.arrived
  return { release: refresh.release, responses }
}
