// A refresh that finds the session over: what tells that from a failure, and who is told.

import { defineBackend, RefreshFailedError, SessionEndedError } from 'resesh'
import { expect, test } from 'vitest'
import { oauth2Backend, setup, thrownBy, url } from '../support/session.ts'
import { failing, refused } from './failing.ts'

test('a session without a refresh token ends when its access token is refused', async () => {
  const { server, session } = await setup()
  const accessToken = (await session.getToken())!
  await session.signIn({ accessToken })
  server.expireAccessTokens()
  expect((await session.fetch(url('/api/me'))).status).toBe(401)
  expect(session.current).toMatchObject({ status: 'unauthenticated', reason: 'expired' })
})

test('a held request that has its 401 gets it back when the server ends the session', async () => {
  const { server, session, states } = await refused([])
  server.revoke('ann')
  const response = await session.fetch(url('/api/me'))
  expect([response.status, await response.json()]).toEqual([401, { error: 'invalid_token' }])
  expect(states).toMatchObject([{ status: 'unauthenticated', reason: 'expired', user: null, claims: null }])
})

test('a held request that was not sent goes out without credentials when the server ends the session', async () => {
  const { server, session, wire } = await failing([])
  server.revoke('ann')
  expect((await session.fetch(url('/api/me'))).status).toBe(401)
  expect(wire.to('/api/me').map(({ headers }) => headers.has('authorization'))).toEqual([false])
})

test('invalid_grant ends an OAuth 2 session', async () => {
  const { server, session } = await refused([], { backend: oauth2Backend() })
  server.revoke('ann')
  expect((await session.fetch(url('/api/me'))).status).toBe(401)
  expect(session.current).toMatchObject({ status: 'unauthenticated', reason: 'expired' })
})

test('another OAuth 2 error does not', async () => {
  const body = '{"error":"temporarily_unavailable"}'
  const { session } = await refused([{ status: 400, body }], { backend: oauth2Backend() })
  expect(await thrownBy(session.refresh())).toBeInstanceOf(RefreshFailedError)
  expect(session.current.status).toBe('authenticated')
})

test('a hundred requests that meet the end are told once, by one refresh', async () => {
  const { server, session, states } = await refused([])
  server.revoke('ann')
  const all = await Promise.all(Array.from({ length: 100 }, () => session.fetch(url('/api/me'))))
  expect(all.every(({ status }) => status === 401)).toBe(true)
  expect(states).toHaveLength(1)
  expect(server.stats.refreshes).toBe(1)
})

test('an answer that calls the refresh token stolen ends the session, once and without another try', async () => {
  const { server, session, states, wire } = await setup()
  await session.refresh()
  const { refreshToken } = JSON.parse(await wire.sent[0]!.text())
  const stolen = new Request(url('/auth/refresh'), { method: 'POST', body: JSON.stringify({ refreshToken }) })
  await server.handle(stolen) // the spent one: the family is over
  expect(server.stats.thefts).toBe(1)
  states.length = 0
  const before = server.stats.refreshes
  expect((await session.fetch(url('/api/me'))).status).toBe(401)
  expect(await session.getToken()).toBeNull()
  expect(states).toMatchObject([{ status: 'unauthenticated' }])
  expect(server.stats.refreshes - before).toBe(1)
})

test('a backend may say how the session ended', async () => {
  const backend = defineBackend({ refresh: () => Promise.reject(new SessionEndedError('reused')) })
  const { session } = await setup({ backend, initial: { accessToken: 'a' } })
  expect(await session.refresh()).toMatchObject({ status: 'unauthenticated', reason: 'reused' })
})

test('a session that is over refreshes no more', async () => {
  const { server, session, clock } = await refused([])
  server.revoke('ann')
  await session.fetch(url('/api/me'))
  await session.fetch(url('/api/me'))
  await clock.pass(600_000)
  expect(server.stats.refreshes).toBe(1)
})
