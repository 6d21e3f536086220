// A session by itself: it needs no page, touches nothing global, and shares nothing with another.

import { createSession } from 'resesh'
import { expect, onTestFinished, test } from 'vitest'
import { createSampleServer } from '../servers/sample/server.ts'
import { over } from '../support/answering.ts'
import { bearerBackend, fetchOf, login, settled, url } from '../support/session.ts'

test('a session works where there is no page at all', async () => {
  const server = createSampleServer()
  const platform = {
    fetch: fetchOf(server),
    document: null,
    navigator: null,
    location: null,
    performance: null,
    addEventListener: null,
    localStorage: null,
    indexedDB: null,
    BroadcastChannel: null,
  }
  const session = createSession({ backend: bearerBackend(), platform })
  onTestFinished(session.dispose)
  expect((await session.ready()).status).toBe('unauthenticated')
  await session.signIn(await login(server))
  server.expireAccessTokens()
  expect((await session.fetch(url('/api/me'))).status).toBe(200)
  await session.signOut()
  expect(server.sessions).toBe(0)
})

test('making a session and taking it down touches nothing global', async () => {
  const names = () => Object.getOwnPropertyNames(globalThis).toSorted()
  const { fetch } = globalThis
  const before = names()
  const { session } = await over()
  await session.fetch(url('/a'))
  session.dispose()
  await settled()
  expect(names()).toEqual(before)
  expect(globalThis.fetch).toBe(fetch)
})

test('every method works without its session', async () => {
  const { session } = await over()
  const { fetch, getToken, refresh, reload, ready, signOut, on, subscribe } = session
  expect((await fetch(url('/a'))).status).toBe(200)
  expect(await getToken()).toBe('token-0')
  expect((await refresh()).status).toBe('authenticated')
  expect((await reload()).status).toBe('authenticated')
  expect((await ready()).status).toBe('authenticated')
  on('change', () => {})()
  subscribe(() => {})()
  expect((await signOut()).status).toBe('unauthenticated')
})

test('two sessions share nothing', async () => {
  const one = await over()
  const two = await over(undefined, { initial: { accessToken: 'of-two' }, name: 'two' })
  await one.session.refresh()
  expect(await two.session.getToken()).toBe('of-two')
})
