// A storage that is cleared under a session: by the user, by the browser, by the app's own code. What a tab still holds goes on,
// and whoever signs in next is the one who is signed in, in all tabs.

import { createSession } from 'resesh'
import { expect, onTestFinished, test } from 'vitest'
import {
  bearerBackend,
  createClock,
  login,
  type Setup,
  settled,
  setup,
  sharedStorage,
  thrownBy,
  url,
} from '../support/session.ts'

/** Tabs that look into one storage, and hear nothing of each other but what is in there. */
const deaf = { BroadcastChannel: null, navigator: null }

/** Ann's session is in the storage: what loads it is loaded as it is needed, which takes real time. */
const stored = async () => {
  const clock = createClock()
  const storage = sharedStorage()
  const world = await setup({ storage, refreshAhead: 'never', platform: deaf }, { clock })
  await world.session.refresh()
  const openTab = () => {
    const platform = { ...deaf, ...clock.platform, fetch: world.wire.fetch }
    const session = createSession({ backend: bearerBackend(), storage, refreshAhead: 'never', platform })
    onTestFinished(session.dispose)
    return session
  }
  return { ...world, clock, storage, openTab, clear: () => (storage.text = null) }
}

const signIn = async ({ server }: Setup, session: Setup['session'], username: string) =>
  session.signIn(await login(server, username))

const whoAnswers = async (session: Setup['session']) => {
  const response = await session.fetch(url('/api/me'))
  return (await response.json()).name as unknown
}

test.each<[string, (world: Setup) => Promise<unknown>]>([
  ['at once', async () => {}],
  ['after a sign-out', ({ session }) => session.signOut()],
])('the next sign-in counts, %s', async (_, before) => {
  const world = await stored()
  const { session, server, clear } = world
  clear()
  await before(world)
  expect(await signIn(world, session, 'bob')).toMatchObject({ status: 'authenticated', user: { name: 'Bob' } })
  server.expireAccessTokens()
  expect(await whoAnswers(session)).toBe('Bob')
  expect(session.current.user).toMatchObject({ name: 'Bob' })
})

test('a request of one user is not sent as the one who signs in after it', async () => {
  const world = await stored()
  const { session, server, wire, clear } = world
  clear()
  server.expireAccessTokens()
  const refused = wire.hold('/api/me')
  const asked = session.fetch(url('/api/me'))
  await refused.arrived
  await signIn(world, session, 'bob')
  refused.release()
  expect((await asked).status).toBe(401)
  expect(wire.to('/api/me')).toHaveLength(1)
})

test('a refresh that is under way brings what was asked for, and the only refresh token is kept', async () => {
  const { session, server, wire, clear } = await stored()
  const old = await session.getToken()
  const answer = wire.hold('/auth/refresh')
  const forced = session.getToken({ skipCache: true })
  await answer.arrived
  clear()
  answer.release()
  expect(await forced).not.toBe(old)
  expect((await session.refresh()).status).toBe('authenticated')
  expect(server.stats).toMatchObject({ refreshes: 3, thefts: 0 })
})

test('a refresh that fails meanwhile leaves whoever forced it with no old token', async () => {
  const { session, server, clock, wire, clear } = await stored()
  const old = await session.getToken()
  server.knobs.refreshFailures = [{ status: 503 }]
  const answer = wire.hold('/auth/refresh')
  const forced = session.getToken({ skipCache: true })
  await answer.arrived
  clear()
  answer.release()
  await clock.pass(1_000)
  expect(await forced).not.toBe(old)
})

test('a token that is forced afterwards is not that of the refresh that was under way', async () => {
  const { session, server, wire, clear } = await stored()
  const answer = wire.hold('/auth/refresh')
  const before = session.getToken({ skipCache: true })
  await answer.arrived
  clear()
  server.users.edit('ann', { role: 'admin' })
  const after = session.getToken({ skipCache: true })
  await settled()
  answer.release()
  expect(await after).not.toBe(await before)
  expect(session.current.claims).toMatchObject({ role: 'admin' })
})

// However often this tab has counted up before: another one begins the record anew, and knows nothing of that.
test.each([0, 1, 2])(
  'another user signs in in another tab, after %d sign-ins in this one: nothing is sent as that one, and the tabs agree',
  async (count) => {
    const world = await stored()
    const { session, server, clock, openTab, clear } = world
    for (let times = 0; times < count; times++) await signIn(world, session, 'ann')
    await clock.pass(1_000) // who signs in next does so later
    clear()
    await signIn(world, openTab(), 'bob')
    expect(session.current.user).toMatchObject({ name: 'Ann' })
    server.expireAccessTokens()
    expect(await thrownBy(whoAnswers(session))).toMatchObject({ code: 'ERR_SESSION_ENDED', reason: 'signed-in' })
    expect(session.current.user).toMatchObject({ name: 'Bob' })
    expect(await whoAnswers(session)).toBe('Bob')
  },
)

test('a tab that knows less has written that down first: the newest refresh token is used all the same', async () => {
  const { session, server, clock, wire, openTab, clear } = await stored()
  const other = openTab()
  const known = other.ready()
  await clock.pass(0)
  await known
  await session.refresh()
  clear()
  wire.isDown = true
  await thrownBy(other.refresh())
  wire.isDown = false
  await clock.pass(11_000) // nobody knows what became of that one until its time is up
  expect((await session.refresh()).status).toBe('authenticated')
  expect(server.stats.thefts).toBe(0)
})

test('a token that a tab writes down again is no younger for it', async () => {
  const { session, clock, wire, openTab, clear } = await stored()
  await clock.pass(40_000)
  clear()
  wire.isDown = true
  await thrownBy(session.refresh())
  const found = openTab().ready()
  await clock.pass(0)
  expect((await found).expiresAt).toBe(session.current.expiresAt)
})

test('an answer of before, which comes late, takes nothing back', async () => {
  const { session, server, wire, clock, clear } = await stored()
  server.knobs.graceMs = 60_000
  const held = wire.hold('/auth/refresh')
  const asked = session.refresh()
  await held.arrived
  clear()
  await clock.pass(11_000)
  await asked // by another attempt, the first of the new record
  await session.refresh() // the second, as was the one that is on its way
  const token = await session.getToken()
  held.release()
  await settled()
  expect(await session.getToken()).toBe(token)
})

test('cleared between the journal and the request, without Web Locks, and used by another tab: one token is spent once', async () => {
  const { session, server, storage, clock, openTab, clear } = await stored()
  const other = openTab()
  const known = other.ready()
  await clock.pass(0)
  await known
  const { update } = storage
  let others: Promise<unknown> | undefined
  // What is written next is the journal. Before this tab hears of that, the storage is cleared, and another tab refreshes.
  storage.update = async (key, change) => {
    storage.update = update
    const isWritten = await update.call(storage, key, change)
    clear()
    others = other.refresh()
    await others
    return isWritten
  }
  await session.refresh()
  expect(others).toBeDefined()
  expect(server.stats.thefts).toBe(0)
})
