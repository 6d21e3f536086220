// Requests that come before it is known who is signed in.

import { createSession, type Credentials, memory, RefreshTimeoutError } from 'resesh'
import { expect, onTestFinished, test } from 'vitest'
import { createSampleServer } from '../servers/sample/server.ts'
import {
  bearerBackend,
  cookieBackend,
  createWire,
  defer,
  fetchOf,
  login,
  settled,
  thrownBy,
  url,
} from '../support/session.ts'
import { loading } from './loading.ts'

test('a request made before it is known who is signed in waits for that', async () => {
  const { promise, resolve } = defer<Credentials | null>()
  const { clock, server, session, wire } = loading({ ...bearerBackend(), restore: () => promise })
  const response = session.fetch(url('/api/me'))
  await clock.pass(5_000)
  expect(wire.sent).toEqual([])
  resolve(await login(server))
  expect((await response).status).toBe(200)
})

test('a request is not sent bare when it stays unknown who is signed in', async () => {
  const { clock, session, wire } = loading()
  const response = session.fetch(url('/api/me')).catch((error: unknown) => error)
  await clock.pass(10_000)
  expect(await response).toBeInstanceOf(RefreshTimeoutError)
  expect(wire.to('/api/me')).toEqual([])
})

test('ready rejects after the timeout, and the first answer still counts when it comes', async () => {
  const { promise, resolve } = defer<Credentials | null>()
  const { clock, session } = loading({ ...bearerBackend(), restore: () => promise })
  const first = session.ready().catch((error: unknown) => error)
  await clock.pass(10_000)
  expect(await first).toBeInstanceOf(RefreshTimeoutError)
  await clock.pass(5_000) // asked again
  resolve(null)
  expect((await session.ready()).status).toBe('unauthenticated')
})

test('whoever waits to learn who is signed in is let go when the session is disposed of', async () => {
  const { session, wire } = loading()
  const waiting = [session.ready(), session.getToken(), session.refresh(), session.fetch(url('/api/me'))]
  await settled()
  session.dispose()
  for (const each of waiting) expect(await thrownBy(each)).toMatchObject({ code: 'ERR_DISPOSED' })
  expect(wire.sent).toEqual([])
})

test('with a cookie session no request waits to learn who is signed in', async () => {
  const { session, wire } = loading(cookieBackend())
  wire.hold('/bff/session')
  void session.fetch(url('/api/me')).catch(() => {})
  await settled()
  expect(wire.to('/api/me')).toHaveLength(1)
  expect(session.current.status).toBe('loading')
})

test('what a cookie session’s 401 means is known only once it is known who is signed in', async () => {
  const server = createSampleServer({ knobs: { bffSilentRefresh: false } })
  const wire = createWire(fetchOf(server))
  const headers = { 'x-bff': '1', 'content-type': 'application/json' }
  await wire.fetch(url('/bff/login'), { method: 'POST', headers, body: '{"username":"ann","password":"secret"}' })
  server.expireAccessTokens()
  const held = wire.hold('/bff/session')
  const session = createSession({ backend: cookieBackend(), storage: memory(), platform: { fetch: wire.fetch } })
  onTestFinished(session.dispose)
  const asked = session.fetch(url('/api/me'))
  await settled()
  held.release()
  expect((await asked).status).toBe(200)
})
