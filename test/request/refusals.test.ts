// A route that refuses for reasons of its own: its answer comes through, and nothing is refreshed again and again for it.

import { createSession } from 'resesh'
import { expect, onTestFinished, test } from 'vitest'
import { bearerBackend, createClock, login, settled, setup, sharedStorage, url } from '../support/session.ts'

const METHODS = ['GET', 'DELETE', 'POST', 'PUT', 'PATCH', 'OPTIONS', 'HEAD', 'QUERY', 'LINK', 'UNLINK']

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

test('a route that refuses every token has a refresh after 1 s, 2 s, 4 s and so on, at most once a minute', async () => {
  const clock = createClock()
  const { server, session } = await setup(
    { refreshAhead: 'never' },
    { clock, knobs: { accessTokenLifeSeconds: 86_400 } },
  )
  await session.fetch(url('/api/refused'))
  const at: number[] = []
  let known = server.stats.refreshes
  for (let second = 1; second <= 250; second++) {
    await clock.pass(1_000)
    expect((await session.fetch(url('/api/refused'))).status).toBe(401)
    if (server.stats.refreshes > known) at.push(second)
    known = server.stats.refreshes
  }
  const gaps = at.map((second, nth) => second - (at[nth - 1] ?? 0))
  expect(gaps).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60].slice(0, gaps.length))
  expect(gaps.length).toBeGreaterThan(7)
})

test('a token that dies right after it was minted locks no route out', async () => {
  const clock = createClock()
  const { server, session } = await setup({}, { clock })
  const late = async (): Promise<number> => (await session.fetch(url('/api/me'))).status
  server.knobs.alwaysExpired = true
  expect(await late()).toBe(401)
  server.knobs.alwaysExpired = false
  server.expireAccessTokens()
  expect(await late()).toBe(401) // refused moments ago, with the same token
  await clock.pass(1_000)
  expect(await late()).toBe(200)
  expect(server.stats.refreshes).toBe(2)
})

test('a newer token gives a refused route another chance at once', async () => {
  const { server, session } = await setup({}, { clock: createClock() })
  server.knobs.alwaysExpired = true
  expect((await session.fetch(url('/api/me'))).status).toBe(401)
  server.knobs.alwaysExpired = false
  await session.refresh()
  server.expireAccessTokens()
  expect((await session.fetch(url('/api/me'))).status).toBe(200)
  expect(server.stats.refreshes).toBe(3)
})

test('two routes that refuse everything do not make new tokens for each other for ever', async () => {
  const clock = createClock()
  const { server, session } = await setup({ refreshAhead: 'never' }, { clock })
  for (let time = 0; time < 40; time++)
    for (const method of ['GET', 'DELETE']) await session.fetch(url('/api/refused'), { method })
  expect(server.stats.refreshes).toBeLessThanOrEqual(4)
})

test('routes that refuse everything stop no refresh that other requests need', async () => {
  const { server, session } = await setup({}, { clock: createClock() })
  for (const method of [...METHODS, 'LOCK', 'UNLOCK']) {
    server.expireAccessTokens()
    expect((await session.fetch(url('/api/me'))).status).toBe(200)
    expect((await session.fetch(url('/api/refused'), { method })).status).toBe(401)
  }
  server.expireAccessTokens()
  expect((await session.fetch(url('/api/me'))).status).toBe(200)
})

test('five refreshes that cured nothing, where no request was served, put the next one off for a second', async () => {
  const clock = createClock()
  const { server, session } = await setup({}, { clock })
  for (const method of METHODS) await session.fetch(url('/api/refused'), { method })
  expect(server.stats.refreshes).toBe(5)
  server.expireAccessTokens()
  expect((await session.fetch(url('/api/me'))).status).toBe(401)
  await clock.pass(1_000)
  expect((await session.fetch(url('/api/me'))).status).toBe(200)
})

test('one refresh that cured nothing is charged once, however many tabs meet it', async () => {
  const storage = sharedStorage()
  const { server, session, wire } = await setup({ storage })
  const more = Array.from({ length: 6 }, () => {
    const tab = createSession({
      backend: bearerBackend(),
      storage,
      origins: [url('')],
      platform: { fetch: wire.fetch },
    })
    onTestFinished(tab.dispose)
    return tab
  })
  await Promise.all(more.map((tab) => tab.ready()))
  server.knobs.alwaysExpired = true
  await Promise.all([session, ...more].map((tab, nth) => tab.fetch(url(`/api/items/${nth}`))))
  await settled()
  expect(JSON.parse(storage.text!).record.wasted).toHaveLength(1)
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
