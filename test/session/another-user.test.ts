// Whose session it is, where nobody told the SDK: another user in the jar, in an answer, in another tab, or nobody any more.

import { type Backend, createSession, type Credentials, defineBackend, type SessionOptions } from 'resesh'
import { observeResponses } from 'resesh/backends/kit'
import { cookie } from 'resesh/backends/cookie'
import { expect, onTestFinished, test } from 'vitest'
import { createSampleServer } from '../servers/sample/server.ts'
import {
  bearerBackend,
  createClock,
  defer,
  jwt,
  login,
  settled,
  setup,
  sharedStorage,
  thrownBy,
  url,
} from '../support/session.ts'

const open = (options: SessionOptions) => {
  const session = createSession({ origins: [url('')], ...options })
  onTestFinished(session.dispose)
  return session
}

/** Whoever the header `x-user` names is signed in by that answer. */
const observing = (more: Partial<Backend> = {}) => ({
  ...defineBackend({ refresh: async () => null }),
  use: [
    observeResponses(({ headers }): Credentials | undefined => {
      const sub = headers.get('x-user')
      return sub ? { accessToken: `of-${sub}`, claims: { sub } } : undefined
    }),
  ],
  ...more,
})

const of = (user: string, status = 200) => new Response(null, { status, headers: { 'x-user': user } })

test('a page from a cache brings tokens that were replaced long ago: what is stored goes on', async () => {
  const clock = createClock()
  const storage = sharedStorage()
  const server = createSampleServer({ now: clock.now })
  const initial = await login(server)
  const first = await setup({ storage, initial }, { clock, server })
  await first.session.refresh() // the storage is loaded as it is needed, which takes real time
  await clock.pass(2_000)
  await first.session.refresh()
  first.session.dispose()
  const again = await setup({ storage, initial }, { clock, server })
  await again.session.refresh()
  expect(again.session.current.status).toBe('authenticated')
  expect(server.stats.thefts).toBe(0)
})

test('a page that knows the user by another id than the token does goes on with the token that is stored', async () => {
  const backend = defineBackend({ cookies: true, needsToken: true, refresh: async () => ({ accessToken: 'fresh' }) })
  const storage = sharedStorage()
  const accessToken = jwt({ sub: 'auth0|1', iat: 0, exp: 600 })
  const one = open({ backend, storage, initial: { accessToken, user: { id: 1 } } })
  await expect.poll(() => storage.text).not.toBe(null)
  const two = open({ backend, storage, initial: { user: { id: 1 } } })
  await expect.poll(() => two.getToken()).toBe(accessToken)
  await one.refresh()
  expect(one.current.reason).toBe('refreshed')
})

test.each(['id', 'sub'])(
  'a refresh that finds another user in the jar, by their %s: nothing is sent as that one',
  async (id) => {
    let who = 'ann'
    const paid: string[] = []
    const fetch = async (input: RequestInfo | URL) => {
      if (!new Request(input).url.endsWith('/pay')) return Response.json({ user: { [id]: who } })
      paid.push(who)
      who = 'bob'
      return new Response(null, { status: 401 })
    }
    const backend = cookie({ sessionUrl: url('/session'), refreshUrl: url('/refresh') })
    const session = open({ backend, initial: { user: { [id]: 'ann' } }, platform: { fetch } })
    const payment = thrownBy(session.fetch(url('/pay'), { method: 'POST' }))
    expect(await payment).toMatchObject({ code: 'ERR_SESSION_ENDED', reason: 'signed-in' })
    expect(paid).toEqual(['ann'])
    expect(session.current.user).toEqual({ [id]: 'bob' })
  },
)

test('a page that finds another user in the jar is a new session for the other tabs', async () => {
  let who = 'ann'
  const options = {
    backend: cookie({ sessionUrl: url('/session') }),
    storage: sharedStorage(),
    platform: { fetch: async () => Response.json({ user: { sub: who } }) },
  }
  const one = open(options)
  await one.ready()
  who = 'bob'
  await open(options).ready()
  await expect.poll(() => one.current.user).toEqual({ sub: 'bob' })
})

test('an answer that brings another user begins a new session', async () => {
  const backend = observing()
  const initial = { accessToken: 'of-ann', refreshToken: 'of-ann', claims: { sub: 'ann' } }
  const session = open({ backend, initial, platform: { fetch: async () => of('bob') } })
  await session.fetch(url('/login'))
  expect(session.current).toMatchObject({ reason: 'signed-in', claims: { sub: 'bob' } })
})

test('an answer that brings the same user goes on with the session', async () => {
  const initial = { accessToken: 'old', claims: { sub: 'ann' }, user: { name: 'Ann' } }
  const session = open({ backend: observing(), initial, platform: { fetch: async () => of('ann') } })
  await session.fetch(url('/api'))
  expect(session.current.user).toEqual({ name: 'Ann' })
  expect(await session.getToken()).toBe('of-ann')
})

test.each(['signOut', 'signIn'] as const)(
  '%s before the first answer is known: what was sent before it brings nobody back',
  async (how) => {
    const answer = defer<Response>()
    const backend = observing({ cookies: true, restore: () => new Promise(() => {}) })
    const session = open({ backend, platform: { fetch: () => answer.promise } })
    const response = session.fetch(url('/api'))
    await settled()
    await (how === 'signIn' ? session.signIn({ accessToken: 'of-bob' }) : session.signOut({ local: true }))
    answer.resolve(of('ann'))
    await response
    expect(await session.getToken()).toBe(how === 'signIn' ? 'of-bob' : null)
  },
)

test('signing out as the page starts tells the server of the session that is stored', async () => {
  const storage = sharedStorage()
  const { session, server, wire } = await setup({ storage })
  session.dispose()
  await open({ backend: bearerBackend(), storage, platform: { fetch: wire.fetch } }).signOut()
  expect(server.sessions).toBe(0)
})

test('signing out tells the server of the newest refresh token, whichever tab has got it', async () => {
  const storage = sharedStorage()
  const { session, wire } = await setup({ storage })
  const two = open({ backend: bearerBackend(), storage, platform: { fetch: wire.fetch, BroadcastChannel: null } })
  await two.ready()
  await session.refresh()
  const { refreshToken } = JSON.parse(storage.text!).credentials
  await two.signOut()
  expect(JSON.parse(await wire.to('/auth/logout')[0]!.text())).toEqual({ refreshToken })
})

const id = (claims: Credentials['claims'], user: Credentials['user']): Credentials => ({
  accessToken: 'fresh',
  ...(claims !== undefined && { claims }),
  ...(user !== undefined && { user }),
})

test.each<[string, Credentials, Credentials]>([
  ['an id of null', id({ sub: 'ann' }, { id: null, name: 'Ann' }), id({ sub: 'ann' }, { id: 'x', name: 'Ann' })],
  ['an id that is left out', id({ sub: 'ann' }, { name: 'Ann' }), id({ sub: 'ann' }, { id: null, name: 'Ann' })],
  ['a sub of null', id({ sub: null }, { id: 1 }), id({}, { id: 1 })],
  ['claims of null', id(null, { id: 1 }), id({ sub: 'ann' }, { id: 1 })],
  ['a user of null', id({ sub: 'ann' }, null), id({ sub: 'ann' }, { id: 1 })],
])('%s on one side is no other user', async (_, before, after) => {
  for (const [initial, answer] of [
    [before, after],
    [after, before],
  ] as const) {
    const backend = defineBackend({ refresh: async () => answer })
    const { session, states } = await setup({ backend, initial: { ...initial, accessToken: 'old' } })
    await session.refresh()
    expect(session.current.status).toBe('authenticated')
    expect(states.map(({ reason }) => reason)).not.toContain('signed-in')
  }
})

test.each<[string, Credentials]>([
  ['the claims', { accessToken: jwt({ sub: 'bob' }) }],
  ['claims of its own', { accessToken: 'opaque', claims: { sub: 'bob' } }],
])('an answer that names another user by %s, without a user, shows no user', async (_, said) => {
  const initial = { accessToken: jwt({ sub: 'ann' }), refreshToken: 'of-ann', user: { name: 'Ann' } }
  const backend = defineBackend({ refresh: async () => said })
  const { session } = await setup({ backend, initial })
  expect(await session.reload()).toMatchObject({ user: null, claims: { sub: 'bob' }, reason: 'signed-in' })
  const told = observing({ use: [observeResponses(() => said)] })
  const other = open({ backend: told, initial, platform: { fetch: async () => new Response() } })
  await other.fetch(url('/api'))
  expect(other.current).toMatchObject({ user: null, claims: { sub: 'bob' } })
})
