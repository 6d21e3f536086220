// A session of which nobody knows yet who is signed in.

import { type Backend, createSession } from 'resesh'
import { onTestFinished } from 'vitest'
import { createSampleServer } from '../servers/sample/server.ts'
import { bearerBackend, createClock, createWire, fetchOf } from '../support/session.ts'

export const never = () => new Promise<never>(() => {})

/** Nobody knows yet who is signed in. */
export const loading = (backend: Backend = { ...bearerBackend(), restore: never }) => {
  const clock = createClock()
  const server = createSampleServer({ now: clock.now })
  const wire = createWire(fetchOf(server))
  const session = createSession({ backend, platform: { fetch: wire.fetch, ...clock.platform } })
  onTestFinished(session.dispose)
  return { clock, server, session, wire }
}
