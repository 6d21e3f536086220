// Auth.js over a stand-in of our own: the contract for both of its lines, and the traps of its protocol.

import { RefreshFailedError, StepUpRequiredError, type Session } from 'resesh'
import { authjs } from 'resesh/backends/authjs'
import { expect, test, vi } from 'vitest'
import { AuthJs } from '../servers/vendors/authjs.ts'
import type { Clock } from './browser.ts'
import { createScene, testBackend } from './contract.ts'
import { standOf } from './stand-in.ts'
import { thrownBy } from '../support/session.ts'

const stand =
  (version: 4 | 5 = 5) =>
  (clock: Clock) => {
    const server = new AuthJs(clock, version)
    const base = standOf(server, {
      backend: () => authjs({ accessToken: 'accessToken' }),
      refreshPath: '/api/auth/session',
      forgives: true,
      comeLate: () => (server.latecomers = 1),
      demand: {
        type: 'RefreshAccessTokenError',
        make: () => (server.trouble = 'RefreshAccessTokenError'),
        meet: () => (server.trouble = undefined),
      },
      nameIn: ({ user }) => user?.['name'],
      signIn: (tab: Session, user: string) =>
        tab.signIn(async ({ fetch }) => void (await fetch(`/api/auth/callback?user=${user}`))),
    })
    // A sign-out clears the cookie, and the server keeps no list that it could be taken from.
    return Object.defineProperty(base, 'living', { value: undefined })
  }

testBackend('authjs', stand())
testBackend('next-auth 4', stand(4))

const scene = () => createScene(stand())

test('nobody is believed only when it is said twice', async () => {
  const {
    stand: { server },
    signedIn,
  } = scene()
  const tab = await signedIn()
  server.downs = 1
  expect((await tab.refresh()).status).toBe('authenticated')
  server.downs = 2
  expect((await tab.refresh()).status).toBe('unauthenticated')
})

test.each(['a refresh', 'a start'])(
  'a store that is away for one and a half seconds signs nobody out: %s',
  async (when) => {
    const {
      stand: { server },
      open,
      signedIn,
    } = scene()
    let tab = await signedIn()
    if (when === 'a start') tab.dispose()
    server.isAway = true
    setTimeout(() => (server.isAway = false), 1_500)
    if (when === 'a start') tab = open()
    expect((await (when === 'a start' ? tab.ready() : tab.refresh())).status).toBe('authenticated')
  },
)

test('a first look that finds nobody is believed at once', async () => {
  const { wire, open } = scene()
  const begun = Date.now()
  expect((await open().ready()).status).toBe('unauthenticated')
  expect(Date.now() - begun).toBeLessThan(1_000)
  expect(wire.to('/api/auth/session')).toHaveLength(1)
})

test('a start that finds the store down makes nobody signed out', async () => {
  const {
    stand: { server },
    open,
    signedIn,
  } = scene()
  ;(await signedIn()).dispose()
  server.downs = 1
  expect((await open().ready()).status).toBe('authenticated')
})

test('a reload with data is an update, with the token against forgery', async () => {
  const { wire, signedIn } = scene()
  const tab = await signedIn()
  const state = await tab.reload({ data: { role: 'admin' } })
  expect(state.user).toMatchObject({ role: 'admin' })
  const sent = wire.sent.at(-1)!
  expect(`${sent.method} ${sent.path}`).toBe('POST /api/auth/session')
  expect(JSON.parse(await sent.text())).toEqual({ csrfToken: 'c1', data: { role: 'admin' } })
})

test('an update that is refused ends nothing', async () => {
  const { wire, signedIn } = scene()
  const tab = await signedIn()
  const held = wire.hold('/api/auth/csrf')
  const update = tab.reload({ data: { role: 'admin' } })
  await held.arrived
  wire.isDown = true
  held.release()
  expect(await thrownBy(update)).toBeInstanceOf(RefreshFailedError)
  expect(tab.current.status).toBe('authenticated')
})

test('an update that finds the store down was not stored, and says so', async () => {
  const {
    stand: { server },
    signedIn,
  } = scene()
  const tab = await signedIn()
  server.downs = 1
  expect(await thrownBy(tab.reload({ data: { role: 'admin' } }))).toBeInstanceOf(RefreshFailedError)
  expect(tab.current).toMatchObject({ status: 'authenticated', user: { role: 'reader' } })
})

test.each([4, 5] as const)('a sign-out that is refused is told once more: version %s', async (version) => {
  const browser = createScene(stand(version))
  const tab = await browser.signedIn()
  browser.stand.server.isForeign = true
  await tab.signOut()
  expect(browser.cookies).toContain('authjs.session-token')
  tab.dispose()
  browser.clock.pass(60_000)
  expect((await browser.open().ready()).status).toBe('unauthenticated')
  await vi.waitFor(() => expect(browser.cookies).not.toContain('authjs.session-token'))
})

test('an error inside a 200 is a step-up: the session goes on', async () => {
  const {
    stand: { server },
    signedIn,
  } = scene()
  const tab = await signedIn()
  server.trouble = 'RefreshAccessTokenError'
  const error = (await thrownBy(tab.refresh())) as StepUpRequiredError
  expect(error).toBeInstanceOf(StepUpRequiredError)
  expect(error.challenge.type).toBe('RefreshAccessTokenError')
  expect(tab.current.status).toBe('authenticated')
})

test('no token is shown in the state', async () => {
  const { signedIn } = scene()
  const { current } = await signedIn()
  expect(current).toMatchObject({ user: { name: 'Ann' }, claims: { sub: 'ann' } })
  expect(JSON.stringify(current)).not.toMatch(/token|secret/i)
})

test('without a token there is only the cookie', async () => {
  const {
    stand: { handle, signIn },
    open,
  } = scene()
  expect(handle).toBeDefined()
  const tab = open({ backend: authjs(), name: 'other' })
  await signIn(tab, 'ann')
  expect(await tab.getToken()).toBeNull()
  expect(tab.current.status).toBe('authenticated')
})
