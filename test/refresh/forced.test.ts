// Forced means fresh: what an edit changed shows in what is asked for after it, whatever was under way.

import {
  type Backend,
  createSession,
  defineBackend,
  InvalidOptionError,
  type RefreshIntent,
  SessionEndedError,
  StepUpRequiredError,
} from 'resesh'
import { sideTokens } from 'resesh/side-tokens'
import { expect, onTestFinished, test } from 'vitest'
import {
  bearerBackend,
  createClock,
  defer,
  jwt,
  login,
  oauth2Backend,
  settled,
  setup,
  sharedStorage,
  thrownBy,
  url,
} from '../support/session.ts'

const bodyOf = (token: string | null) => JSON.parse(Buffer.from(token!.split('.')[1]!, 'base64url').toString())

/** Answers at once, and keeps what was wanted. */
const recording = (more: Partial<Backend> = {}) => {
  const wanted: RefreshIntent[] = []
  const backend = defineBackend({
    accepts: ['organizationId', 'data'],
    mints: ['organizationId', 'template'],
    async refresh(_credentials, _io, asked) {
      wanted.push(asked)
      const { organizationId } = asked
      return { accessToken: jwt({ n: wanted.length }), ...(organizationId && { organizationId }) }
    },
    ...more,
  })
  const initial = { accessToken: jwt({ n: 0 }), organizationId: 'acme' }
  return { wanted, options: { backend, use: [sideTokens()], initial } }
}

test('a forced token never comes from the refresh that already ran when the edit was stored', async () => {
  const { server, session, wire } = await setup()
  const running = wire.hold('/auth/refresh') // the server has read the old claims, and answers late
  const before = session.refresh()
  await running.arrived
  server.users.edit('ann', { role: 'admin' })
  const token = session.getToken({ skipCache: true })
  running.release()
  expect(bodyOf(await token)).toMatchObject({ role: 'admin' })
  await before
  expect(server.stats.refreshes).toBe(2)
})

test('a server that is slow to answer with old claims does not make a forced token stale', async () => {
  const { server, session } = await setup({}, { knobs: { refreshDelayMs: 20 } })
  server.expireAccessTokens()
  const running = session.fetch(url('/api/me'))
  while (!server.stats.refreshesInFlight) await settled()
  server.users.edit('ann', { role: 'admin' })
  expect(bodyOf(await session.getToken({ skipCache: true }))).toMatchObject({ role: 'admin' })
  await running
  expect(session.current.claims).toMatchObject({ role: 'admin' })
})

test('without skipCache the edit stays out of the token', async () => {
  const { server, session } = await setup()
  server.users.edit('ann', { role: 'admin' })
  expect(bodyOf(await session.getToken())).toMatchObject({ role: 'reader' })
})

test('a hundred forced callers at once share one refresh', async () => {
  const { server, session } = await setup()
  const tokens = await Promise.all(Array.from({ length: 100 }, () => session.getToken({ skipCache: true })))
  expect(new Set(tokens).size).toBe(1)
  expect(server.stats.refreshes).toBe(1)
})

test('a hundred forced callers while a refresh runs share the one after it', async () => {
  const { server, session, wire } = await setup()
  const running = wire.hold('/auth/refresh')
  const before = session.refresh()
  await running.arrived
  const forced = Array.from({ length: 100 }, () => session.getToken({ skipCache: true }))
  running.release()
  expect(new Set(await Promise.all(forced)).size).toBe(1)
  await before
  expect(server.stats.refreshes).toBe(2)
})

test('forced callers that come one by one while a refresh runs share the one after it too', async () => {
  const { server, session, wire } = await setup()
  const running = wire.hold('/auth/refresh')
  const before = session.refresh()
  await running.arrived
  const first = session.getToken({ skipCache: true })
  await settled()
  const second = session.getToken({ skipCache: true })
  running.release()
  expect(await second).toBe(await first)
  await before
  expect(server.stats.refreshes).toBe(2)
})

test('one after the other, each forced call makes a refresh of its own', async () => {
  const { server, session } = await setup()
  await session.getToken({ skipCache: true })
  await session.getToken({ skipCache: true })
  expect(server.stats.refreshes).toBe(2)
})

test('a forced token and a reload that wait together become one reload', async () => {
  const { server, session, wire } = await setup()
  const running = wire.hold('/auth/refresh')
  const before = session.refresh()
  await running.arrived
  const both = Promise.all([session.getToken({ skipCache: true }), session.reload()])
  running.release()
  await Promise.all([before, both])
  expect(server.stats.refreshes).toBe(2)
  expect(wire.to('/auth/user')).toHaveLength(1)
})

test('a reload brings the new user and the new claims', async () => {
  const { server, session, states } = await setup()
  server.users.edit('ann', { name: 'Anna' })
  const current = await session.reload()
  expect(current.user).toMatchObject({ name: 'Anna' })
  expect(current.claims).toMatchObject({ name: 'Anna' })
  expect(states).toEqual([current])
  expect(current.reason).toBe('reloaded')
})

test('a reload over OAuth 2 asks userinfo with the new token', async () => {
  const { server, session, wire } = await setup({ backend: oauth2Backend() })
  server.users.edit('ann', { name: 'Anna' })
  expect((await session.reload()).user).toMatchObject({ name: 'Anna' })
  expect(wire.to('/oauth/userinfo')[0]!.headers.get('authorization')).toBe(`Bearer ${await session.getToken()}`)
})

test('a reload whose second call fails keeps the refresh token that the first one brought', async () => {
  const { server, session, wire } = await setup()
  const running = wire.hold('/auth/refresh')
  const reload = thrownBy(session.reload())
  await running.arrived
  server.expireAccessTokens() // so that the user is refused
  running.release()
  await reload
  expect((await session.fetch(url('/api/me'))).status).toBe(200)
  expect(server.stats.thefts).toBe(0)
})

test('a reload, a forced token and a 401 at once are one refresh and agree', async () => {
  const { server, session } = await setup()
  server.users.edit('ann', { role: 'admin' })
  server.expireAccessTokens()
  const [state, token, response] = await Promise.all([
    session.reload(),
    session.getToken({ skipCache: true }),
    session.fetch(url('/api/me')),
  ])
  expect(response.status).toBe(200)
  expect([bodyOf(token), state.claims]).toMatchObject([{ role: 'admin' }, { role: 'admin' }])
  expect(server.stats.refreshes).toBe(1)
})

test('of many who want new credentials at once only one is at the server at any time', async () => {
  const { server, session } = await setup({ backend: oauth2Backend(), use: [sideTokens()] })
  server.expireAccessTokens()
  await Promise.all([
    session.fetch(url('/api/me')),
    session.refresh(),
    session.reload(),
    session.getToken({ resource: 'https://a.example.test' }),
    session.getToken({ resource: 'https://b.example.test' }),
    session.getToken({ skipCache: true }),
  ])
  expect(server.stats.maxRefreshesInFlight).toBe(1)
  expect(server.stats.thefts).toBe(0)
})

test('a refresh for another organization does not join a plain one', async () => {
  const { wanted, options } = recording()
  const { session } = await setup(options)
  await Promise.all([session.refresh(), session.refresh({ organizationId: 'globex' })])
  expect(wanted).toMatchObject([{ reason: 'forced' }, { reason: 'switch', organizationId: 'globex' }])
  expect(session.current).toMatchObject({ organizationId: 'globex', reason: 'switched' })
})

test('a forced token asked for beside a switch is one of the session after it', async () => {
  const { options } = recording()
  const { session } = await setup(options)
  const [, token] = await Promise.all([
    session.refresh({ organizationId: 'globex' }),
    session.getToken({ skipCache: true }),
  ])
  expect(token).toBe(await session.getToken())
  expect(session.current.organizationId).toBe('globex')
})

test('a forced token asked for beside a switch that is refused is minted all the same', async () => {
  const { options } = recording({
    async refresh(_held, _io, { organizationId }) {
      if (organizationId) throw new StepUpRequiredError({ type: 'mfa_enrollment' })
      return { accessToken: jwt({ n: 1 }) }
    },
  })
  const { session } = await setup(options)
  const refused = thrownBy(session.refresh({ organizationId: 'globex' }))
  expect(bodyOf(await session.getToken({ skipCache: true }))).toEqual({ n: 1 })
  expect(await refused).toBeInstanceOf(StepUpRequiredError)
})

test('two refreshes for two organizations are two', async () => {
  const { wanted, options } = recording()
  const { session } = await setup(options)
  await Promise.all([session.refresh({ organizationId: 'a' }), session.refresh({ organizationId: 'b' })])
  expect(wanted.map(({ organizationId }) => organizationId)).toEqual(['a', 'b'])
})

test('a refresh with data of its own is shared with nobody', async () => {
  const { wanted, options } = recording()
  const { session } = await setup(options)
  await Promise.all([session.refresh(), session.refresh({ data: { a: 1 } }), session.refresh({ data: { a: 1 } })])
  expect(wanted.map(({ data }) => data)).toEqual([undefined, { a: 1 }, { a: 1 }])
})

test('a reload with data hands it to the backend', async () => {
  const { wanted, options } = recording()
  const { session } = await setup(options)
  await session.reload({ data: { city: 'Porto' } })
  expect(wanted).toMatchObject([{ reason: 'reload', data: { city: 'Porto' } }])
})

test('a switch that the server refuses keeps the session as it was', async () => {
  const challenge = { type: 'mfa_enrollment' }
  const { options } = recording({ refresh: () => Promise.reject(new StepUpRequiredError(challenge)) })
  const { session, states } = await setup(options)
  const error = await thrownBy(session.refresh({ organizationId: 'globex' }))
  expect(error).toMatchObject({ code: 'ERR_STEP_UP_REQUIRED', challenge })
  expect(session.current.organizationId).toBe('acme')
  expect(states).toEqual([])
})

test('a side token for another organization does not switch the session', async () => {
  const { options } = recording({ token: async (_held, _io, { organizationId }) => ({ accessToken: organizationId! }) })
  const { session, states } = await setup(options)
  expect(await session.getToken({ organizationId: 'globex' })).toBe('globex')
  expect(session.current.organizationId).toBe('acme')
  expect(states).toEqual([])
})

test('a side token is asked for once while it is good', async () => {
  let asked = 0
  const { options } = recording({ token: async () => ({ accessToken: `side-${++asked}` }) })
  const { session } = await setup(options)
  const [first, second] = await Promise.all([session.getToken({ template: 't' }), session.getToken({ template: 't' })])
  expect([first, second, await session.getToken({ template: 't' })]).toEqual(['side-1', 'side-1', 'side-1'])
})

test('a forced side token is newer than the call', async () => {
  let claims = 'old'
  const gates = [defer(), defer()]
  const arrived = defer()
  let asked = 0
  const { options } = recording({
    async token() {
      const accessToken = claims
      arrived.resolve()
      await gates[asked++]!.promise
      return { accessToken }
    },
  })
  const { session } = await setup(options)
  const first = session.getToken({ template: 't' })
  await arrived.promise
  claims = 'new'
  const forced = session.getToken({ template: 't', skipCache: true })
  gates.forEach(({ resolve }) => resolve())
  expect([await first, await forced]).toEqual(['old', 'new'])
})

test('a side token that the backend knows nothing of is an invalid option', async () => {
  const { options } = recording()
  const { session } = await setup(options)
  expect(await thrownBy(session.getToken({ template: 't' }))).toBeInstanceOf(InvalidOptionError)
})

test('an abort frees that caller while the refresh is still under way, and leaves it to the others', async () => {
  const { session, wire } = await setup()
  const running = wire.hold('/auth/refresh')
  const caller = new AbortController()
  const leaving = thrownBy(session.getToken({ skipCache: true, signal: caller.signal }))
  const staying = session.getToken({ skipCache: true })
  await running.arrived
  caller.abort(new Error('gone'))
  expect(await leaving).toEqual(new Error('gone')) // nothing was released yet
  running.release()
  expect(await staying).toBe(await session.getToken())
})

test.each(['refresh', 'reload'] as const)('an abort frees a caller of %s at once', async (method) => {
  const { session, wire } = await setup()
  const running = wire.hold('/auth/refresh')
  const caller = new AbortController()
  const leaving = thrownBy(session[method]({ signal: caller.signal }))
  await running.arrived
  caller.abort('gone')
  expect(await leaving).toBe('gone')
})

test('a caller that has left before it called starts nothing', async () => {
  const { server, session } = await setup()
  const signal = AbortSignal.abort('gone')
  expect(await thrownBy(session.getToken({ skipCache: true, signal }))).toBe('gone')
  expect(await thrownBy(session.refresh({ signal }))).toBe('gone')
  await settled()
  expect(server.stats.refreshes).toBe(0)
})

test('with nobody signed in a forced token is null, and nothing is asked', async () => {
  const { session, wire } = await setup({ initial: null })
  expect(await session.getToken({ skipCache: true })).toBeNull()
  expect(wire.sent).toEqual([])
})

test('a refresh that ends the session resolves unauthenticated', async () => {
  const { server, session } = await setup()
  server.revoke('ann')
  expect(await session.refresh()).toMatchObject({ status: 'unauthenticated', reason: 'expired' })
})

test('a forced token of a session that this very call found over is null', async () => {
  const { server, session } = await setup()
  server.revoke('ann')
  expect(await session.getToken({ skipCache: true })).toBeNull()
})

test('a refresh that ends the session throws for whoever must be signed in', async () => {
  const { server, session } = await setup()
  server.revoke('ann')
  const error = await thrownBy(session.refresh({ ensureSignedIn: true }))
  expect(error).toBeInstanceOf(SessionEndedError)
  expect(error).toMatchObject({ reason: 'expired' })
})

test('requests are served with the old token while a forced refresh runs', async () => {
  const clock = createClock()
  const { session, wire } = await setup({}, { clock })
  const running = wire.hold('/auth/refresh')
  const forced = session.refresh()
  await running.arrived
  expect((await session.fetch(url('/api/me'))).status).toBe(200)
  running.release()
  await forced
})

test('a switch to no organization at all does not share a plain refresh', async () => {
  const { wanted, options } = recording()
  const { session } = await setup(options)
  await Promise.all([session.refresh(), session.refresh({ organizationId: '' })])
  expect(wanted.map(({ reason, organizationId }) => [reason, organizationId])).toEqual([
    ['forced', undefined],
    ['switch', ''],
  ])
  expect(session.current.reason).toBe('switched')
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
    accepts: ['data'],
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

test.each(['value', 'function'] as const)(
  'forced means fresh also where the same user signs in meanwhile, by a %s that is older than the call',
  async (how) => {
    for (const call of ['getToken', 'refresh', 'reload'] as const) {
      const { server, session, wire } = await setup()
      const old = await login(server)
      server.users.edit('ann', { role: 'admin' })
      const running = wire.hold('/auth/refresh')
      const asked = call === 'getToken' ? session.getToken({ skipCache: true }) : session[call]()
      await running.arrived
      // A function logs in only once no refresh is under way.
      const signedIn = session.signIn(how === 'value' ? old : async () => old)
      running.release()
      await signedIn
      const got = await asked
      const claims = typeof got === 'string' ? bodyOf(got) : got!.claims
      expect(claims).toMatchObject({ role: 'admin' })
      expect(server.stats.refreshes).toBe(how === 'value' ? 2 : 1)
    }
  },
)

test('a sign-in in another tab before the refresh was sent is no answer to who forces one', async () => {
  const storage = sharedStorage()
  const { server, session, wire } = await setup({ storage })
  const platform = { fetch: wire.fetch, BroadcastChannel: null }
  const other = createSession({ backend: bearerBackend(), storage, origins: [url('')], platform })
  onTestFinished(other.dispose)
  await other.ready()
  const old = await login(server)
  server.users.edit('ann', { role: 'admin' })
  const [state] = await Promise.all([session.reload(), other.signIn(old)])
  expect(state.claims).toMatchObject({ role: 'admin' })
})

test.each(['refresh', 'reload'] as const)(
  'a %s during which another user signs in gives nothing of that user that is older than the call',
  async (how) => {
    const { server, session, wire } = await setup()
    const bob = await login(server, 'bob')
    const running = wire.hold('/auth/refresh')
    const first = session.getToken({ skipCache: true })
    await running.arrived
    server.users.edit('bob', { role: 'admin' })
    const asked = session[how]()
    await settled()
    const signedIn = session.signIn(bob)
    running.release()
    await signedIn
    expect((await asked).claims).toMatchObject({ role: 'admin' })
    expect(await first).toBe(null)
    expect(server.stats.refreshes).toBe(2)
  },
)

test('who forces a refresh gets nothing of another user that signs in meanwhile, and nothing is refreshed for it', async () => {
  const { server, session, wire } = await setup()
  const running = wire.hold('/auth/refresh')
  const asked = session.getToken({ skipCache: true })
  await running.arrived
  const bob = await login(server, 'bob')
  const signedIn = session.signIn(bob)
  running.release()
  await signedIn
  expect(await asked).toBe(null)
  expect(server.stats.refreshes).toBe(1)
  expect(await session.getToken()).toBe(bob.accessToken)
})

// A caller in some tab still waits for a reload, so that the next refresh asks for the user as well: the token is there before.
test('a sign-in that comes between the new token and the user is no answer to who forces a refresh', async () => {
  const clock = createClock()
  const { server, session, wire } = await setup({ timeout: 5_000 }, { clock })
  const signedIn = await login(server)
  server.knobs.refreshFailures = [{ status: 503 }]
  await thrownBy(session.reload())
  await clock.pass(2_000)
  wire.hold('/auth/user')
  server.users.edit('ann', { role: 'admin' })
  const forced = session.getToken({ skipCache: true })
  await clock.pass(0)
  await session.signIn(signedIn)
  await clock.pass(6_000)
  const token = await forced
  expect(token).not.toBe(signedIn.accessToken)
  expect(session.current.claims).toMatchObject({ role: 'admin' })
})

test('a request of the next session that joins a forced refresh takes nothing from its caller', async () => {
  const clock = createClock()
  const { server, session, wire } = await setup({ timeout: 5_000, refreshAhead: 'never' }, { clock })
  const [bob, ann] = [await login(server, 'bob'), await login(server, 'ann')]
  const hung = wire.hold('/auth/refresh')
  const reload = session.reload()
  await clock.pass(0)
  await hung.arrived
  server.users.edit('ann', { role: 'admin' })
  await session.signIn(bob)
  server.expireAccessTokens()
  const asked = session.fetch(url('/api/me'))
  await clock.pass(0)
  await session.signIn(ann)
  await thrownBy(asked)
  await clock.pass(30_000)
  expect((await reload).claims).toMatchObject({ role: 'admin' })
})
