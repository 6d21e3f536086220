// When it can't be found out how the session is: nobody is signed out, nothing is lost, and it heals. And when it is over.

import {
  createSession,
  defineBackend,
  RefreshFailedError,
  RefreshTimeoutError,
  SessionEndedError,
  type Session,
  type SessionOptions,
} from 'resesh'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createSampleServer, type Fault } from '../servers/sample/server.ts'
import {
  bearerBackend,
  type Clock,
  createClock,
  defer,
  fetchOf,
  login,
  oauth2Backend,
  settled,
  setup,
  sharedStorage,
  thrownBy,
  url,
} from '../support/session.ts'

/** The token is spent, and refreshes fail one after the other with these. */
const failing = async (faults: Fault[], options: Partial<SessionOptions> = {}) => {
  const clock = createClock()
  const state = await setup(options, { clock, knobs: { refreshFailures: faults } })
  await clock.pass(61_000)
  return { ...state, clock }
}

/** As failing, but the device takes the token for good. */
const refused = async (faults: Fault[], options: Partial<SessionOptions> = {}) => {
  const clock = createClock()
  const state = await setup(options, { clock, knobs: { refreshFailures: faults } })
  state.server.expireAccessTokens()
  return { ...state, clock }
}

const outcome = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error)

const statusOf = async (response: Promise<Response>, clock: Clock, ms: number): Promise<unknown> => {
  const seen = outcome(response.then(({ status }) => status))
  await clock.pass(ms)
  return seen
}

const names = (states: Session['current'][]) => states.map(({ reason }) => reason)

test.each<[string, Fault[], number]>([
  ['500', [500], 2],
  ['500 twice', [500, 500], 3],
  ['503 with Retry-After', [503], 2],
  ['429 with Retry-After', [{ status: 429, retryAfter: 2 }], 2],
  ['408', [408], 2],
  ['a redirect', [{ status: 302 }], 2],
  ['a dropped connection', ['drop-before'], 2],
  ['a page of HTML', ['html'], 2],
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
  ['a page of HTML', ['html']],
])('a request that has its 401 is served although the refresh met %s', async (_, faults) => {
  const { session, clock } = await refused(faults)
  expect(await statusOf(session.fetch(url('/api/me')), clock, 30_000)).toBe(200)
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
  const { response } = (await thrownBy(session.refresh())) as RefreshFailedError
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

test('a refresh token whose answer was lost is not sent again before the first attempt is over', async () => {
  const { server, session, clock } = await failing(['drop-after'])
  void outcome(session.fetch(url('/api/me')))
  await clock.pass(9_000)
  expect(server.stats.refreshes).toBe(1)
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

test('a refresh follows no redirect, which would carry its token along', async () => {
  const { session, wire } = await setup()
  await session.refresh()
  expect(wire.sent[0]!.args[1]).toMatchObject({ redirect: 'error', cache: 'no-store' })
})

test('a session that was disposed of starts nothing any more', async () => {
  const { server, session, clock } = await failing([500, 500, 500, 500, 500, 500])
  await statusOf(session.fetch(url('/api/me')), clock, 6_000)
  const before = server.stats.refreshes
  session.dispose()
  await clock.pass(600_000)
  expect(server.stats.refreshes).toBe(before)
})

test('when all is settled no timer waits but the one that refreshes ahead', async () => {
  const { session, clock } = await failing([500, 'drop-before'], { refreshAhead: 'always' })
  expect(await statusOf(session.fetch(url('/api/me')), clock, 30_000)).toBe(200)
  expect(clock.waiting).toBe(1)
  session.dispose()
  expect(clock.waiting).toBe(0)
})

test('a storage of one’s own whose code can’t be loaded: memory, and one error', async () => {
  vi.doMock('../../src/platform/own.ts', () => {
    throw new TypeError('Failed to fetch dynamically imported module')
  })
  onTestFinished(() => vi.doUnmock('../../src/platform/own.ts'))
  const errors: Error[] = []
  const server = createSampleServer()
  const session = createSession({
    backend: bearerBackend(),
    storage: { getItem: () => null, setItem() {}, removeItem() {} },
    platform: { fetch: fetchOf(server) },
  })
  onTestFinished(session.dispose)
  session.on('error', ({ error }) => errors.push(error))
  await session.signIn(await login(server))
  server.expireAccessTokens()
  expect((await session.fetch(url('/api/me'))).status).toBe(200)
  expect(session.current).toMatchObject({ status: 'authenticated', stale: false })
  expect(errors.map(({ message }) => message)).toEqual(['Storage failed: the session lives in memory now'])
})

describe('a storage that stops answering', () => {
  const stalling = async () => {
    const clock = createClock()
    const [storage, well] = [sharedStorage(), sharedStorage()]
    const world = await setup({ storage }, { clock })
    await world.session.refresh() // its code is loaded as it is needed, which takes real time
    const stalled = defer()
    const stall = () =>
      Object.assign(storage, {
        getItem: () => stalled.promise.then(() => well.getItem.call(storage)),
        update: (...args: Parameters<typeof well.update>) =>
          stalled.promise.then(() => well.update.apply(storage, args)),
      })
    return { ...world, clock, storage, stall, thaw: stalled.resolve }
  }
  const outcomeOf = (work: Promise<unknown>) =>
    work.then(
      () => 'done',
      (error: unknown) => (error as { code?: string }).code,
    )

  test.each<[string, (session: Session) => Promise<unknown>]>([
    ['refresh()', (session) => session.refresh()],
    ['reload()', (session) => session.reload()],
    ['getToken({ skipCache })', (session) => session.getToken({ skipCache: true })],
    ['signIn()', (session) => session.signIn({ accessToken: 'other' })],
  ])('keeps %s waiting for a while only, and what comes after it works', async (_, call) => {
    const { session, clock, stall, thaw, server } = await stalling()
    stall()
    const first = outcomeOf(call(session))
    const next = outcomeOf(session.refresh())
    await clock.pass(60_000)
    expect(await first).toBe('ERR_REFRESH_TIMEOUT')
    expect(await next).toBe(session.current.status === 'authenticated' ? 'ERR_REFRESH_TIMEOUT' : 'done')
    thaw()
    await clock.pass(60_000)
    await session.signIn(await login(server))
    expect((await session.fetch(url('/api/me'))).status).toBe(200)
    expect(server.stats.thefts).toBe(0)
  })

  test('keeps nobody signed in: a sign-out is told to the server as soon as it can be', async () => {
    const { session, clock, stall, thaw, server } = await stalling()
    stall()
    const over = session.signOut()
    expect(session.current.status).toBe('unauthenticated')
    await clock.pass(60_000)
    await over
    thaw()
    await clock.pass(200_000)
    expect(session.current.status).toBe('unauthenticated')
    expect(server.sessions).toBe(0)
  })

  test('keeps no answer back that has come, whatever it says of the session', async () => {
    const clock = createClock()
    const storage = sharedStorage()
    const fetch = async () => new Response('placed', { headers: { 'x-token': 'next' } })
    const backend = {
      ...bearerBackend(),
      observe: ({ headers }: Response) => ({ accessToken: headers.get('x-token') }),
    }
    const { session } = await setup(
      { storage, backend, initial: { accessToken: 'first' }, platform: { fetch } },
      { clock },
    )
    await session.fetch(url('/api/orders'), { method: 'POST' })
    storage.update = () => new Promise<boolean>(() => {})
    const order = session.fetch(url('/api/orders'), { method: 'POST' })
    await clock.pass(30_000)
    expect(await (await order).text()).toBe('placed')
  })

  test('loses no refresh token that comes meanwhile', async () => {
    const { session, clock, stall, thaw, server, wire } = await stalling()
    const answer = wire.hold('/auth/refresh')
    const refresh = outcomeOf(session.refresh())
    await answer.arrived
    stall()
    answer.release()
    await clock.pass(60_000)
    await refresh
    thaw()
    await clock.pass(60_000)
    expect(await session.refresh()).toMatchObject({ status: 'authenticated' })
    expect(server.stats.thefts).toBe(0)
  })

  test('rejects behind nobody’s back', async () => {
    const { session, clock, stall, server, wire } = await stalling()
    const rejected = vi.fn()
    process.on('unhandledRejection', rejected)
    onTestFinished(() => void process.off('unhandledRejection', rejected))
    server.knobs.alwaysExpired = true
    const answers = [wire.hold('/api/me'), wire.hold('/api/me')] as const
    const asked = session.fetch(url('/api/me'))
    answers[0].release()
    await answers[1].arrived
    stall() // and then that route turns out to refuse a fresh token
    answers[1].release()
    await clock.pass(100_000)
    expect((await asked).status).toBe(401)
    expect(rejected).not.toHaveBeenCalled()
  })

  test('does not send a session to live in memory, where each tab would spend the same refresh token', async () => {
    const { session, clock, stall, thaw, storage } = await stalling()
    const before = storage.text
    stall()
    const request = outcomeOf(session.refresh())
    await clock.pass(60_000)
    await request
    expect(storage.text).toBe(before)
    thaw()
    await clock.pass(60_000)
    await session.refresh()
    expect(storage.text).not.toBe(before)
    expect(session.current).toMatchObject({ status: 'authenticated', stale: false })
  })
})
