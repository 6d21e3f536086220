// A storage that is cleared while several tabs are open. What a tab still holds is written anew, and found by the others; what a
// user has ended stays over, and the server is told of it.

import { createSession, defineBackend } from 'resesh'
import { expect, onTestFinished, test } from 'vitest'
import { createBus } from '../support/bus.ts'
import { bearerBackend, createClock, login, settled, setup, sharedStorage, url } from '../support/session.ts'

/** Ann's session is stored, and held by one tab. */
const stored = async () => {
  const clock = createClock()
  const storage = sharedStorage()
  const platform = { BroadcastChannel: createBus(), navigator: null }
  const world = await setup({ storage, refreshAhead: 'never', platform }, { clock })
  await world.session.refresh()
  async function openTab(backend = bearerBackend()) {
    const session = createSession({
      backend,
      storage,
      refreshAhead: 'never',
      platform: { ...platform, ...clock.platform, fetch: world.wire.fetch },
    })
    onTestFinished(session.dispose)
    await clock.pass(0)
    return session
  }
  const record = () => storage.text && JSON.parse(storage.text).record
  return { ...world, clock, storage, openTab, record, clear: () => (storage.text = null) }
}

const ANN = { status: 'authenticated', user: { name: 'Ann' } }
const BOB = { status: 'authenticated', user: { name: 'Bob' } }

test('a page that finds nothing signs out no tab that still holds the session, and soon shows it, too', async () => {
  const { session, states, server, clock, openTab, record, clear } = await stored()
  const token = await session.getToken()
  clear()
  const fresh = await openTab()
  expect(fresh.current).toMatchObject({ status: 'unauthenticated', reason: 'restored' })
  await clock.pass(1_000)
  expect(states.every(({ status }) => status === 'authenticated')).toBe(true)
  expect(record().signedIn).toBe(true)
  expect(fresh.current).toMatchObject(ANN)
  expect(await fresh.getToken()).toBe(token)
  expect((await fresh.refresh()).status).toBe('authenticated')
  expect((await session.refresh()).status).toBe('authenticated')
  expect(server.stats.thefts).toBe(0)
})

test('requests that wait meanwhile go on', async () => {
  const { session, server, wire, clock, openTab, clear } = await stored()
  server.expireAccessTokens()
  const refused = wire.hold('/api/me')
  const asked = session.fetch(url('/api/me'))
  await refused.arrived
  clear()
  await openTab()
  await clock.pass(1_000)
  refused.release()
  await clock.pass(1_000)
  expect((await asked).status).toBe(200)
})

test('a refresh under way is written by the tab that has sent it, though a page has found nothing meanwhile', async () => {
  const { session, server, wire, clock, openTab, clear } = await stored()
  const answer = wire.hold('/auth/refresh')
  const old = await session.getToken()
  const forced = session.getToken({ skipCache: true })
  await answer.arrived
  clear()
  const fresh = await openTab()
  answer.release()
  await clock.pass(1_000)
  const token = await forced
  expect(token).not.toBe(old)
  expect(await fresh.getToken()).toBe(token)
  expect((await session.refresh()).status).toBe('authenticated')
  expect(server.stats.thefts).toBe(0)
})

test('of two tabs the session of the later sign-in is written', async () => {
  const { session, storage, server, clock, openTab } = await stored()
  const other = await openTab()
  const { text } = storage
  await session.signIn(await login(server, 'bob'))
  await clock.pass(0)
  expect([session.current, other.current]).toMatchObject([BOB, BOB])
  storage.text = text // as a tab would write it that has not heard of the sign-in
  const fresh = await openTab()
  await clock.pass(1_000)
  expect([session.current, other.current, fresh.current]).toMatchObject([BOB, BOB, BOB])
})

test('who signs in on the page that has found nothing is the one who is signed in, in all tabs', async () => {
  const { session, server, clock, openTab, clear } = await stored()
  await clock.pass(1_000)
  clear()
  const fresh = await openTab()
  await fresh.signIn(await login(server, 'bob'))
  await clock.pass(1_000)
  expect([session.current, fresh.current]).toMatchObject([BOB, BOB])
})

test('who signs out stays so', async () => {
  const { session, server, clock, openTab, record, clear } = await stored()
  const other = await openTab()
  clear()
  const fresh = await openTab()
  const out = session.signOut()
  await clock.pass(1_000)
  await out
  for (const tab of [session, other, fresh]) expect(tab.current.status).toBe('unauthenticated')
  expect(record()).toMatchObject({ signedIn: false, signOuts: [] })
  expect(server.sessions).toBe(0)
})

test('where a server was asked, and says that nobody is signed in, the session is over in all tabs', async () => {
  const { session, clock, openTab, clear } = await stored()
  await clock.pass(1_000)
  clear()
  const backend = { ...bearerBackend(), restore: async () => null }
  await openTab(defineBackend(backend as never))
  await clock.pass(1_000)
  expect(session.current.status).toBe('unauthenticated')
})

test('a storage that keeps nothing is not written to for ever', async () => {
  const { session, storage, clock, openTab, wire } = await stored()
  let writes = 0
  storage.update = async (_, change) => {
    writes++
    return change(null) !== undefined
  }
  storage.text = null
  await openTab()
  await clock.pass(60_000)
  expect(writes).toBeLessThan(10)
  expect(session.current).toMatchObject(ANN)
  expect(wire.to('/auth/refresh')).toHaveLength(1)
})

test('a sign-out that was cleared away before the server could be told is written again, and told', async () => {
  const { session, server, wire, clock, record, clear } = await stored()
  wire.isDown = true
  await session.signOut()
  clear()
  wire.isDown = false
  await clock.pass(60_000)
  expect(server.sessions).toBe(0)
  expect(wire.to('/auth/logout').length).toBeGreaterThan(1)
  expect(record()).toMatchObject({ signedIn: false, reason: 'signed-out', signOuts: [] })
})

test('so it is where another call had its turn, and where a tab has written what it still held', async () => {
  const { session, server, wire, clock, storage, record } = await stored()
  server.knobs.refreshFailures = [{ status: 503 }]
  const answer = wire.hold('/auth/refresh')
  session.refresh().catch(() => {})
  await answer.arrived
  const { text } = storage
  const out = session.signOut()
  await settled()
  expect(record()).toMatchObject({ signedIn: false, signOuts: [{}] })
  storage.text = text // as a tab writes it that has not heard of the sign-out
  answer.release()
  await clock.pass(1_000)
  await out
  expect(server.sessions).toBe(0)
  expect(record()).toMatchObject({ signedIn: false, reason: 'signed-out', signOuts: [] })
})

test('a sign-out that was told is not written again', async () => {
  const { session, wire, clock, record, clear } = await stored()
  await session.signOut()
  clear()
  await clock.pass(60_000)
  expect(record()).toBe(null)
  expect(wire.to('/auth/logout')).toHaveLength(1)
})

test('who has signed in since is not signed out by it', async () => {
  const { session, server, wire, clock, clear } = await stored()
  const next = await login(server, 'bob')
  wire.isDown = true
  await session.signOut()
  await session.signIn(next)
  clear()
  wire.isDown = false
  await clock.pass(60_000)
  expect(session.current).toMatchObject(BOB)
})
