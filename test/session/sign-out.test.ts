// How a session begins and ends in this tab: signing in, signing out, and who wins when a refresh is under way.

import { createSession, type Credentials, defineBackend, InvalidOptionError, SessionEndedError } from 'resesh'
import { expect, onTestFinished, test } from 'vitest'
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
  type Setup,
  thrownBy,
  url,
} from '../support/session.ts'

const tokensIn = async (text: Promise<string>) => JSON.parse(await text) as { refreshToken: string }

/** The access token was refused; a refresh is at the server, and its answer is on the way. */
const refreshing = async (state: Setup, ...paths: string[]) => {
  state.server.expireAccessTokens()
  const refresh = state.wire.hold('/auth/refresh')
  const responses = paths.map((path) => state.session.fetch(url(path)))
  responses.forEach((response) => void response.catch(() => {}))
  if (!paths[0]) void state.session.refresh().catch(() => {})
  await refresh.arrived
  return { refresh, responses }
}

/** One whose backend asks who is signed in, and waits for the answer. */
const restoring = () => {
  const answer = defer<Credentials | null>()
  const clock = createClock()
  const server = createSampleServer({ now: clock.now })
  const wire = createWire(fetchOf(server))
  const backend = { ...bearerBackend(), restore: () => answer.promise }
  const session = createSession({ backend, platform: { fetch: wire.fetch, ...clock.platform } })
  onTestFinished(session.dispose)
  return { answer, clock, server, session, wire }
}

const logIn = async ({ fetch }: { fetch: typeof globalThis.fetch }) => {
  const body = JSON.stringify({ username: 'ann', password: 'secret' })
  await fetch(url('/bff/login'), { method: 'POST', headers: { 'x-bff': '1' }, body })
}

const cookieSession = () => setup({ backend: cookieBackend(), initial: null })

test('signIn takes the credentials of a login', async () => {
  const { server, session, states, wire } = await setup({ initial: null })
  const credentials = await login(server)
  const state = await session.signIn(credentials)
  expect(state).toMatchObject({ status: 'authenticated', reason: 'signed-in', user: { name: 'Ann' } })
  expect(states).toEqual([state])
  await session.fetch(url('/api/me'))
  expect(wire.sent[0]!.headers.get('authorization')).toBe(`Bearer ${credentials.accessToken}`)
})

test('signIn runs a function that logs in, with the plain fetch', async () => {
  const { server, session, wire } = await setup({ initial: null })
  const state = await session.signIn(async ({ fetch }) => {
    await fetch(url('/auth/login'), { method: 'POST', body: '{}' })
    return login(server)
  })
  expect(state.status).toBe('authenticated')
  expect(wire.sent.map(({ path }) => path)).toEqual(['/auth/login'])
})

test('signIn rejects with what its function throws, and the state is as before', async () => {
  const { session, states } = await setup()
  expect(await thrownBy(session.signIn(() => Promise.reject(new Error('wrong'))))).toEqual(new Error('wrong'))
  expect(session.current.status).toBe('authenticated')
  expect(states).toEqual([])
})

test('a function that logs in is told by its signal when the session is disposed of', async () => {
  const { session } = await setup({ initial: null })
  const signal = defer<AbortSignal>()
  void session.signIn((io) => {
    signal.resolve(io.signal)
    return new Promise(() => {})
  })
  expect((await signal.promise).aborted).toBe(false)
  session.dispose()
  expect((await signal.promise).aborted).toBe(true)
})

test('a function that logs in runs only when no refresh is under way', async () => {
  const state = await setup()
  const { refresh } = await refreshing(state)
  let isRunning = false
  const signIn = state.session.signIn(async () => {
    isRunning = true
    return login(state.server, 'bob')
  })
  await settled()
  expect(isRunning).toBe(false)
  refresh.release()
  expect((await signIn).user).toMatchObject({ name: 'Bob' })
})

test('after a function that logs in by cookie the server is asked who is signed in', async () => {
  const { session } = await cookieSession()
  expect(await session.signIn(logIn)).toMatchObject({
    status: 'authenticated',
    reason: 'signed-in',
    user: { name: 'Ann' },
  })
})

test('signIn with nothing asks the server who is signed in', async () => {
  const { session, wire } = await cookieSession()
  await logIn(wire)
  expect(await session.signIn()).toMatchObject({ status: 'authenticated', user: { name: 'Ann' } })
})

test('signIn with nothing needs a backend that can ask', async () => {
  const { session } = await setup()
  expect(await thrownBy(session.signIn())).toBeInstanceOf(InvalidOptionError)
})

test('a cookie session is found again at the start', async () => {
  const server = createSampleServer()
  const wire = createWire(fetchOf(server))
  const body = JSON.stringify({ username: 'ann', password: 'secret' })
  await wire.fetch(url('/bff/login'), { method: 'POST', headers: { 'x-bff': '1' }, body })
  const session = createSession({ backend: cookieBackend(), platform: { fetch: wire.fetch } })
  onTestFinished(session.dispose)
  expect(session.current.status).toBe('loading')
  expect(await session.ready()).toMatchObject({ status: 'authenticated', reason: 'restored', user: { name: 'Ann' } })
})

test('a sign-out right after a sign-in right at the start wins over the restore that waited', async () => {
  const server = createSampleServer()
  const wire = createWire(fetchOf(server))
  const session = createSession({ backend: cookieBackend(), platform: { fetch: wire.fetch } })
  onTestFinished(session.dispose)
  const held = wire.hold('/bff/login')
  const signIn = session.signIn(logIn)
  await held.arrived
  await settled() // the restore is in line
  held.release()
  expect((await signIn).status).toBe('authenticated')
  expect((await session.signOut()).status).toBe('unauthenticated')
  await settled()
  expect(session.current).toMatchObject({ status: 'unauthenticated', reason: 'signed-out' })
  expect([server.sessions, wire.to('/bff/session').length]).toEqual([0, 1])
})

test('with nothing to find the start ends signed out', async () => {
  const session = createSession({ backend: bearerBackend() })
  onTestFinished(session.dispose)
  expect(await session.ready()).toMatchObject({ status: 'unauthenticated', reason: 'restored' })
})

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

test('a request held for one user is rejected when another signs in, and never sent as the other', async () => {
  const state = await setup()
  const { server, session, wire } = state
  const { refresh, responses } = await refreshing(state, '/api/me')
  const signIn = session.signIn(await login(server, 'bob'))
  refresh.release()
  await signIn
  const error = await thrownBy(responses[0]!)
  expect(error).toBeInstanceOf(SessionEndedError)
  expect(error).toMatchObject({ reason: 'signed-in' })
  expect(wire.to('/api/me')).toHaveLength(1)
  expect(session.current.user).toMatchObject({ name: 'Bob' })
})

test('an unsent request held for one user never reaches the server when another signs in', async () => {
  const clock = createClock()
  const { server, session, wire } = await setup({}, { clock })
  await clock.pass(61_000)
  const refresh = wire.hold('/auth/refresh')
  const response = thrownBy(session.fetch(url('/api/me')))
  await refresh.arrived
  const signIn = session.signIn(await login(server, 'bob'))
  refresh.release()
  await signIn
  expect(await response).toMatchObject({ code: 'ERR_SESSION_ENDED', reason: 'signed-in' })
  expect(wire.to('/api/me')).toEqual([])
})

test('a refresh of the user before, whose turn never came, does not make the session of the next one stale', async () => {
  const clock = createClock()
  const { server, session, states } = await setup({}, { clock })
  const open = defer<Credentials>()
  const dialog = session.signIn(() => open.promise)
  server.expireAccessTokens()
  const response = thrownBy(session.fetch(url('/api/me')))
  await clock.pass(1000)
  await session.signIn(await login(server, 'bob'))
  await clock.pass(25_000)
  expect(await response).toMatchObject({ reason: 'signed-in' })
  expect(session.current).toMatchObject({ stale: false, user: { name: 'Bob' } })
  expect(states.map(({ reason }) => reason)).toEqual(['signed-in'])
  open.reject(new Error('Closed'))
  await thrownBy(dialog)
})

test('a 401 of the user before is handed back, not replayed as the one who signed in since', async () => {
  const { server, session, wire } = await setup()
  server.expireAccessTokens()
  const late = wire.hold('/api/me')
  const response = session.fetch(url('/api/me'))
  await late.arrived
  await session.signIn(await login(server, 'bob'))
  late.release()
  expect((await response).status).toBe(401)
  expect(wire.sent).toHaveLength(1)
})

test('what a refresh brought for the user before is dropped when another has signed in', async () => {
  const state = await setup()
  const { server, session } = state
  const { refresh } = await refreshing(state)
  const bob = await login(server, 'bob')
  const signIn = session.signIn(bob)
  refresh.release()
  await signIn
  await settled()
  expect(await session.getToken()).toBe(bob.accessToken)
})

test('an answer that names another user opens a new session: what waited is rejected', async () => {
  const gate = defer()
  const backend = defineBackend({
    async refresh() {
      await gate.promise
      return { accessToken: jwt({ sub: 'bob' }) }
    },
  })
  const calls: unknown[] = []
  const fetch = async (...args: unknown[]) => {
    calls.push(args)
    return new Response(null, { status: 401 })
  }
  const initial = { accessToken: jwt({ sub: 'ann' }) }
  const { session } = await setup({ backend, initial, origins: [url('')], platform: { fetch } })
  const response = thrownBy(session.fetch(url('/api/me')))
  await settled()
  gate.resolve()
  expect(await response).toMatchObject({ code: 'ERR_SESSION_ENDED', reason: 'signed-in' })
  expect(calls).toHaveLength(1)
  expect(session.current).toMatchObject({ reason: 'signed-in', claims: { sub: 'bob' } })
})

test('a sign-out during the first restore is not undone by its answer', async () => {
  const { answer, clock, server, session } = restoring()
  await clock.pass(0)
  const over = session.signOut()
  answer.resolve(await login(server))
  await over
  await clock.pass(1_000)
  expect(session.current).toMatchObject({ status: 'unauthenticated', reason: 'signed-out' })
})

test('a sign-in during the first restore is not undone by an answer of nobody', async () => {
  const { answer, clock, server, session } = restoring()
  await clock.pass(0)
  await session.signIn(await login(server))
  answer.resolve(null)
  await clock.pass(1_000)
  expect(session.current).toMatchObject({ status: 'authenticated', user: { name: 'Ann' } })
})

test('a sign-in during the first restore is not undone by an answer of somebody else', async () => {
  const { answer, clock, server, session } = restoring()
  await clock.pass(0)
  await session.signIn(await login(server, 'bob'))
  answer.resolve(await login(server, 'ann'))
  await clock.pass(1_000)
  expect(session.current.user).toMatchObject({ name: 'Bob' })
})

test('a server that could not be reached at the start is asked again', async () => {
  const clock = createClock()
  const server = createSampleServer({ now: clock.now })
  const wire = createWire(fetchOf(server))
  const session = createSession({ backend: cookieBackend(), platform: { fetch: wire.fetch, ...clock.platform } })
  onTestFinished(session.dispose)
  wire.isDown = true
  await clock.pass(5_000)
  expect(session.current.status).toBe('loading')
  wire.isDown = false
  await clock.pass(60_000)
  expect(session.current.status).toBe('unauthenticated')
})

test('the same user who signs in again is a new session', async () => {
  const { server, session, states } = await setup()
  const again = await login(server)
  await session.signIn(again)
  expect(await session.getToken()).toBe(again.accessToken)
  expect(states.at(-1)).toMatchObject({ reason: 'signed-in' })
})

test('a sign-in right after a sign-out wins, and the old session still ends at the server', async () => {
  const { server, session } = await setup()
  const over = session.signOut()
  const state = await session.signIn(await login(server, 'bob'))
  await over
  await settled()
  expect(session.current).toBe(state)
  expect((await session.fetch(url('/api/me'))).status).toBe(200)
  expect(server.sessions).toBe(1)
})

/** Made this very moment, with what the page knows. */
const fresh = async () => {
  const server = createSampleServer()
  const initial = await login(server)
  const wire = createWire(fetchOf(server))
  const make = () => {
    const session = createSession({ backend: bearerBackend(), initial, platform: { fetch: wire.fetch } })
    onTestFinished(session.dispose)
    return session
  }
  return { make, server, wire }
}

test('what the page knows serves the first request at once, through an expiry too', async () => {
  const { make, server } = await fresh()
  server.expireAccessTokens()
  expect((await make().fetch(url('/api/me'))).status).toBe(200)
  expect(server.stats.refreshes).toBe(1)
})

test('a sign-out at once after the start is not undone by what the page knew', async () => {
  const { make, server } = await fresh()
  const session = make()
  await session.signOut()
  await settled()
  expect(session.current.status).toBe('unauthenticated')
  expect(server.sessions).toBe(0)
})

test('a sign-in at once after the start is not undone by what the page knew', async () => {
  const { make, server } = await fresh()
  const bob = await login(server, 'bob')
  const session = make()
  await session.signIn(bob)
  await settled()
  expect(await session.getToken()).toBe(bob.accessToken)
})

test('a request at once after the start is not sent as the one who signs in meanwhile', async () => {
  const { make, server, wire } = await fresh()
  server.expireAccessTokens()
  const bob = await login(server, 'bob')
  const late = wire.hold('/api/me')
  const session = make()
  const response = session.fetch(url('/api/me'))
  await session.signIn(bob)
  await late.arrived
  late.release()
  await response.catch(() => {})
  expect(wire.to('/api/me')).toHaveLength(1)
})

test.each([408, 425, 429, 500])('a sign-out that meets a %d is told again', async (status) => {
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

test('where nobody was ever signed in, ensureSignedIn says so as if signed out', async () => {
  const { session } = await setup({ initial: null })
  expect(await thrownBy(session.refresh({ ensureSignedIn: true }))).toMatchObject({ reason: 'signed-out' })
})

test.each([
  [59_000, true],
  [70_000, false],
])('of a cookie session a call with %d characters outlives the page: %s', async (length, keepalive) => {
  const sent: (boolean | undefined)[] = []
  const backend = defineBackend({
    cookies: true,
    async refresh(_held, io, { data }) {
      await io.fetch(url('/auth/session'), { method: 'POST', body: String(data?.['note']) })
      return { user: { id: 1 } }
    },
  })
  const fetch = async (_: unknown, init?: RequestInit) => {
    sent.push(init?.keepalive)
    return new Response()
  }
  const { session } = await setup({ backend, initial: { user: { id: 1 } }, platform: { fetch } })
  await session.reload({ data: { note: 'x'.repeat(length) } })
  expect(sent).toEqual([keepalive])
})
