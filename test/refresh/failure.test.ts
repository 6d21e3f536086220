// When it can't be found out how the session is: nobody is signed out, nothing is lost, and it heals.

import { RefreshFailedError, RefreshTimeoutError, type Session } from 'resesh'
import { bearer } from 'resesh/backends/bearer'
import { expect, test } from 'vitest'
import type { Fault } from '../servers/sample/server.ts'
import { createClock, settled, setup, thrownBy, url } from '../support/session.ts'
import { failing, outcome, refused, statusOf } from './failing.ts'

const names = (states: Session['current'][]) => states.map(({ reason }) => reason)

test.each<[string, Fault[], number]>([
  ['500', [500], 2],
  ['500 twice', [500, 500], 3],
  ['503 with Retry-After', [503], 2],
  ['429 with Retry-After', [{ status: 429, retryAfter: 2 }], 2],
  ['408', [408], 2],
  ['a dropped connection', ['drop-before'], 2],
  ['an empty answer', ['empty'], 2],
  ['JSON that is cut off', [{ status: 200, body: '{"accessToken":"e' }], 2],
  ['JSON without a token', [{ status: 200, body: '{}' }], 2],
  ['JSON null', [{ status: 200, body: 'null' }], 2],
])('a held request is served although the refresh met %s', async (_, faults, refreshes) => {
  const { server, session, states, clock } = await failing(faults)
  expect(await statusOf(session.fetch(url('/api/me')), clock, 30_000)).toBe(200)
  expect(server.stats.refreshes).toBe(refreshes)
  expect(names(states)).toEqual(['stale', 'recovered'])
})

test.each<[string, Fault[]]>([
  ['500', [500]],
  ['503 with Retry-After', [503]],
  ['a dropped connection', ['drop-before']],
])('a request that has its 401 is served although the refresh met %s', async (_, faults) => {
  const { session, clock } = await refused(faults)
  expect(await statusOf(session.fetch(url('/api/me')), clock, 30_000)).toBe(200)
})

const wrongUrls: [string, Fault[]][] = [
  ['404', [404]],
  ['405', [405]],
  ['a redirect', [{ status: 302 }]],
  ['a page of HTML', ['html']],
]

test.each(wrongUrls)('a refresh that meets %s rejects what waits at once, and names the URL', async (_, faults) => {
  const { server, session, states, clock } = await failing(faults)
  const error = (await statusOf(session.fetch(url('/api/me')), clock, 100)) as RefreshFailedError
  expect(error).toMatchObject({ code: 'ERR_REFRESH_FAILED', isWrongUrl: true, refusal: expect.any(Response) })
  expect(error.message).toContain(`POST ${url('/auth/refresh')}: answered`)
  expect(error.message).toContain('check the path')
  expect(server.stats.refreshes).toBe(1)
  expect(session.current).toMatchObject({ status: 'authenticated', stale: true })
  expect(await statusOf(session.fetch(url('/api/me')), clock, 30_000)).toBe(200)
  expect(names(states)).toEqual(['stale', 'recovered'])
})

test.each(wrongUrls)('a request that has its 401 rejects at once where the refresh meets %s', async (_, faults) => {
  const { session, clock } = await refused(faults)
  expect(await statusOf(session.fetch(url('/api/me')), clock, 100)).toMatchObject({ isWrongUrl: true })
  expect(session.current.status).toBe('authenticated')
})

test('three failures in a row are handed to the caller, and the session is kept', async () => {
  const { session, clock } = await failing([500, 500, 500, 500])
  expect(await statusOf(session.fetch(url('/api/me')), clock, 6_000)).toBeInstanceOf(RefreshFailedError)
  expect(session.current).toMatchObject({ status: 'authenticated', stale: true })
})

test('a 401 is never handed back when it could not be found out whether the session lives', async () => {
  const { session, clock } = await refused([500, 500, 500, 500])
  expect(await statusOf(session.fetch(url('/api/me')), clock, 10_000)).toBeInstanceOf(RefreshFailedError)
})

test('a stale session heals by itself', async () => {
  const { session, states, clock } = await failing([500, 500, 500, 500])
  await statusOf(session.fetch(url('/api/me')), clock, 6_000)
  await clock.pass(60_000)
  expect(session.current).toMatchObject({ stale: false, reason: 'recovered' })
  expect(names(states)).toEqual(['stale', 'recovered'])
})

test('getToken rejects when the refresh fails, and the session is kept', async () => {
  const { session, clock } = await failing([500])
  const error = outcome(session.getToken())
  await clock.pass(0)
  expect(await error).toBeInstanceOf(RefreshFailedError)
  expect(session.current).toMatchObject({ status: 'authenticated', stale: true })
})

test('getToken answers the old token when the refresh fails while that is still good', async () => {
  const clock = createClock()
  const { session } = await setup({}, { clock, knobs: { refreshFailures: [500] } })
  const old = await session.getToken()
  await clock.pass(55_000)
  expect(await session.getToken()).toBe(old)
})

test('the error holds the answer, its body unread', async () => {
  const { session } = await failing([500])
  const { refusal: response } = (await thrownBy(session.refresh())) as RefreshFailedError
  expect([response!.status, await response!.json()]).toEqual([500, { error: 'fault' }])
})

test('the error holds what the network said', async () => {
  const { session, wire } = await setup()
  wire.isDown = true
  expect(await thrownBy(session.refresh())).toMatchObject({ cause: new TypeError('fetch failed') })
})

test('a forced refresh that fails while the token is good does not make the session stale', async () => {
  const { session, states } = await setup({}, { knobs: { refreshFailures: [500] } })
  await thrownBy(session.refresh())
  expect(states).toEqual([])
})

test('no refresh goes out before the time that the server asked for', async () => {
  const { server, session, clock } = await failing([{ status: 503, retryAfter: 4 }])
  const response = session.fetch(url('/api/me'))
  await clock.pass(4_000)
  expect(server.stats.refreshes).toBe(1)
  await clock.pass(4_000)
  expect((await response).status).toBe(200)
})

test('a Retry-After is a date as well as seconds', async () => {
  const { server, session, clock } = await failing([])
  server.knobs.refreshFailures = [{ status: 503, retryAfter: new Date(clock.now() + 4_000).toUTCString() }]
  const response = session.fetch(url('/api/me'))
  await clock.pass(3_900)
  expect(server.stats.refreshes).toBe(1)
  await clock.pass(5_000)
  expect((await response).status).toBe(200)
})

test('a caller does not wait for a server that wants peace longer than a refresh may take', async () => {
  const { session, clock } = await failing([{ status: 503, retryAfter: 60 }])
  expect(await statusOf(session.fetch(url('/api/me')), clock, 0)).toBeInstanceOf(RefreshFailedError)
})

test('a forced refresh respects the time that the server asked for', async () => {
  const { server, session } = await failing([{ status: 503, retryAfter: 60 }])
  await thrownBy(session.refresh())
  expect(await thrownBy(session.refresh())).toBeInstanceOf(RefreshFailedError)
  expect(server.stats.refreshes).toBe(1)
})

test('a refresh that hangs is a RefreshTimeoutError after the timeout, and the session is kept', async () => {
  const { session, clock } = await failing(['hang'])
  expect(await statusOf(session.fetch(url('/api/me')), clock, 10_000)).toBeInstanceOf(RefreshTimeoutError)
  expect(session.current).toMatchObject({ status: 'authenticated', stale: true })
})

test('a session whose refresh hung heals by itself', async () => {
  const { session, clock } = await failing(['hang'])
  await statusOf(session.fetch(url('/api/me')), clock, 10_000)
  await clock.pass(30_000)
  expect(session.current).toMatchObject({ stale: false, reason: 'recovered' })
})

test('the timeout covers the body of the answer too', async () => {
  const clock = createClock()
  const fetch = async () => new Response(new ReadableStream(), { headers: { 'content-type': 'application/json' } })
  const { session } = await setup({ platform: { fetch } }, { clock })
  const error = outcome(session.refresh())
  await clock.pass(10_000)
  expect(await error).toBeInstanceOf(RefreshTimeoutError)
})

test('an answer that comes after the timeout is taken all the same', async () => {
  const { server, session, states, wire, clock } = await failing([])
  const refresh = wire.hold('/auth/refresh')
  expect(await statusOf(session.fetch(url('/api/me')), clock, 10_000)).toBeInstanceOf(RefreshTimeoutError)
  refresh.release()
  await settled()
  expect(names(states)).toEqual(['stale', 'recovered'])
  expect((await session.fetch(url('/api/me'))).status).toBe(200)
  expect(server.stats.refreshes).toBe(1)
})

test('a refresh token whose answer may still come is not sent again before the first attempt is over', async () => {
  const { server, session, clock, wire } = await failing([])
  wire.hold('/auth/refresh')
  void outcome(session.fetch(url('/api/me')))
  await clock.pass(9_000)
  expect(server.stats.refreshes).toBe(1)
})

test('a refresh token whose connection was dropped is sent again on the ordinary back-off', async () => {
  const { server, session, clock } = await failing(['drop-before'])
  expect(await statusOf(session.fetch(url('/api/me')), clock, 2_000)).toBe(200)
  expect(server.stats).toMatchObject({ refreshes: 2, thefts: 0 })
})

test('a refresh token whose answer was lost is sent again at once where the server forgives it', async () => {
  const clock = createClock()
  const knobs = { refreshFailures: ['drop-after' as const], graceMs: 30_000 }
  const { server, session } = await setup({ replayWindow: 30_000 }, { clock, knobs })
  await clock.pass(61_000)
  expect(await statusOf(session.fetch(url('/api/me')), clock, 3_000)).toBe(200)
  expect(server.stats.thefts).toBe(0)
})

test('offline, a caller is told at once', async () => {
  const navigator = { onLine: false } as Navigator
  const { session, wire, clock } = await failing([], { platform: { navigator } })
  wire.isDown = true
  expect(await statusOf(session.fetch(url('/api/me')), clock, 0)).toBeInstanceOf(RefreshFailedError)
})

test('a stale session heals at once when the network is back', async () => {
  const page = new EventTarget()
  const addEventListener = page.addEventListener.bind(page) as typeof globalThis.addEventListener
  const navigator = { onLine: false } as Navigator
  const platform = { addEventListener, navigator }
  const { session, wire, clock } = await failing([], { platform, replayWindow: 60_000 })
  wire.isDown = true
  await statusOf(session.fetch(url('/api/me')), clock, 0)
  expect(session.current.stale).toBe(true)
  wire.isDown = false
  Object.assign(navigator, { onLine: true })
  page.dispatchEvent(new Event('online'))
  await settled() // no time has passed
  expect(session.current).toMatchObject({ stale: false, reason: 'recovered' })
})

test('automatic refreshes of a failing server are at most five in a minute, however many requests come', async () => {
  const { server, session, clock } = await failing(Array.from({ length: 100 }, () => 500))
  for (let second = 0; second < 59; second++) {
    void outcome(session.fetch(url('/api/me')))
    await clock.pass(1_000)
  }
  expect(server.stats.refreshes).toBeLessThanOrEqual(5)
})

test('automatic refreshes go on once a minute has passed', async () => {
  const { server, session, clock } = await failing(Array.from({ length: 5 }, () => 500))
  for (let second = 0; second < 59; second++) {
    void outcome(session.fetch(url('/api/me')))
    await clock.pass(1_000)
  }
  await clock.pass(200_000)
  expect(session.current).toMatchObject({ status: 'authenticated', stale: false })
  expect(server.stats.refreshes).toBe(6)
})

test('forced refreshes are not counted: they go out when five automatic ones have failed', async () => {
  const { server, session, clock } = await failing(Array.from({ length: 5 }, () => 500))
  for (let second = 0; second < 50; second++) {
    void outcome(session.fetch(url('/api/me')))
    await clock.pass(1_000)
  }
  const forced = outcome(session.refresh())
  await clock.pass(10_000)
  expect(await forced).toMatchObject({ status: 'authenticated', stale: false })
  expect(server.stats.refreshes).toBe(6)
})

test('refreshes that cured nothing are at most five in a minute, and the 401s are handed back', async () => {
  const { server, session } = await setup({}, { clock: createClock(), knobs: { alwaysExpired: true } })
  const statuses = []
  for (let i = 0; i < 20; i++) statuses.push((await session.fetch(url(`/api/items/${i}`))).status)
  expect(new Set(statuses)).toEqual(new Set([401]))
  expect(server.stats.refreshes).toBeLessThanOrEqual(5)
})

test('a refresh follows no redirect, which would carry its token along', async () => {
  const { session, wire } = await setup()
  await session.refresh()
  expect(wire.sent[0]!.args[1]).toMatchObject({ redirect: 'manual', cache: 'no-store' })
})

test.each([1e9, 1e300, new Date(8.64e15).toUTCString()])(
  'a Retry-After of %s is cut down to minutes',
  async (retryAfter) => {
    const clock = createClock()
    const { server, session } = await setup({}, { clock, knobs: { refreshFailures: [{ status: 503, retryAfter }] } })
    await clock.pass(61_000)
    await session.getToken().catch(() => {})
    expect(session.current.stale).toBe(true)
    await clock.pass(250_000)
    expect(server.stats.refreshes).toBe(1)
    await clock.pass(350_000)
    expect(session.current.stale).toBe(false)
  },
)

test.each([-5, 'soon', '', 'NaN'])('a Retry-After of %j counts as none', async (retryAfter) => {
  const clock = createClock()
  const { session } = await setup({}, { clock, knobs: { refreshFailures: [{ status: 503, retryAfter }] } })
  await clock.pass(61_000)
  const response = session.fetch(url('/api/me'))
  await clock.pass(5_000)
  expect((await response).status).toBe(200)
})

test('a user route that is not there: the message names its path and the option', async () => {
  const { session } = await setup({
    backend: bearer({ refreshUrl: url('/auth/refresh'), userUrl: url('/auth/nobody') }),
  })
  const { message } = (await thrownBy(session.reload())) as Error
  expect(message).toBe(
    `GET ${url('/auth/nobody')}: answered 404: there is no such route for the user (option userUrl). That looks like a wrong URL: check the path, its trailing slash, the method, and what the proxy or development server does with it. The session is kept.`,
  )
  expect(session.current.status).toBe('authenticated')
})
