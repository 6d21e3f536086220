// The session of the demo, as an app would make it, and the way past it to whoever runs the server.

import { createSession, type Session } from 'resesh'
import { chosen } from './servers/choice.ts'

const { backend, name, replayWindow } = chosen

export const session: Session = createSession({
  backend: backend(),
  ...(name !== undefined && { name }),
  ...(replayWindow !== undefined && { replayWindow }),
  // Nothing happens that was not asked for: the timeline shows what a click does.
  refreshAhead: 'never',
})

export type DemoSession = typeof session

/** Past the session, and so not drawn: what the page wants to know of the server, or does to it. */
export const askServer = async <T>(what: string, body?: unknown): Promise<T> => {
  const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
  const response = await fetch(`${chosen.hand}/${what}`, init)
  return JSON.parse((await response.text()) || 'null')
}

/** The part of the knobs and the counts that every server has. */
export interface ServerState {
  stats: { requests: number; refreshes: number }
  knobs: Knobs
}
export interface Knobs {
  refreshDelayMs: number
  refreshFailures: unknown[]
  alwaysExpired: boolean
  accessTokenLifeSeconds: number
}
