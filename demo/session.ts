// The session of the demo, as an app would make it.

import { createSession } from 'resesh'
import { bearer } from 'resesh/backends/bearer'
import type { Profile } from '../test/servers/sample/profile.ts'

export interface Claims {
  sub: string
  name: string
  role: string
  org: string
  exp: number
}

export const session = createSession<Profile, Claims>({
  backend: bearer<Profile>({ refreshUrl: '/auth/refresh', signOutUrl: '/auth/logout', userUrl: '/auth/user' }),
  // Nothing happens that was not asked for: the timeline shows what a click does.
  refreshAhead: 'never',
  // What the sample server grants here, so that a refresh whose answer was lost can be sent again.
  replayWindow: 10_000,
})

export type DemoSession = typeof session

/** Past the session, and so not drawn: what the page wants to know of the sample server. */
export const askServer = async <T>(path: string, body?: unknown): Promise<T> => {
  const response = await fetch(path, body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) })
  return JSON.parse((await response.text()) || 'null')
}
