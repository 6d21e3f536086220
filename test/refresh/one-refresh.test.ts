// One refresh, everything replayed: what a caller of fetch sees of it.

import { defineBackend } from 'resesh'
import { expect, test } from 'vitest'
import { createSampleServer } from '../servers/sample/server.ts'
import { cookieBackend, createClock, jwt, oauth2Backend, setup, url } from '../support/session.ts'

test('a request with a good token needs no refresh', async () => {
  const { server, session } = await setup()
  const response = await session.fetch(url('/api/me'))
  expect(response.status).toBe(200)
  expect(server.stats.refreshes).toBe(0)
})

test('a thousand requests on a session known to be expired: one refresh, 1,001 requests on the wire, no failure', async () => {
  const clock = createClock()
  const { server, session, wire } = await setup({}, { clock })
  await clock.pass(61_000)
  const all = await Promise.all(Array.from({ length: 1000 }, (_, i) => session.fetch(url(`/api/items/${i}`))))
  expect(all.every(({ status }) => status === 200)).toBe(true)
  expect(server.stats.refreshes).toBe(1)
  expect(wire.sent).toHaveLength(1001)
})

test('a thousand requests that only the server knows to be expired: one refresh, no failure', async () => {
  const { server, session, wire } = await setup()
  server.expireAccessTokens()
  const all = await Promise.all(Array.from({ length: 1000 }, (_, i) => session.fetch(url(`/api/items/${i}`))))
  expect(all.every(({ status }) => status === 200)).toBe(true)
  expect(server.stats.refreshes).toBe(1)
  expect(wire.sent.length).toBeLessThanOrEqual(2001)
})

test('a 401 that lands after the refresh is replayed, not refreshed', async () => {
  const { server, session, wire } = await setup()
  server.expireAccessTokens()
  const late = wire.hold('/api/items/1')
  const first = session.fetch(url('/api/items/1')) // refused with the old token, answered last
  await late.arrived
  await session.fetch(url('/api/items/2')) // meets the expiry, refreshes
  late.release()
  expect((await first).status).toBe(200)
  expect(server.stats.refreshes).toBe(1)
})

test('a held request goes out with the old token if the refresh fails while that is still good', async () => {
  const clock = createClock()
  const { server, session, wire } = await setup({}, { clock, knobs: { refreshFailures: [500] } })
  const old = await session.getToken()
  await clock.pass(55_000)
  const response = await session.fetch(url('/api/me'))
  expect(response.status).toBe(200)
  expect(wire.to('/api/me')[0]!.headers.get('authorization')).toBe(`Bearer ${old}`)
  expect(server.stats.refreshes).toBe(1)
})

test('a cookie session is refreshed once for all who met its 401', async () => {
  const server = createSampleServer({ knobs: { bffSilentRefresh: false } })
  const { session } = await setup({ backend: cookieBackend(), initial: null }, { server })
  await session.signIn(async ({ fetch }) => {
    const body = JSON.stringify({ username: 'ann', password: 'secret' })
    await fetch(url('/bff/login'), { method: 'POST', headers: { 'x-bff': '1' }, body })
  })
  server.expireAccessTokens()
  const all = await Promise.all(Array.from({ length: 50 }, (_, i) => session.fetch(url(`/api/items/${i}`))))
  expect(all.every(({ status }) => status === 200)).toBe(true)
  expect(server.stats.refreshes).toBe(1)
})

test('an OAuth 2 session is refreshed once for all who met its 401', async () => {
  const { server, session } = await setup({ backend: oauth2Backend() })
  server.expireAccessTokens()
  const all = await Promise.all(Array.from({ length: 50 }, (_, i) => session.fetch(url(`/api/items/${i}`))))
  expect(all.every(({ status }) => status === 200)).toBe(true)
  expect(server.stats.refreshes).toBe(1)
})

test('an answer without a refresh token leaves the one that is held', async () => {
  const asked: unknown[] = []
  const backend = defineBackend({
    async refresh({ refreshToken }) {
      asked.push(refreshToken)
      return { accessToken: jwt({ n: asked.length }) }
    },
  })
  const { session } = await setup({ backend, initial: { accessToken: jwt({}), refreshToken: 'lasting' } })
  await session.refresh()
  await session.refresh()
  expect(asked).toEqual(['lasting', 'lasting'])
})
