// A refresh that is under way, for the tests of what comes in between.

import { type Setup, url } from '../support/session.ts'

/** The access token was refused; a refresh is at the server, and its answer is on the way. */
export const refreshing = async (state: Setup, ...paths: string[]) => {
  state.server.expireAccessTokens()
  const refresh = state.wire.hold('/auth/refresh')
  const responses = paths.map((path) => state.session.fetch(url(path)))
  responses.forEach((response) => void response.catch(() => {}))
  if (!paths[0]) void state.session.refresh().catch(() => {})
  await refresh.arrived
  return { refresh, responses }
}
