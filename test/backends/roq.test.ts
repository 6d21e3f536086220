// ROQ over a stand-in of our own: the contract, and the traps of its protocol.

import { RefreshFailedError, type Json, type Session } from 'resesh'
import { roq } from 'resesh/backends/roq'
import { expect, test } from 'vitest'
import type { Clock } from './browser.ts'
import { createScene, testBackend } from './contract.ts'
import { Roq } from '../servers/vendors/roq.ts'
import { standOf } from './stand-in.ts'
import { thrownBy } from '../support/session.ts'

const stand = (clock: Clock) => {
  const server = new Roq(clock)
  return standOf(server, {
    comeLate: () => (server.latecomers = 1),
    backend: () => roq(),
    refreshPath: '/api/auth/refetch-session',
    forgives: true,
    lifeMs: 0, // a session whose token died is not renewed
    nameIn: ({ user }) => user?.['firstName'],
    signIn: (tab: Session, user: string) =>
      tab.signIn(async ({ fetch }) => void (await fetch(`/api/auth/callback?user=${user}`))),
  })
}

testBackend('roq', stand)

const scene = () => createScene(stand)

test('a start reads the session, without asking the platform', async () => {
  const { wire, open, signedIn } = scene()
  ;(await signedIn()).dispose()
  const before = wire.sent.length
  const state = await open().ready()
  expect(wire.sent.slice(before).map(({ path }) => path)).toEqual(['/api/auth/session'])
  expect(state).toMatchObject({ user: { id: 'ann' }, claims: { sub: 'ann', roles: ['reader'], tenantId: 't1' } })
})

test('status has the words of the server', async () => {
  const { fetch, open, stand: server } = scene()
  const said = async (): Promise<unknown> => ((await (await fetch('/api/auth/session')).json()) as Json)['status']
  const tab = open()
  expect(tab.current.status).toBe('loading')
  expect((await tab.ready()).status).toBe(await said())
  await server.signIn(tab, 'ann')
  expect([tab.current.status, await said()]).toEqual(['authenticated', 'authenticated'])
  await tab.signOut()
  expect([tab.current.status, await said()]).toEqual(['unauthenticated', 'unauthenticated'])
})

test('a changed role shows after a refetch, whichever way it is asked for', async () => {
  const { stand: server, wire, signedIn } = scene()
  const tab = await signedIn()
  const roles = () => [tab.current.user?.['roles'], tab.current.claims?.['roles']]
  const ways = [() => tab.refresh(), () => tab.reload(), () => tab.getToken({ skipCache: true })]
  for (const [nth, ask] of ways.entries()) {
    server.edit('ann', { role: `role ${nth}` })
    expect(roles().flat()).not.toContain(`role ${nth}`)
    await ask()
    expect(roles()).toEqual([[`role ${nth}`], [`role ${nth}`]])
  }
  expect(wire.to('/api/auth/refetch-session')).toHaveLength(ways.length)
})

test('the expiry is that of the token, not of the session', async () => {
  const { clock, signedIn } = scene()
  const { current } = await signedIn()
  expect(current.expiresAt! - clock.now()).toBeLessThanOrEqual(60_000)
})

test.each(["Unexpected token '<'", 'JWTs must use Compact JWS serialization'])(
  'a failure inside a 200 ends nothing while the session is there: %s',
  async (trouble) => {
    const {
      stand: { server },
      wire,
      signedIn,
    } = scene()
    const tab = await signedIn()
    server.trouble = trouble
    const error = (await thrownBy(tab.refresh())) as RefreshFailedError
    expect(error).toBeInstanceOf(RefreshFailedError)
    expect([error.message, error.spent]).toEqual([expect.stringContaining(trouble), false])
    expect(tab.current.status).toBe('authenticated')
    expect(wire.sent.at(-1)!.path).toBe('/api/auth/session')
    expect((await tab.refresh()).status).toBe('authenticated') // on the ordinary back-off
  },
)

test.each([
  ['eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ.x1', 'a JWT'],
  ['0f3a9c51-8a9d-4c1e-9a55-6a1b2c3d4e5f', 'an opaque token'],
])('the words of the server are told without %s, %s', async (secret) => {
  const {
    stand: { server },
    signedIn,
  } = scene()
  const tab = await signedIn()
  server.trouble = `invalid refresh token:\n"${secret}"`
  const { message } = (await thrownBy(tab.refresh())) as Error
  expect(message).toContain('invalid refresh token: "…"')
  expect(message).not.toContain(secret)
})

test('once the token has died, the session is over, and its refresh token unused', async () => {
  const { clock, signedIn } = scene()
  const tab = await signedIn()
  clock.pass(60_001)
  expect(await tab.refresh()).toMatchObject({ status: 'unauthenticated', reason: 'expired' })
})

test('a refetch is the same user, whatever the id of the session', async () => {
  const { signedIn } = scene()
  const tab = await signedIn()
  const reasons: unknown[] = []
  tab.on('change', ({ reason }) => reasons.push(reason))
  await tab.refresh()
  expect(reasons).not.toContain('signed-in')
})

test('a sign-out does not follow the redirect to a page', async () => {
  const { wire, cookies, signedIn } = scene()
  await (await signedIn()).signOut()
  expect(wire.sent.at(-1)!.path).toBe('/api/auth/logout')
  expect(cookies).toEqual([])
})
