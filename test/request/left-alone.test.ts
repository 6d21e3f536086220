// Requests that are none of the session's business, or that may not wait for it.

import { bearer } from 'resesh/backends/bearer'
import { expect, test } from 'vitest'
import { settled, setup, url } from '../support/session.ts'
import { loading } from './loading.ts'

test.each<[string, string, boolean]>([
  ['/refresh', 'https://app.test/refresh', true],
  ['/refresh', 'https://app.test/refresh?from=app#top', true],
  ['/refresh?tenant=a', 'https://app.test/refresh', true],
  ['https://auth.test/refresh', 'https://auth.test/refresh', true],
  ['https://auth.test/refresh', 'https://app.test/refresh', false],
  ['/refresh', 'https://app.test/api/feed/refresh', false],
])('with the endpoint %s a request to %s is of its own: %s', (refreshUrl, asked, isOwn) => {
  expect(bearer({ refreshUrl }).owns!(asked, 'POST')).toBe(isOwn)
})

test('with nobody signed in a 401 is handed back, and nothing is refreshed', async () => {
  const { server, session, wire } = await setup({ initial: null })
  const response = await session.fetch(url('/api/me'))
  expect(response.status).toBe(401)
  expect(wire.sent[0]!.headers.has('authorization')).toBe(false)
  expect(server.stats.refreshes).toBe(0)
})

test('a wrong password is not an expired session', async () => {
  const { session } = await setup({ initial: null })
  const response = await session.fetch(url('/auth/login'), { method: 'POST', body: '{"username":"ann"}' })
  expect(response.status).toBe(401)
  expect(await response.json()).toEqual({ error: 'wrong_password' })
  expect(session.current.status).toBe('unauthenticated')
})

test('a request that outlives the page is not held', async () => {
  const { session, wire } = loading()
  void session.fetch(url('/api/me'), { keepalive: true }).catch(() => {})
  await settled()
  expect(wire.to('/api/me')).toHaveLength(1)
  expect(session.current.status).toBe('loading')
})

test("the backend's own endpoints are not held", async () => {
  const { session, wire } = loading()
  await session.fetch(url('/auth/refresh'), { method: 'POST', body: '{}' })
  expect(wire.sent).toHaveLength(1)
})

test("a 401 of the backend's own endpoint is never cured by a refresh", async () => {
  const { session, wire } = await setup()
  const response = await session.fetch(url('/auth/refresh'), { method: 'POST', body: '{}' })
  expect(response.status).toBe(401)
  expect(wire.sent).toHaveLength(1)
})

test('a request without the session is not held', async () => {
  const { session } = loading()
  expect((await session.fetch(url('/api/me'), { session: false })).status).toBe(401)
})

test('a request without the session carries no token, and its 401 starts nothing', async () => {
  const { server, session, wire } = await setup()
  expect((await session.fetch(url('/api/me'), { session: false })).status).toBe(401)
  expect(wire.sent[0]!.headers.has('authorization')).toBe(false)
  expect(server.stats.refreshes).toBe(0)
})
