// One refresh, everything replayed: what a caller of fetch sees of it.

import { type Backend, createSession, type Credentials, defineBackend, RefreshTimeoutError } from 'resesh'
import { bearer } from 'resesh/backends/bearer'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createSampleServer } from '../servers/sample/server.ts'
import {
  bearerBackend,
  cookieBackend,
  createClock,
  createWire,
  defer,
  fetchOf,
  jwt,
  login,
  oauth2Backend,
  settled,
  setup,
  sharedStorage,
  thrownBy,
  url,
} from '../support/session.ts'

const hour = 3_600_000
const never = () => new Promise<never>(() => {})

/** Nobody knows yet who is signed in. */
const loading = (backend: Backend = { ...bearerBackend(), restore: never }) => {
  const clock = createClock()
  const server = createSampleServer({ now: clock.now })
  const wire = createWire(fetchOf(server))
  const session = createSession({ backend, platform: { fetch: wire.fetch, ...clock.platform } })
  onTestFinished(session.dispose)
  return { clock, server, session, wire }
}

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

test('a thousand callers of getToken share one refresh and get one token', async () => {
  const clock = createClock()
  const { server, session } = await setup({}, { clock })
  await clock.pass(61_000)
  const tokens = await Promise.all(Array.from({ length: 1000 }, () => session.getToken()))
  expect(new Set(tokens).size).toBe(1)
  expect(server.stats.refreshes).toBe(1)
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

test.each<[string, string, boolean]>([
  ['/refresh', 'https://app.test/refresh', true],
  ['/refresh', 'https://app.test/refresh?from=app#top', true],
  ['/refresh?tenant=a', 'https://app.test/refresh', true],
  ['https://auth.test/refresh', 'https://auth.test/refresh', true],
  ['https://auth.test/refresh', 'https://app.test/refresh', false],
  ['/refresh', 'https://app.test/api/feed/refresh', false],
])('with the endpoint %s a request to %s is of its own: %s', (refreshUrl, asked, isOwn) => {
  expect(bearer({ refreshUrl }).owns!(asked)).toBe(isOwn)
})

test('a request that comes while the token is refreshed ahead goes out at once with the old one', async () => {
  const clock = createClock()
  const { session, wire } = await setup({ refreshAhead: 'always' }, { clock })
  const old = await session.getToken()
  const ahead = wire.hold('/auth/refresh')
  await clock.pass(45_000)
  await ahead.arrived
  const response = await session.fetch(url('/api/me')) // the refresh hangs all the while
  expect(response.status).toBe(200)
  expect(wire.to('/api/me')[0]!.headers.get('authorization')).toBe(`Bearer ${old}`)
  ahead.release()
})

test('a token is refreshed ahead of its expiry, once', async () => {
  const clock = createClock()
  const { server, session } = await setup({ refreshAhead: 'always' }, { clock })
  await clock.pass(45_000)
  await session.fetch(url('/api/me'))
  expect(server.stats.refreshes).toBe(1)
})

test('nothing is refreshed ahead for a page that nobody sees', async () => {
  const clock = createClock()
  const document = Object.assign(new EventTarget(), { visibilityState: 'hidden', cookie: '' }) as unknown as Document
  const { server } = await setup({ platform: { document } }, { clock })
  await clock.pass(600_000)
  expect(server.stats.refreshes).toBe(0)
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
  for (const each of waiting) expect(await thrownBy(each)).toMatchObject({ code: 'ERR_REFRESH_FAILED' })
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
  const session = createSession({ backend: cookieBackend(), storage: 'memory', platform: { fetch: wire.fetch } })
  onTestFinished(session.dispose)
  const asked = session.fetch(url('/api/me'))
  await settled()
  held.release()
  expect((await asked).status).toBe(200)
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

test('getToken gives a token with as much life left as was asked for', async () => {
  const clock = createClock()
  const { server, session } = await setup({}, { clock })
  await clock.pass(35_000)
  const old = await session.getToken()
  expect(await session.getToken({ minValidity: 30_000 })).not.toBe(old)
  expect(server.stats.refreshes).toBe(1)
})

test('getToken answers from memory while the token is good', async () => {
  const { session, wire } = await setup()
  expect(await session.getToken()).toBe(await session.getToken())
  expect(wire.sent).toEqual([])
})

test.each([hour, -hour, 24 * hour, -24 * hour])(
  'a device clock that is %i ms off makes no difference',
  async (skew) => {
    const clock = createClock()
    const server = createSampleServer({ now: () => clock.now() - skew })
    const { session, wire } = await setup({ backend: oauth2Backend() }, { server, clock })
    const { accessToken, refreshToken } = await login(server) // without expires_in: only exp and iat tell
    await session.signIn({ accessToken, refreshToken })
    await session.fetch(url('/api/me'))
    expect(server.stats.refreshes).toBe(0)
    await clock.pass(61_000)
    expect((await session.fetch(url('/api/me'))).status).toBe(200)
    expect(server.stats.refreshes).toBe(1)
    expect(wire.to('/api/me')).toHaveLength(2) // the second one was held, not refused
  },
)

test.each([hour, -hour])('a wall clock that is set by %i ms refreshes nothing', async (jump) => {
  const clock = createClock()
  const server = createSampleServer({ now: () => 0 })
  const { session } = await setup({ refreshAhead: 'always' }, { server, clock })
  clock.setWall(clock.now() + jump)
  expect((await session.fetch(url('/api/me'))).status).toBe(200)
  expect(server.stats.refreshes).toBe(0)
})

test('a wall clock that is set back while a request is held does not keep it for ever', async () => {
  const clock = createClock()
  const server = createSampleServer({ knobs: { refreshFailures: ['drop-before'] } })
  const { session } = await setup({}, { server, clock })
  await clock.pass(61_000)
  const response = session.fetch(url('/api/me'))
  await settled()
  clock.setWall(clock.now() - hour)
  await clock.pass(30_000)
  expect((await response).status).toBe(200)
})

test('isExpired names the statuses that say so, and a 401 is then an answer like any other', async () => {
  const answers = [440, 200, 401]
  const fetch = async () => new Response(null, { status: answers.shift()! })
  let refreshes = 0
  const backend = defineBackend({
    async refresh() {
      refreshes++
      return { accessToken: 'second' }
    },
  })
  const { session } = await setup({
    backend,
    initial: { accessToken: 'first' },
    isExpired: [440],
    origins: [url('')],
    platform: { fetch },
  })
  expect((await session.fetch(url('/a'))).status).toBe(200)
  expect((await session.fetch(url('/b'))).status).toBe(401)
  expect(refreshes).toBe(1)
})

test('isExpired may look at the response', async () => {
  const { server, session } = await setup({
    isExpired: async (response) => response.status === 401 && (await response.clone().text()).includes('invalid_token'),
  })
  server.expireAccessTokens()
  expect((await session.fetch(url('/api/me'))).status).toBe(200)
  expect(server.stats.refreshes).toBe(1)
})

describe('a response that brings an access token', () => {
  /** Refresh tokens count up; each response brings an access token, and no refresh token. */
  const rotating = async () => {
    const spent: unknown[] = []
    const options = {
      backend: defineBackend({
        async refresh({ refreshToken }) {
          spent.push(refreshToken)
          return { accessToken: 'refreshed', refreshToken: `r${spent.length + 1}` }
        },
        observe: () => ({ accessToken: 'observed' }),
      }),
      origins: [url('')],
      storage: sharedStorage(),
      platform: { fetch: async () => new Response('served'), BroadcastChannel: null },
    }
    const { session } = await setup({ ...options, initial: { accessToken: 'first', refreshToken: 'r1' } })
    await expect.poll(() => options.storage.text).not.toBe(null)
    return { session, spent, options }
  }

  test('leaves the refresh token alone that another tab has got meanwhile', async () => {
    const { session, spent, options } = await rotating()
    const other = createSession(options)
    onTestFinished(other.dispose)
    await other.refresh()
    await session.fetch(url('/api/me'))
    await other.refresh()
    expect(spent).toEqual(['r1', 'r2'])
  })

  test('leaves the refresh token alone that is written, and not yet known to its own tab', async () => {
    const { session, spent, options } = await rotating()
    const { storage } = options
    const { update } = storage
    const [written, known] = [defer(), defer()]
    storage.update = async (...args) => {
      const isDone = await update.apply(storage, args)
      if (!storage.text?.includes('r2')) return isDone
      written.resolve()
      await known.promise
      return isDone
    }
    const refresh = session.refresh()
    await written.promise
    const response = session.fetch(url('/api/me'))
    await settled()
    known.resolve()
    await Promise.all([refresh, response])
    await session.refresh()
    expect(spent).toEqual(['r1', 'r2'])
  })
})

test('a response that brings something else makes the token that is held no younger', async () => {
  const clock = createClock()
  const { session } = await setup(
    {
      backend: defineBackend({ refresh: async () => null, observe: () => ({ user: { name: 'Anna' } }) }),
      origins: [url('')],
      initial: { accessToken: jwt({ iat: 0, exp: 60 }), refreshToken: 'r1' },
      refreshAhead: 'never',
      platform: { fetch: async () => new Response('served') },
    },
    { clock },
  )
  const { expiresAt } = session.current
  await clock.pass(40_000)
  await session.fetch(url('/api/me'))
  expect(session.current).toMatchObject({ user: { name: 'Anna' }, expiresAt })
})
