// A route that refuses for reasons of its own: its answer comes through, and nothing is refreshed again and again for it.

import { expect, test } from 'vitest'
import { createClock, login, setup, url } from '../support/session.ts'

test('a route that always answers 401 gets its 401 through after one refresh', async () => {
  const { server, session, wire } = await setup()
  const response = await session.fetch(url('/api/refused'))
  expect(response.status).toBe(401)
  expect(await response.json()).toEqual({ error: 'invalid_token' })
  expect(server.stats.refreshes).toBe(1)
  expect(wire.to('/api/refused')).toHaveLength(2)
})

test('a route that was refused after a refresh is not refreshed for again', async () => {
  const { server, session, wire } = await setup()
  await session.fetch(url('/api/refused'))
  const again = await session.fetch(url('/api/refused?page=2'))
  expect(again.status).toBe(401)
  expect(server.stats.refreshes).toBe(1)
  expect(wire.to('/api/refused')).toHaveLength(3)
})

test('a refusal is of one method: another one of the same path is refreshed for', async () => {
  const { server, session } = await setup()
  await session.fetch(url('/api/refused'))
  await session.fetch(url('/api/refused'), { method: 'DELETE' })
  expect(server.stats.refreshes).toBe(2)
})

test('a refusal is forgotten at the next sign-in', async () => {
  const { server, session } = await setup()
  await session.fetch(url('/api/refused'))
  await session.signIn(await login(server))
  await session.fetch(url('/api/refused'))
  expect(server.stats.refreshes).toBe(2)
})

test('a refusal is forgotten after 60 s where the life of a token is unknown', async () => {
  const clock = createClock()
  const { server, session } = await setup({}, { clock, knobs: { refreshFailures: ['no-expiry'] } })
  await session.fetch(url('/api/refused'))
  await clock.pass(59_000)
  await session.fetch(url('/api/refused'))
  expect(server.stats.refreshes).toBe(1)
  await clock.pass(2_000)
  await session.fetch(url('/api/refused'))
  expect(server.stats.refreshes).toBe(2)
})

test('no request is sent more than three times, however often the token moves on', async () => {
  const { session, wire } = await setup()
  const holds = [1, 2, 3].map(() => wire.hold('/api/refused'))
  const refused = session.fetch(url('/api/refused'))
  for (const held of holds) {
    await held.arrived
    await session.refresh() // so that each 401 speaks of an old token
    held.release()
  }
  expect((await refused).status).toBe(401)
  expect(wire.to('/api/refused')).toHaveLength(3)
})

test('an API that refuses everybody is asked no more than twice per request', async () => {
  const { session, wire } = await setup({}, { knobs: { alwaysExpired: true } })
  expect((await session.fetch(url('/api/me'))).status).toBe(401)
  expect(wire.to('/api/me')).toHaveLength(2)
  expect(session.current.status).toBe('authenticated')
})

test('a route that has served again since may have a refresh again', async () => {
  const { session, server } = await setup({}, { knobs: { alwaysExpired: true } })
  const statuses = async () => [(await session.fetch(url('/api/me'))).status, server.stats.refreshes]
  expect(await statuses()).toEqual([401, 1])
  expect(await statuses()).toEqual([401, 1]) // remembered
  server.knobs.alwaysExpired = false
  expect(await statuses()).toEqual([200, 1])
  server.expireAccessTokens()
  expect(await statuses()).toEqual([200, 2])
})
