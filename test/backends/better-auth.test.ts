// better-auth over a stand-in of our own: the contract with its cookie, and with either plugin for tokens; and the traps
// of its protocol.

import { RefreshFailedError, type Session } from 'resesh'
import { betterAuth } from 'resesh/backends/better-auth'
import { expect, test } from 'vitest'
import { BetterAuth, type BetterAuthOptions } from '../servers/vendors/better-auth.ts'
import type { Clock } from './browser.ts'
import { createScene, testBackend } from './contract.ts'
import { API, standOf } from './stand-in.ts'
import { thrownBy } from '../support/session.ts'

const stand = (options: BetterAuthOptions) => (clock: Clock) => {
  const server = new BetterAuth(clock, options)
  return standOf(server, {
    backend: () => betterAuth({ jwt: options.jwt ?? false, bearer: options.bearer ?? false }),
    refreshPath: options.jwt ? '/api/auth/token' : '/api/auth/get-session',
    forgives: true,
    ...(!options.bearer && { comeLate: () => (server.latecomers = 1) }),
    lifeMs: options.jwt ? server.lifeMs : 0,
    nameIn: ({ user }) => user?.['name'],
    signIn: (tab: Session, email: string) =>
      tab.signIn(async ({ fetch }) => {
        const response = await fetch('/api/auth/sign-in/email', { method: 'POST', body: JSON.stringify({ email }) })
        return options.bearer ? { accessToken: response.headers.get('set-auth-token') } : undefined
      }),
    stepUp: { url: `${API}/api/vault`, type: 'SESSION_NOT_FRESH', meet: () => (server.isVaultOpen = true) },
  })
}

testBackend('better-auth', stand({}))
testBackend('better-auth with deferred refresh', stand({ deferSessionRefresh: true }))
testBackend('better-auth with tokens', stand({ jwt: true }))
testBackend('better-auth with the token of the session', stand({ bearer: true }))

test.each<BetterAuthOptions>([{}, { jwt: true }, { bearer: true }])(
  'X-Retry-After is obeyed with %o',
  async (options) => {
    const {
      stand: { server },
      clock,
      wire,
      signedIn,
    } = createScene(stand(options))
    const tab = await signedIn()
    server.limitedFor = 60
    expect(await thrownBy(tab.refresh())).toBeInstanceOf(RefreshFailedError)
    const sent = wire.sent.length
    clock.pass(15_000)
    expect(await thrownBy(tab.refresh())).toBeInstanceOf(RefreshFailedError)
    expect(wire.sent.length).toBe(sent)
    clock.pass(120_000)
    expect((await tab.refresh()).status).toBe('authenticated')
  },
)

test('a reload looks past the cookie cache', async () => {
  const { wire, signedIn } = createScene(stand({}))
  await (await signedIn()).reload()
  expect(wire.sent.at(-1)!.url).toMatch('/api/auth/get-session?disableCookieCache=true')
})

test('a deferred refresh is asked for with a POST', async () => {
  const { wire, signedIn } = createScene(stand({ deferSessionRefresh: true }))
  await (await signedIn()).refresh()
  expect(wire.sent.slice(-2).map(({ method, path }) => `${method} ${path}`)).toEqual([
    'GET /api/auth/get-session',
    'POST /api/auth/get-session',
  ])
})

test('a token route that says 401 while the store is down ends nothing', async () => {
  const {
    stand: { server },
    wire,
    signedIn,
  } = createScene(stand({ jwt: true }))
  const tab = await signedIn()
  server.isStoreDown = true
  expect(await thrownBy(tab.refresh())).toBeInstanceOf(RefreshFailedError)
  expect(tab.current.status).toBe('authenticated')
  expect(wire.sent.slice(-2).map(({ path }) => path)).toEqual(['/api/auth/token', '/api/auth/get-session'])
})

test('a session deleted while it is prolonged is over', async () => {
  const {
    stand: { server },
    signedIn,
  } = createScene(stand({}))
  const tab = await signedIn()
  server.isDeleted = true
  expect((await tab.refresh()).status).toBe('unauthenticated')
})

test('the token on an answer without a session is not taken', async () => {
  const {
    stand: { revoke },
    signedIn,
  } = createScene(stand({ jwt: true }))
  const tab = await signedIn()
  revoke('ann')
  expect((await tab.reload()).status).toBe('unauthenticated')
  expect(await tab.getToken()).toBeNull()
})

test('the token of the session row is shown to nobody', async () => {
  const { signedIn } = createScene(stand({}))
  const { current } = await signedIn()
  expect(current.claims).toMatchObject({ sub: 'ann', id: 'row_session_1' })
  expect(JSON.stringify(current)).not.toContain('"token"')
})

const signInElsewhere = (fetchOfPage: typeof fetch, email: string) =>
  fetchOfPage('/api/auth/sign-in/email', { method: 'POST', body: JSON.stringify({ email }) })

test.each(['refresh', 'reload'] as const)(
  'another user has signed in on a page of better-auth: after a %s all of the session is that user’s',
  async (ask) => {
    const { fetch, signedIn } = createScene(stand({ jwt: true }))
    const tab = await signedIn('ann')
    const seen = new Set<string>()
    tab.on('change', ({ current }) => seen.add(`${String(current.user?.['id'])} ${String(current.claims?.['sub'])}`))
    await signInElsewhere(fetch, 'bob')
    await tab[ask]()
    expect([...seen]).toEqual(['bob bob'])
    expect(await (await tab.fetch(`${API}/api/me`)).json()).toMatchObject({ id: 'bob' })
  },
)

test('what the page was handed of a user is not kept with the token of another', async () => {
  const { fetch, open } = createScene(stand({ jwt: true }))
  const tab = open({ initial: { user: { id: 'ann', name: 'Ann' } } })
  await signInElsewhere(fetch, 'bob')
  expect(await tab.refresh()).toMatchObject({ user: { id: 'bob' }, claims: { sub: 'bob' } })
})

test('another user signs in between the call for the session and the call for its token: never mixed', async () => {
  const { fetch, stand: it, wire, open, signedIn } = createScene(stand({ jwt: true }))
  ;(await signedIn('ann')).dispose()
  it.server.hidesToken = true
  const held = wire.hold('/api/auth/get-session')
  const tab = open()
  const seen = new Set<string>()
  tab.on('change', ({ current }) => seen.add(`${String(current.user?.['id'])} ${String(current.claims?.['sub'])}`))
  await held.arrived
  await signInElsewhere(fetch, 'bob')
  held.release()
  await tab.ready()
  expect([...seen]).not.toContain('ann bob')
  expect(await tab.refresh()).toMatchObject({ user: { id: 'bob' }, claims: { sub: 'bob' } })
})

test('a server with a `sub` of its own: the token is taken, and asking is not doubled for ever', async () => {
  const { stand: it, wire, signedIn } = createScene(stand({ jwt: true }))
  it.server.hidesToken = true
  it.server.subOf = (user) => `${user}@example.test`
  const tab = await signedIn('ann')
  expect(tab.current).toMatchObject({ user: { id: 'ann' }, claims: { sub: 'ann@example.test' } })
  const before = wire.sent.length
  await tab.refresh()
  expect(wire.sent.slice(before).map(({ path }) => path)).toEqual(['/api/auth/token'])
})
