// A session that starts with what its page knows: at once, and whatever happens at once after it counts.

import { createSession } from 'resesh'
import { expect, onTestFinished, test } from 'vitest'
import { createSampleServer } from '../servers/sample/server.ts'
import { bearerBackend, createWire, fetchOf, login, settled, url } from '../support/session.ts'

/** Made this very moment, with what the page knows. */
const fresh = async () => {
  const server = createSampleServer()
  const initial = await login(server)
  const wire = createWire(fetchOf(server))
  const make = () => {
    const session = createSession({ backend: bearerBackend(), initial, platform: { fetch: wire.fetch } })
    onTestFinished(session.dispose)
    return session
  }
  return { make, server, wire }
}

test('what the page knows serves the first request at once, through an expiry too', async () => {
  const { make, server } = await fresh()
  server.expireAccessTokens()
  expect((await make().fetch(url('/api/me'))).status).toBe(200)
  expect(server.stats.refreshes).toBe(1)
})

test('a sign-out at once after the start is not undone by what the page knew', async () => {
  const { make, server } = await fresh()
  const session = make()
  await session.signOut()
  await settled()
  expect(session.current.status).toBe('unauthenticated')
  expect(server.sessions).toBe(0)
})

test('a sign-in at once after the start is not undone by what the page knew', async () => {
  const { make, server } = await fresh()
  const bob = await login(server, 'bob')
  const session = make()
  await session.signIn(bob)
  await settled()
  expect(await session.getToken()).toBe(bob.accessToken)
})

test('a request at once after the start is not sent as the one who signs in meanwhile', async () => {
  const { make, server, wire } = await fresh()
  server.expireAccessTokens()
  const bob = await login(server, 'bob')
  const late = wire.hold('/api/me')
  const session = make()
  const response = session.fetch(url('/api/me'))
  await session.signIn(bob)
  await late.arrived
  late.release()
  await response.catch(() => {})
  expect(wire.to('/api/me')).toHaveLength(1)
})
