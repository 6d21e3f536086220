// The machine sleeps: the wall clock has moved on, the monotonic clock and all timers stood still. So it is on macOS, Linux,
// iOS and Android. Life runs on whichever clock has moved further.

import { defineBackend, type Platform, type SessionOptions } from 'resesh'
import { sideTokens } from 'resesh/side-tokens'
import { expect, test } from 'vitest'
import { createClock as createRuntimeClock } from '../../src/runtime/clock.ts'
import { createSampleServer } from '../servers/sample/server.ts'
import { answering } from '../support/answering.ts'
import { createClock, setup, sharedStorage, url } from '../support/session.ts'

const hour = 3_600_000

/** A page, and what tells it of an event. */
const listening = () => {
  const listeners = new Map<string, (event: object) => void>()
  const addEventListener = (type: string, run: (event: object) => void): void => void listeners.set(type, run)
  const document = { visibilityState: 'visible', baseURI: url('/'), cookie: '', addEventListener }
  const platform = { document, addEventListener } as unknown as Platform
  return { platform, dispatch: (type: string): void => listeners.get(type)!({ type }) }
}

const awake = async (options: Partial<SessionOptions> = {}, lifeSeconds = 300) => {
  const clock = createClock()
  const server = createSampleServer({
    now: clock.now,
    knobs: { accessTokenLifeSeconds: lifeSeconds, sessionLifeSeconds: 86_400 },
  })
  const state = await setup({ refreshAhead: 'never', ...options }, { server, clock })
  const sleep = (ms: number): void => clock.setWall(clock.now() + ms)
  return { ...state, clock, sleep }
}

test('a thousand requests after two hours of sleep cost one refresh', async () => {
  const { session, server, wire, sleep } = await awake()
  sleep(2 * hour)
  const statuses = await Promise.all(
    Array.from({ length: 1000 }, async () => (await session.fetch(url('/api/me'))).status),
  )
  expect(new Set(statuses)).toEqual(new Set([200]))
  expect(server.stats.refreshes).toBe(1)
  expect(wire.sent).toHaveLength(1001)
})

test('getToken hands out no token that died while the machine slept', async () => {
  const { session, server, sleep } = await awake()
  const old = await session.getToken()
  sleep(2 * hour)
  expect(await session.getToken()).not.toBe(old)
  expect(server.stats.refreshes).toBe(1)
  await session.getToken()
  expect(server.stats.refreshes).toBe(1)
})

test('two sleeps and the time between add up to one life', async () => {
  const { session, server, clock, sleep } = await awake()
  for (let nth = 0; nth < 2; nth++) {
    sleep(100_000)
    await session.getToken()
    await clock.pass(40_000)
  }
  expect(server.stats.refreshes).toBe(0)
  sleep(20_000)
  await session.getToken()
  expect(server.stats.refreshes).toBe(1)
})

test.each([0.9 * hour, 2 * hour])('a wall clock that is set back by %i ms hides no later sleep', async (back) => {
  const { session, server, sleep } = await awake()
  sleep(-back)
  await session.getToken()
  expect(server.stats.refreshes).toBe(0)
  sleep(301_000)
  await session.getToken()
  expect(server.stats.refreshes).toBe(1)
})

test('a wall clock that is set back lengthens no life', async () => {
  const { session, server, clock, sleep } = await awake()
  await clock.pass(200_000)
  sleep(-hour)
  await clock.pass(99_000)
  await session.getToken()
  expect(server.stats.refreshes).toBe(1)
})

test.each([hour, -hour])('a wall clock set by %i ms while requests are held: one refresh, all served', async (jump) => {
  const clock = createClock()
  const server = createSampleServer({ now: () => 0 })
  const { session, wire } = await setup({ refreshAhead: 'always' }, { server, clock })
  server.expireAccessTokens()
  const answer = wire.hold('/auth/refresh')
  const responses = [1, 2, 3].map(() => session.fetch(url('/api/me')))
  await answer.arrived
  clock.setWall(clock.now() + jump)
  answer.release()
  for (const response of responses) expect((await response).status).toBe(200)
  await clock.pass(1000)
  expect(server.stats).toMatchObject({ refreshes: 1, thefts: 0 })
})

test('a machine that sleeps while a refresh is under way loses no session', async () => {
  const { session, server, wire, clock, sleep } = await awake()
  server.expireAccessTokens()
  const answer = wire.hold('/auth/refresh')
  const response = session.fetch(url('/api/me'))
  await answer.arrived
  sleep(100_000)
  await clock.pass(1000)
  answer.release()
  expect((await response).status).toBe(200)
  expect(server.stats).toMatchObject({ refreshes: 1, thefts: 0 })
})

test('a cool-down passes while the machine sleeps', async () => {
  const { session, server, sleep } = await awake()
  server.knobs.refreshFailures = [429]
  sleep(301_000)
  await session.getToken().catch(() => {})
  sleep(10 * 60_000)
  expect(await session.getToken()).toEqual(expect.any(String))
})

test.each(['online', 'pageshow', 'resume', 'visibilitychange'])(
  'the timer of refresh-ahead is set anew on %s',
  async (event) => {
    const { platform, dispatch } = listening()
    const { server, clock, sleep } = await awake({ refreshAhead: 'visible', platform })
    sleep(290_000)
    await clock.pass(1000)
    expect(server.stats.refreshes).toBe(0) // timers stood still as well
    dispatch(event)
    await clock.pass(1000)
    expect(server.stats.refreshes).toBe(1)
  },
)

test('side tokens die while the machine sleeps', async () => {
  let minted = 0
  const backend = {
    ...defineBackend({ refresh: async () => ({ accessToken: 'next', refreshToken: 'r' }) }),
    mints: ['resource'] as const,
    token: async () => ({ accessToken: `side-${++minted}`, expiresInSeconds: 300 }),
  }
  const clock = createClock()
  const initial = { accessToken: 'first', refreshToken: 'r' }
  const { session } = await setup({ backend, initial, use: [sideTokens()], origins: [url('')] }, { clock })
  const target = { resource: 'files' }
  expect(await session.getToken(target)).toBe('side-1')
  await clock.pass(200_000)
  expect(await session.getToken(target)).toBe('side-1')
  clock.setWall(clock.now() + 2 * hour)
  expect(await session.getToken(target)).toBe('side-2')
  clock.setWall(clock.now() - hour)
  expect(await session.getToken(target)).toBe('side-2')
  await clock.pass(296_000)
  expect(await session.getToken(target)).toBe('side-3')
})

test('a route that refused a fresh token gets another chance after a sleep as long as that token lived', async () => {
  const { session, clock, refreshes } = await answering(
    { accessToken: 'next', expiresInSeconds: 300 },
    { initial: { accessToken: 'first' }, platform: { fetch: async () => new Response('', { status: 401 }) } },
  )
  await session.fetch(url('/own'))
  await session.fetch(url('/own'))
  expect(refreshes()).toBe(1)
  clock.setWall(clock.now() + 2 * hour)
  await session.fetch(url('/own'))
  expect(refreshes()).toBeGreaterThan(1)
})

test('a tab that opens after the wall clock was set back takes no token for younger than it can tell', async () => {
  const clock = createClock()
  const server = createSampleServer({ now: () => clock.now(), knobs: { accessTokenLifeSeconds: 300 } })
  const storage = sharedStorage()
  await setup({ storage, refreshAhead: 'never' }, { server, clock })
  await clock.pass(200_000)
  clock.setWall(clock.now() - hour)
  server.expireAccessTokens()
  const second = await setup({ storage, refreshAhead: 'never', initial: undefined as never }, { server, clock })
  await clock.pass(100)
  await second.session.getToken()
  expect(server.stats.refreshes).toBe(1)
  await second.session.getToken()
  expect(server.stats.refreshes).toBe(1)
})

test("two tabs whose wall clocks differ do not take each other's tokens for spent without end", async () => {
  const clock = createClock()
  const server = createSampleServer({ now: () => clock.now(), knobs: { accessTokenLifeSeconds: 300 } })
  const storage = sharedStorage()
  const options = { storage, refreshAhead: 'never' } as const
  const { session: behind } = await setup(options, { server, clock })
  const now = (): number => clock.now() + hour
  const Date = Object.assign(class extends globalThis.Date {}, { now }) as DateConstructor
  const platform = { ...clock.platform, Date }
  const { session: ahead } = await setup(
    { ...options, initial: undefined as never },
    { server, clock: { ...clock, now, platform } },
  )
  for (let turn = 0; turn < 20; turn++) {
    await clock.pass(500)
    for (const session of [ahead, behind]) expect((await session.fetch(url('/api/me'))).status).toBe(200)
  }
  expect(server.stats.refreshes).toBeLessThanOrEqual(3)
})

test('news of another tab about the held token make it no younger after the wall clock was set back', async () => {
  const clock = createClock()
  const storage = sharedStorage()
  const { platform, dispatch } = listening()
  const server = createSampleServer({ now: () => 0, knobs: { accessTokenLifeSeconds: 300 } })
  const { session } = await setup({ storage, platform, refreshAhead: 'never' }, { server, clock })
  await clock.pass(280_000)
  clock.setWall(clock.now() - 270_000)
  // A rotated refresh token, as a side token of another tab leaves it: the access token stays.
  const row = JSON.parse(storage.text!) as { record: { version: { revision: number } } }
  row.record.version.revision++
  storage.text = JSON.stringify(row)
  dispatch('pageshow')
  await clock.pass(15_000)
  await session.getToken()
  expect(server.stats.refreshes).toBe(1)
})

test('time passes evenly, however the two clocks are cut, and never back', () => {
  let time = 0
  let skew = 0
  const clock = createRuntimeClock(((name: string) =>
    name === 'Date'
      ? { now: () => Math.floor(time + skew) }
      : { now: () => Math.floor(time * 10) / 10 }) as unknown as Parameters<typeof createRuntimeClock>[0])
  const start = clock.mono()
  for (; time < 10_000; time += 0.37) clock.mono()
  expect(clock.mono() - start - time).toBeLessThan(2)
  let last = clock.mono()
  for (const jump of [-hour, 5 * hour, -2 * hour, 10, -10, 999, -999]) {
    skew += jump
    expect(clock.mono()).toBeGreaterThanOrEqual(last)
    last = clock.mono()
  }
})
