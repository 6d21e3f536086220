// `resesh/testing` and `resesh/testing/server`, used as an app's tests would use them.

import { setupServer } from 'msw/node'
import { createSession, SignInRefusedError } from 'resesh'
import { refreshAfter } from 'resesh/refresh-after'
import { mockSession, testClock, testTabs } from 'resesh/testing'
import { sessionServer } from 'resesh/testing/server'
import { afterEach, describe, expect, test, vi } from 'vitest'

const started: (() => void)[] = []
afterEach(() => started.splice(0).forEach((stop) => stop()))

const start = (options?: Parameters<typeof sessionServer>[0]) => {
  const server = sessionServer(options)
  const msw = setupServer(...server.handlers)
  msw.listen({ onUnhandledRequest: 'error' })
  started.push(() => msw.close())
  return server
}

const url = (path: string): string => `http://localhost${path}`
const json = { 'content-type': 'application/json' }

test('two tabs, one refresh', async () => {
  const server = start()
  const tabs = testTabs()
  const [first, second] = [tabs.open({ backend: server.backend() }), tabs.open({ backend: server.backend() })]
  await first.signIn(await server.signIn())
  await vi.waitFor(() => expect(second.current.status).toBe('authenticated'))
  server.expire()
  const responses = await Promise.all([first, second].map((tab) => tab.fetch(url('/api/me'))))
  expect(responses.map(({ status }) => status)).toEqual([200, 200])
  expect(server.counts).toMatchObject({ refreshes: 1, reused: 0 })
  tabs.close()
})

describe('the server', () => {
  const signedIn = async (options?: Parameters<typeof sessionServer>[0]) => {
    const server = start(options)
    const session = testTabs().open({ backend: server.backend(), timeout: 2_000 })
    started.push(() => session.dispose())
    await session.signIn(await server.signIn())
    return { server, session }
  }

  test('an edit is in the next token and in the user', async () => {
    const { server, session } = await signedIn()
    server.edit({ name: 'Ann B.' })
    expect(session.current.user).toMatchObject({ name: 'Ann' })
    const { user, claims } = await session.reload()
    expect([user, claims]).toMatchObject([{ name: 'Ann B.' }, { name: 'Ann B.' }])
  })

  test('PATCH /api/me is an edit, too', async () => {
    const { session } = await signedIn()
    await session.fetch(url('/api/me'), { method: 'PATCH', headers: json, body: '{"name":"Bo"}' })
    expect((await session.reload()).user).toMatchObject({ name: 'Bo' })
  })

  test('a login by its own route, and one that is refused', async () => {
    const { server, session } = await signedIn()
    const login = (password: string) =>
      fetch(url('/auth/login'), { method: 'POST', headers: json, body: JSON.stringify({ username: 'ann', password }) })
    await session.signIn(await login('secret'))
    expect(server.counts.logins).toBe(2)
    await expect(session.signIn(await login('wrong'))).rejects.toBeInstanceOf(SignInRefusedError)
  })

  test('a session that was revoked ends at the next refresh', async () => {
    const { server, session } = await signedIn()
    server.revoke()
    expect((await session.fetch(url('/api/me'))).status).toBe(401)
    expect(session.current).toMatchObject({ status: 'unauthenticated', reason: 'expired' })
  })

  test('a refresh that is dropped is asked for again', async () => {
    const { server, session } = await signedIn()
    server.expire()
    server.drop()
    expect((await session.fetch(url('/api/me'))).status).toBe(200)
    expect(server.counts).toMatchObject({ refreshes: 2, reused: 0 })
  })

  test('a lost answer is forgiven within the window', async () => {
    const { server, session } = await signedIn({ replayWindow: 10_000 })
    server.loseAnswer()
    await expect(session.refresh()).rejects.toThrow('/auth/refresh')
    expect((await session.refresh()).status).toBe('authenticated')
    expect(server.counts.reused).toBe(0)
  })

  test('without a window it ends the session', async () => {
    const { server, session } = await signedIn()
    server.loseAnswer()
    await expect(session.refresh()).rejects.toThrow('/auth/refresh')
    await vi.waitFor(async () => expect((await session.refresh()).status).toBe('unauthenticated'), 8_000)
    expect(session.current.reason).toBe('reused')
    expect(server.counts.reused).toBe(1)
  })

  test('429 with Retry-After, and a slow answer', async () => {
    const { server, session } = await signedIn()
    server.fail(429, { retryAfter: 1 })
    await expect(session.refresh()).rejects.toThrow('429')
    server.slow(50)
    const begun = performance.now()
    await session.reload()
    expect(performance.now() - begun).toBeGreaterThan(45)
  })

  test('handlers of your own ask it who sent a request', async () => {
    const { server, session } = await signedIn({ user: { id: 'bo', name: 'Bo' } })
    const token = await session.getToken()
    const request = new Request(url('/orders'), { headers: { authorization: `Bearer ${token}` } })
    expect(server.authorize(request)).toMatchObject({ name: 'Bo' })
    expect(server.authorize(new Request(url('/orders')))).toMatchObject({ status: 401 })
  })

  test('extensions work over it', async () => {
    const server = start()
    const rule = { method: 'PATCH', path: '/api/me', action: 'reload', wait: true } as const
    const session = testTabs().open({ backend: server.backend(), use: [refreshAfter([rule])] })
    await session.signIn(await server.signIn())
    await session.fetch(url('/api/me'), { method: 'PATCH', headers: json, body: '{"name":"Bo"}' })
    expect(session.current.user).toMatchObject({ name: 'Bo' })
    session.dispose()
  })
})

describe('tabs', () => {
  test('a tab that is closed in the middle of a refresh leaves it to the others', async () => {
    const server = start()
    const tabs = testTabs()
    const [first, second] = [tabs.open({ backend: server.backend() }), tabs.open({ backend: server.backend() })]
    await first.signIn(await server.signIn())
    await vi.waitFor(() => expect(second.current.status).toBe('authenticated'))
    server.expire()
    server.drop()
    const lost = first.fetch(url('/api/me')).catch(() => null)
    const served = second.fetch(url('/api/me'))
    first.dispose()
    expect((await served).status).toBe(200)
    await lost
    tabs.close()
  })

  test('what was stored is there for the next tab; other tabs hear of a sign-out', async () => {
    const server = start()
    const tabs = testTabs()
    await tabs.open({ backend: server.backend() }).signIn(await server.signIn())
    tabs.close()
    const [third, fourth] = [tabs.open({ backend: server.backend() }), tabs.open({ backend: server.backend() })]
    expect([await third.ready(), await fourth.ready()]).toMatchObject([
      { user: { name: 'Ann' } },
      { user: { name: 'Ann' } },
    ])
    await third.signOut()
    await vi.waitFor(() => expect(fourth.current).toMatchObject({ status: 'unauthenticated', reason: 'signed-out' }))
    tabs.close()
  })

  test('two browsers share nothing', async () => {
    const server = start()
    const [one, other] = [testTabs(), testTabs()]
    await one.open({ backend: server.backend() }).signIn(await server.signIn())
    expect((await other.open({ backend: server.backend() }).ready()).status).toBe('unauthenticated')
    one.close()
    other.close()
  })
})

describe('locks, as the browser has them', () => {
  test('exclusive, shared, stolen, aborted, and free when the tab is gone', async () => {
    const { createSharedLocks } = await import('../../src/testing/locks.ts')
    const locks = createSharedLocks()
    const [a, b] = [locks.forTab('a'), locks.forTab('b')]
    const log: string[] = []
    let release = (): void => {}
    const first = a.request('x', () => new Promise<void>((done) => (release = done))).then(() => log.push('a'))
    const second = b.request('x', async () => log.push('b'))
    const stop = new AbortController()
    const third = b
      .request('x', { signal: stop.signal }, async () => log.push('never'))
      .catch(() => log.push('aborted'))
    stop.abort()
    await third
    expect((await a.query()).held).toMatchObject([{ name: 'x', mode: 'exclusive', clientId: 'a' }])
    release()
    await Promise.all([first, second])
    expect(log.slice(1).toSorted()).toEqual(['a', 'b'])

    const forever = () => new Promise<void>(() => {})
    const robbed = a.request('y', forever).catch((error: Error) => error.name)
    await b.request('y', { steal: true }, async () => {})
    expect(await robbed).toBe('AbortError')
    void a.request('z', { mode: 'shared' }, forever)
    expect(await b.request('z', { mode: 'shared' }, async () => 'both')).toBe('both')
    expect(await b.request('z', { ifAvailable: true }, async (lock) => lock)).toBeNull()
    locks.freeAll('a')
    expect(await b.request('z', async () => 'free')).toBe('free')
  })
})

describe('the clock', () => {
  test('a token expires, and a machine sleeps, when the test says so', async () => {
    const clock = testClock(Date.UTC(2026, 0, 1))
    let nth = 0
    const backend = {
      name: 'own',
      attach() {},
      refresh: async () => ({ accessToken: `t${++nth}`, expiresInSeconds: 60 }),
    }
    const session = testTabs(clock.platform).open({ backend, initial: { accessToken: 't0', expiresInSeconds: 60 } })
    expect(await session.getToken()).toBe('t0')
    await clock.pass(61_000)
    expect(await session.getToken()).toBe('t1')
    clock.sleep(3_600_000)
    expect(await session.getToken()).toBe('t2')
    session.dispose()
  })

  test('refresh ahead happens while time passes', async () => {
    const clock = testClock()
    let nth = 0
    const backend = {
      name: 'own',
      attach() {},
      refresh: async () => ({ accessToken: `t${++nth}`, expiresInSeconds: 60 }),
    }
    const session = createSession({
      backend,
      refreshAhead: 'always',
      initial: { accessToken: 't0', expiresInSeconds: 60 },
      platform: { ...clock.platform, indexedDB: null },
    })
    await clock.pass(59_000)
    expect(nth).toBe(1)
    session.dispose()
  })

  test("a test runner's own fake timers do as well", async () => {
    vi.useFakeTimers()
    try {
      let nth = 0
      const backend = {
        name: 'own',
        attach() {},
        refresh: async () => ({ accessToken: `t${++nth}`, expiresInSeconds: 60 }),
      }
      const session = testTabs().open({ backend, initial: { accessToken: 't0', expiresInSeconds: 60 } })
      await vi.advanceTimersByTimeAsync(61_000)
      const token = session.getToken()
      await vi.advanceTimersByTimeAsync(100)
      expect(await token).toBe('t1')
      session.dispose()
    } finally {
      vi.useRealTimers()
    }
  })
})

describe('a session without a server', () => {
  test('shows who it was made for, and tells of an edit', async () => {
    const session = mockSession({ user: { id: 'ann', name: 'Ann' }, claims: { role: 'admin' } })
    expect(session.current).toMatchObject({ status: 'authenticated', user: { name: 'Ann' }, claims: { role: 'admin' } })
    const names: (string | undefined)[] = []
    session.on('change', ({ current }) => names.push(current.user?.name))
    await session.edit({ name: 'Bo' })
    expect(names).toEqual(['Bo'])
    expect(session.current.reason).toBe('reloaded')
    session.dispose()
  })

  test('can be loading, signed out, ended and stale', async () => {
    const loading = mockSession({ status: 'loading' })
    expect(loading.current.status).toBe('loading')
    const nobody = mockSession()
    expect(nobody.current.status).toBe('unauthenticated')
    const session = mockSession({ user: { id: 'ann' } })
    await session.setStale(true)
    expect(session.current).toMatchObject({ status: 'authenticated', stale: true })
    await session.setStale(false)
    expect(session.current.stale).toBe(false)
    await session.end('revoked')
    expect(session.current).toMatchObject({ status: 'unauthenticated', reason: 'revoked' })
    ;[loading, nobody, session].forEach((each) => each.dispose())
  })

  test('signs in and out, and its requests get what the test answers', async () => {
    const asked: string[] = []
    const session = mockSession({
      user: { id: 'ann' },
      fetch: (request) => (asked.push(`${request.method} ${new URL(request.url).pathname}`), Response.json({ n: 1 })),
    })
    expect(await (await session.fetch('http://localhost/api/x', { method: 'POST' })).json()).toEqual({ n: 1 })
    expect(asked).toEqual(['POST /api/x'])
    await session.signOut()
    expect(session.current.status).toBe('unauthenticated')
    await session.signIn({ accessToken: 'x', user: { id: 'bo' } })
    expect(session.current.user).toEqual({ id: 'bo' })
    session.dispose()
  })
})
