// How a session ends in this tab: signing out, and that it wins over a refresh that is under way.

import { createSession, SessionEndedError } from 'resesh'
import { expect, onTestFinished, test } from 'vitest'
import {
  bearerBackend,
  cookieBackend,
  createClock,
  createWire,
  defer,
  login,
  oauth2Backend,
  settled,
  setup,
  sharedStorage,
  thrownBy,
  url,
} from '../support/session.ts'
import { refreshing } from './under-way.ts'

const tokensIn = async (text: Promise<string>) => JSON.parse(await text) as { refreshToken: string }

const logIn = async ({ fetch }: { fetch: typeof globalThis.fetch }) => {
  const body = JSON.stringify({ username: 'ann', password: 'secret' })
  await fetch(url('/bff/login'), { method: 'POST', headers: { 'x-bff': '1' }, body })
}

const cookieSession = () => setup({ backend: cookieBackend(), initial: null })

test('signOut is published before it returns', async () => {
  const { session, states } = await setup()
  void session.signOut()
  expect(session.current).toMatchObject({ status: 'unauthenticated', reason: 'signed-out', user: null, claims: null })
  expect(states).toEqual([session.current])
})

test('signOut tells the server, with the refresh token', async () => {
  const { server, session, wire } = await setup()
  expect(await session.signOut()).toMatchObject({ status: 'unauthenticated' })
  expect(server.sessions).toBe(0)
  expect(await tokensIn(wire.to('/auth/logout')[0]!.text())).toHaveProperty('refreshToken')
})

test('signOut revokes an OAuth 2 refresh token', async () => {
  const { server, session, wire } = await setup({ backend: oauth2Backend() })
  await session.signOut()
  expect(wire.to('/oauth/revoke')).toHaveLength(1)
  expect(server.sessions).toBe(0)
})

test('signOut ends a cookie session at the server', async () => {
  const { server, session } = await cookieSession()
  await session.signIn(logIn)
  const before = server.sessions
  await session.signOut()
  expect(before - server.sessions).toBe(1)
  expect((await session.signIn()).status).toBe('unauthenticated')
})

test('a local signOut does not tell the server', async () => {
  const { server, session, wire } = await setup()
  await session.signOut({ local: true })
  await settled()
  expect(session.current.status).toBe('unauthenticated')
  expect(wire.sent).toEqual([])
  expect(server.sessions).toBe(1)
})

test('signOut resolves although the server is away', async () => {
  const { session, wire } = await setup()
  wire.isDown = true
  expect(await session.signOut()).toMatchObject({ status: 'unauthenticated', reason: 'signed-out' })
})

test('a server that was away is told of the sign-out later', async () => {
  const clock = createClock()
  const { server, session, wire } = await setup({}, { clock })
  wire.isDown = true
  await session.signOut()
  await clock.pass(1_000)
  wire.isDown = false
  await clock.pass(60_000)
  expect(server.sessions).toBe(0)
})

test('a server that was told of the sign-out is not told again', async () => {
  const clock = createClock()
  const { session, wire } = await setup({}, { clock })
  await session.signOut()
  await session.signOut()
  await clock.pass(600_000)
  expect(wire.to('/auth/logout')).toHaveLength(1)
})

test('a sign-out whose server hangs resolves after the timeout', async () => {
  const clock = createClock()
  const { session, wire } = await setup({}, { clock })
  wire.hold('/auth/logout')
  const over = session.signOut()
  await clock.pass(10_000)
  expect(await over).toMatchObject({ status: 'unauthenticated' })
})

test('an abort frees the caller of signOut, who is signed out all the same', async () => {
  const { session, wire } = await setup()
  const logout = wire.hold('/auth/logout')
  const caller = new AbortController()
  const over = thrownBy(session.signOut({ signal: caller.signal }))
  await logout.arrived
  caller.abort('gone')
  expect(await over).toBe('gone')
  expect(session.current.status).toBe('unauthenticated')
})

test('after a sign-out nothing carries a token, and no refresh starts', async () => {
  const { server, session, wire } = await setup()
  await session.signOut()
  expect((await session.fetch(url('/api/me'))).status).toBe(401)
  expect(wire.to('/api/me')[0]!.headers.has('authorization')).toBe(false)
  expect(await session.getToken()).toBeNull()
  expect(server.stats.refreshes).toBe(0)
})

test('the late answer of a refresh does not bring a signed-out session back', async () => {
  const state = await setup()
  const { session, states } = state
  const { refresh } = await refreshing(state)
  const over = session.signOut()
  refresh.release()
  await over
  await settled()
  expect(session.current).toMatchObject({ status: 'unauthenticated', reason: 'signed-out' })
  expect(states).toHaveLength(1)
  expect(await session.getToken()).toBeNull()
})

test('a sign-out during a refresh revokes the refresh token that the refresh brought', async () => {
  const state = await setup()
  const { server, session, wire } = state
  const { refresh } = await refreshing(state)
  const spent = await tokensIn(wire.to('/auth/refresh')[0]!.text())
  const over = session.signOut()
  refresh.release()
  await over
  await expect.poll(() => server.sessions).toBe(0)
  const told = await Promise.all(wire.to('/auth/logout').map((sent) => tokensIn(sent.text())))
  expect(told).toHaveLength(1)
  expect(told).not.toContainEqual(spent)
})

test('whoever forced the refresh that a sign-out overtook gets no token', async () => {
  const state = await setup()
  const refresh = state.wire.hold('/auth/refresh')
  const token = state.session.getToken({ skipCache: true })
  await refresh.arrived
  const over = state.session.signOut()
  refresh.release()
  expect(await token).toBeNull()
  await over
})

test('a request that waits for its replay is rejected by a sign-out, and never sent again', async () => {
  const state = await setup()
  const { refresh, responses } = await refreshing(state, '/api/me')
  const over = state.session.signOut()
  refresh.release()
  const error = await thrownBy(responses[0]!)
  expect(error).toBeInstanceOf(SessionEndedError)
  expect(error).toMatchObject({ reason: 'signed-out' })
  await over
  expect(state.wire.to('/api/me')).toHaveLength(1)
})

test('a request that was held unsent is rejected by a sign-out, and never reaches the server', async () => {
  const clock = createClock()
  const { session, wire } = await setup({}, { clock })
  await clock.pass(61_000)
  const refresh = wire.hold('/auth/refresh')
  const response = thrownBy(session.fetch(url('/api/me')))
  await refresh.arrived
  const over = session.signOut()
  refresh.release()
  expect(await response).toBeInstanceOf(SessionEndedError)
  await over
  expect(wire.to('/api/me')).toEqual([])
})

test.each([404, 405, 408, 421, 425, 429, 500, 501])('a sign-out that meets a %d is told again', async (status) => {
  const clock = createClock()
  const said = [status, 204]
  const told: number[] = []
  const fetch = async () => {
    told.push(said[0]!)
    return new Response(null, { status: said.shift()! })
  }
  const { session } = await setup({ initial: { accessToken: 'a', refreshToken: 'r' }, platform: { fetch } }, { clock })
  await session.signOut()
  await clock.pass(60_000)
  expect(told).toEqual([status, 204])
})

test('a sign-out that the server has missed it hears before the next sign-in', async () => {
  const { session, server, wire } = await setup()
  wire.isDown = true
  await session.signOut()
  wire.isDown = false
  expect(server.sessions).toBe(1)
  await session.signIn(() => login(server, 'bob'))
  expect(server.sessions).toBe(1) // Bob's
  expect(session.current.user).toMatchObject({ name: 'Bob' })
})

test.each(['value', 'function'] as const)(
  'each sign-out that the server has missed it hears of later, also after sign-ins by a %s',
  async (how) => {
    const clock = createClock()
    const { session, server, wire } = await setup({}, { clock })
    for (const user of ['ann', 'bob', 'ann']) {
      wire.isDown = true
      await session.signOut()
      const next = await login(server, user)
      await session.signIn(how === 'value' ? next : async () => next)
    }
    expect(server.sessions).toBe(4)
    wire.isDown = false
    await clock.pass(200_000)
    expect(server.sessions).toBe(1)
    expect((await session.fetch(url('/api/me'))).status).toBe(200)
    expect(session.current.user).toMatchObject({ name: 'Ann' })
  },
)

test.each(['value', 'function'] as const)('a sign-out and a sign-in by a %s in one breath: both count', async (how) => {
  const clock = createClock()
  const { session, server } = await setup({}, { clock })
  const next = await login(server, 'bob')
  const over = session.signOut()
  await Promise.all([over, session.signIn(how === 'value' ? next : async () => next)])
  await clock.pass(5_000)
  expect(server.sessions).toBe(1)
  expect(session.current.user).toMatchObject({ name: 'Bob' })
})

test.each([1, 2, 3])('%i sign-outs before the first is written, and a sign-in: the sign-in counts', async (times) => {
  const storage = sharedStorage()
  const { update } = storage
  const slow = defer()
  const { session, server } = await setup({ storage, platform: { BroadcastChannel: null } })
  await session.ready()
  storage.update = async (...args) => {
    await slow.promise
    return update.apply(storage, args)
  }
  const over = Array.from({ length: times }, () => session.signOut())
  const bob = await login(server, 'bob')
  const signedIn = session.signIn(bob)
  slow.resolve()
  await Promise.all(over)
  expect((await signedIn).user).toMatchObject({ name: 'Bob' })
  expect(await session.getToken()).toBe(bob.accessToken)
  expect(server.sessions).toBe(1)
})

test('a sign-out where another tab has switched the user, unheard, ends both sessions at the server', async () => {
  const storage = sharedStorage()
  const platform = { BroadcastChannel: null }
  const { session, server, wire } = await setup({ storage, platform })
  await session.ready()
  const other = createSession({
    backend: bearerBackend(),
    storage,
    origins: [url('')],
    platform: { ...platform, fetch: wire.fetch },
  })
  onTestFinished(other.dispose)
  await other.ready()
  await other.signIn(await login(server, 'bob'))
  expect(server.sessions).toBe(2)
  await session.signOut()
  await settled()
  expect(server.sessions).toBe(0)
  expect(wire.to('/auth/logout')).toHaveLength(2)
  expect(JSON.parse(storage.text!)).not.toHaveProperty('leaving')
})

test('a pending sign-out outlives the page, with the refresh token, and nobody waits for it', async () => {
  const clock = createClock()
  const storage = sharedStorage()
  const { session, server, wire } = await setup({ storage }, { clock })
  await session.ready()
  wire.isDown = true
  await session.signOut()
  session.dispose()
  const open = () => {
    const next = createSession({
      backend: bearerBackend(),
      storage,
      origins: [url('')],
      platform: { fetch: wire.fetch, ...clock.platform },
    })
    onTestFinished(next.dispose)
    return next
  }
  const again = open()
  await clock.pass(0)
  expect(again.current.status).toBe('unauthenticated')
  await again.signIn(await login(server, 'bob'))
  again.dispose()
  wire.isDown = false
  const last = open()
  await clock.pass(10_000)
  expect(server.sessions).toBe(1)
  expect(last.current.user).toMatchObject({ name: 'Bob' })
  expect(JSON.parse(storage.text!)).not.toHaveProperty('leaving')
})

test('what a sign-out needs is kept for a day', async () => {
  const clock = createClock()
  const storage = sharedStorage()
  const { session, wire } = await setup({ storage }, { clock })
  await session.ready()
  wire.isDown = true
  await session.signOut()
  expect(JSON.parse(storage.text!).leaving).toBeDefined()
  await clock.pass(86_400_000 + 200_000)
  expect(JSON.parse(storage.text!).leaving).toBeUndefined()
})

test('at most five sign-outs are kept', async () => {
  const clock = createClock()
  const storage = sharedStorage()
  const { session, server, wire } = await setup({ storage }, { clock })
  wire.isDown = true
  for (let nth = 0; nth < 8; nth++) {
    await session.signOut()
    await session.signIn(await login(server))
  }
  const { record, leaving } = JSON.parse(storage.text!)
  expect([record.signOuts.length, Object.keys(leaving).length]).toEqual([5, 5])
})

test('with cookies, a sign-out that the server has missed ends no session that has begun since', async () => {
  const clock = createClock()
  const { session, server, wire } = await setup({ backend: cookieBackend(), initial: null }, { clock })
  await session.signIn(logIn)
  const before = server.sessions
  wire.isDown = true
  await session.signOut()
  wire.isDown = false
  // The app has a login of its own: the new cookie lies in the jar by the time the session hears of it.
  await logIn({ fetch: wire.fetch })
  await session.signIn()
  await clock.pass(200_000)
  expect((await session.fetch(url('/api/me'), { headers: { 'x-bff': '1' } })).status).toBe(200)
  expect(wire.to('/bff/logout')).toHaveLength(1)
  expect(server.sessions - before).toBe(1)
})

test('a signOutUrl that is not there is told of', async () => {
  const clock = createClock()
  const wire = createWire(async () => new Response(null, { status: 404 }))
  const { session } = await setup(
    { initial: { accessToken: 'a', refreshToken: 'r' }, platform: { fetch: wire.fetch } },
    { clock },
  )
  const told: string[] = []
  session.on('error', ({ error }) => told.push(error.message))
  await session.signOut()
  await clock.pass(5_000)
  expect(told[0]).toContain(`POST ${url('/auth/logout')}: answered 404`)
})

test('a sign-out wakes what waits for a refresh, before that is answered', async () => {
  const state = await setup()
  const { refresh, responses } = await refreshing(state, '/api/me', '/api/items/1')
  const unsent = thrownBy(state.session.fetch(url('/api/items/2')))
  const over = state.session.signOut()
  for (const response of responses) expect(await thrownBy(response)).toMatchObject({ reason: 'signed-out' })
  refresh.release()
  await over
  await unsent.catch(() => {})
})
