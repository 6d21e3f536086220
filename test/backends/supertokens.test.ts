// SuperTokens over a stand-in of our own: the contract in each of its modes, and the traps of its protocol.

import { RefreshFailedError, type Session } from 'resesh'
import { supertokens, supertokensLegacy } from 'resesh/backends/supertokens'
import { expect, test } from 'vitest'
import type { Clock } from './browser.ts'
import { createScene, testBackend } from './contract.ts'
import { API, standOf } from './stand-in.ts'
import { SuperTokens, type Mode } from '../servers/vendors/supertokens.ts'
import { setup, thrownBy, url } from '../support/session.ts'

const signInUrl = `${API}/auth/signin`

const stand = (mode: Mode) => (clock: Clock) => {
  const server = new SuperTokens(clock, mode)
  const refreshPath = mode === 'legacy' ? '/api/refresh' : '/auth/session/refresh'
  return standOf(server, {
    backend: () =>
      mode === 'legacy'
        ? supertokensLegacy({ refreshUrl: API + refreshPath, signOutUrl: `${API}/auth/signout` })
        : supertokens({ baseUrl: `${API}/auth`, mode: mode === 'header' ? 'header' : 'cookie' }),
    refreshPath,
    expiredStatus: mode === 'legacy' ? 440 : 401,
    nameIn: ({ claims }) => claims?.['name'],
    signIn: async (tab: Session, user: string) => {
      await tab.ready()
      await tab.fetch(signInUrl, { method: 'POST', body: user })
    },
    stepUp: { url: `${API}/api/vault`, type: 'st-ev', meet: () => (server.isVaultOpen = true) },
  })
}

testBackend('supertokens in header mode', stand('header'))
testBackend('supertokens in cookie mode', stand('custom-header'))
testBackend('supertokens in cookie mode with a token against forgery', stand('anti-csrf'))
testBackend('supertokens of 2020', stand('legacy'))

const header = () => createScene(stand('header'))

test('a login names the mode, and so does a refresh, whose token it carries', async () => {
  const {
    stand: { refreshPath },
    wire,
    signedIn,
  } = header()
  await (await signedIn()).refresh()
  const [login, renewal] = [wire.to('/auth/signin')[0]!, wire.to(refreshPath)[0]!]
  expect([login.headers.get('st-auth-mode'), login.headers.get('rid')]).toEqual(['header', 'anti-csrf'])
  expect([renewal.headers.get('st-auth-mode'), renewal.headers.get('rid')]).toEqual(['header', 'session'])
  expect(renewal.headers.get('authorization')).toMatch(/^Bearer [\w-]{36}$/)
})

test('claims come in standard base64, in UTF-8', async () => {
  const { signedIn } = header()
  const { current } = await signedIn()
  expect(current).toMatchObject({ user: { id: 'ann' }, claims: { sub: 'ann', greeting: 'Grüß dich ✓ ÿÿÿ' } })
})

test('a token on an ordinary response is taken, and the refresh token stays', async () => {
  const {
    stand: { profile },
    signedIn,
  } = header()
  const tab = await signedIn()
  await tab.refresh()
  const before = await tab.getToken()
  await tab.fetch(profile)
  expect(await tab.getToken()).not.toBe(before)
  expect((await tab.refresh()).status).toBe('authenticated')
})

test('an older token does not replace a newer one, whenever it comes', async () => {
  const {
    stand: { profile },
    clock,
    wire,
    signedIn,
  } = header()
  const tab = await signedIn()
  await tab.refresh()
  const held = wire.hold('/api/me')
  const slow = tab.fetch(profile)
  await held.arrived
  clock.pass(5_000)
  await tab.refresh()
  const newest = await tab.getToken()
  held.release()
  await slow
  expect(await tab.getToken()).toBe(newest)
})

test.each([false, true])(
  'a removed mark ends the session, with a proxy that drops empty headers: %s',
  async (drops) => {
    const {
      stand: { server, revoke, profile },
      signedIn,
    } = header()
    const tab = await signedIn()
    server.dropsEmpty = drops
    server.isChecked = true
    revoke('ann')
    expect((await tab.fetch(profile)).status).toBe(401)
    expect(tab.current).toMatchObject({ status: 'unauthenticated', reason: 'expired' })
    expect(await tab.getToken()).toBeNull()
  },
)

test('a 200 that renews nothing is called again, once', async () => {
  const {
    stand: { server },
    signedIn,
  } = header()
  const tab = await signedIn()
  server.empties = 1
  expect((await tab.refresh()).status).toBe('authenticated')
  server.empties = 2
  expect(await thrownBy(tab.refresh())).toBeInstanceOf(RefreshFailedError)
  expect(tab.current.status).toBe('authenticated')
})

test('theft is told from an end', async () => {
  const {
    stand: { server, profile, expire, backend },
    signedIn,
  } = header()
  const tab = await signedIn()
  let stolen: string | undefined
  const spy = backend()
  const thief = await signedIn('ann', {
    name: 'thief',
    backend: {
      ...spy,
      refresh: (held, io, wanted) => {
        stolen ??= held.refreshToken!
        return spy.refresh(held, io, wanted)
      },
    },
  })
  await thief.refresh()
  await thief.fetch(profile)
  const again = await thief.signIn({ accessToken: 'spent', refreshToken: stolen! })
  expect(again.status).toBe('authenticated')
  expire()
  await thief.refresh()
  expect(thief.current).toMatchObject({ status: 'unauthenticated', reason: 'reused' })
  expect([tab.current.status, server.count]).toEqual(['authenticated', 1])
})

test('a sign-out with a dead access token spends a refresh to end the session', async () => {
  const {
    stand: { server, expire },
    signedIn,
  } = header()
  const tab = await signedIn()
  expire()
  await tab.signOut()
  expect(server.count).toBe(0)
})

test('a mutation in cookie mode carries what fends off forgery', async () => {
  const { wire, signedIn } = createScene(stand('anti-csrf'))
  const tab = await signedIn()
  expect((await tab.fetch(`${API}/api/me`, { method: 'PATCH' })).status).toBe(200)
  expect(wire.to('/api/me')[0]!.headers.get('anti-csrf')).toMatch(/^[\w-]{36}$/)
})

test('a marker that says nothing breaks no answer', async () => {
  const fetch = async () => new Response('served', { headers: { 'front-token': btoa('{}') } })
  const { session } = await setup({ backend: supertokens({ mode: 'header' }), origins: [url('')], platform: { fetch } })
  expect(await (await session.fetch(url('/api'))).text()).toBe('served')
})
