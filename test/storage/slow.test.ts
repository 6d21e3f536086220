// A storage that is slow, or says nothing: that is "could not find out", and no failure. Nobody is shown signed out for it, and
// nothing goes on in memory, where each tab would spend the same refresh token. A storage that fails is tried again.

import { createSession, type SessionStorage } from 'resesh'
import { expect, onTestFinished, test } from 'vitest'
import { createSampleServer } from '../servers/sample/server.ts'
import {
  bearerBackend,
  createClock,
  createWire,
  defer,
  evenChance,
  fetchOf,
  login,
  settled,
  setup,
  sharedStorage,
  thrownBy,
  url,
} from '../support/session.ts'

/** Ann has signed in, and the page is loaded again: the storage opens when the test says so. */
const loading = async ({ isSignedIn = true } = {}) => {
  const clock = createClock()
  const server = createSampleServer({ now: clock.now })
  const shared = sharedStorage()
  if (isSignedIn) {
    const { session } = await setup({ storage: shared }, { clock, server })
    await session.refresh()
    session.dispose()
  }
  const wire = createWire(fetchOf(server))
  const opened = defer()
  const faults: unknown[] = []
  let opens = 0
  const storage: SessionStorage = {
    name: 'slow',
    isShared: () => true,
    async open(place) {
      opens++
      await opened.promise
      if (faults.length) throw faults.shift()
      return shared.open(place)
    },
  }
  const errors: string[] = []
  const open = () => {
    const platform = { ...clock.platform, fetch: wire.fetch, Math: evenChance, navigator: null, BroadcastChannel: null }
    const session = createSession({ backend: bearerBackend(), storage, refreshAhead: 'never', platform })
    session.on('error', ({ error }) => errors.push(error.message))
    onTestFinished(session.dispose)
    return session
  }
  return { clock, server, shared, wire, faults, errors, open, answer: opened.resolve, opens: () => opens }
}

test.each([3_000, 8_000, 15_000, 40_000])(
  'opened after %d ms: loading until then, then signed in, with no word of a failure',
  async (ms) => {
    const { clock, wire, errors, open, answer, opens } = await loading()
    const session = open()
    const statuses: string[] = []
    session.on('change', ({ current }) => statuses.push(current.status))
    const ready = session.ready().then(
      ({ status }) => status,
      (error: { code: string }) => error.code,
    )
    const asked = session.fetch(url('/api/me')).then(
      ({ status }) => status,
      (error: { code: string }) => error.code,
    )
    await clock.pass(ms - 1)
    expect(session.current.status).toBe('loading')
    expect(wire.sent).toEqual([])
    answer()
    await clock.pass(3_000)
    expect(statuses).toEqual(['authenticated'])
    expect(await ready).toBe(ms < 10_000 ? 'authenticated' : 'ERR_REFRESH_TIMEOUT')
    expect(await asked).toBe(ms < 10_000 ? 200 : 'ERR_REFRESH_TIMEOUT')
    expect((await session.ready()).user).toMatchObject({ name: 'Ann' })
    expect((await session.fetch(url('/api/me'))).status).toBe(200)
    expect(errors.join()).not.toContain('memory')
    expect(opens()).toBe(1)
  },
)

test('a sign-in that is made while the storage opens is not lost', async () => {
  const { clock, server, shared, open, answer } = await loading({ isSignedIn: false })
  const session = open()
  const signedIn = session.signIn(await login(server))
  await clock.pass(5_000)
  expect(shared.text).toBe(null)
  answer()
  await clock.pass(0)
  expect((await signedIn).status).toBe('authenticated')
  session.dispose()
  const again = open()
  await clock.pass(0)
  expect((await again.ready()).user).toMatchObject({ name: 'Ann' })
})

test('a sign-in whose caller has given up is written down once the storage answers', async () => {
  const { clock, server, open, answer } = await loading({ isSignedIn: false })
  const session = open()
  const signedIn = thrownBy(session.signIn(await login(server)))
  await clock.pass(20_000)
  expect(await signedIn).toMatchObject({ code: 'ERR_REFRESH_TIMEOUT' })
  answer()
  await clock.pass(100_000)
  expect(session.current).toMatchObject({ status: 'authenticated', user: { name: 'Ann' } })
})

test('a database that is being deleted while the page loads fails for a moment: it is opened again', async () => {
  const { clock, faults, errors, open, answer } = await loading()
  for (const name of ['AbortError', 'UnknownError', 'InvalidStateError']) faults.push(new DOMException('gone', name))
  const session = open()
  answer()
  await clock.pass(1_000)
  expect(session.current.status).toBe('authenticated')
  expect(errors).toEqual([])
})

test('a storage that fails by itself: memory, one error, and back as soon as it works', async () => {
  const { clock, server, shared, faults, errors, open, answer } = await loading({ isSignedIn: false })
  for (let times = 0; times < 5; times++) faults.push(new TypeError('no subtle'))
  const session = open()
  answer()
  await clock.pass(0)
  await session.signIn(await login(server))
  expect(shared.text).toBe(null)
  for (let times = 0; times < 6; times++) {
    await clock.pass(60_000)
    const asked = session.fetch(url('/api/me'))
    await clock.pass(0)
    expect((await asked).status).toBe(200)
  }
  expect(errors).toHaveLength(1)
  expect(shared.text).toContain('"signedIn":true')
  const again = open()
  await clock.pass(0)
  expect((await again.ready()).user).toMatchObject({ name: 'Ann' })
  expect(server.stats.thefts).toBe(0)
})

test('a storage that worked, and fails for a while, is never given up: other tabs may use it', async () => {
  const clock = createClock()
  const storage = sharedStorage()
  const well = { ...storage }
  const { session, server } = await setup({ storage, platform: { navigator: null, BroadcastChannel: null } }, { clock })
  await session.refresh()
  const errors: string[] = []
  session.on('error', ({ error }) => errors.push(error.message))
  const fail = async () => {
    throw new DOMException('Closed', 'InvalidStateError')
  }
  Object.assign(storage, { getItem: fail, update: fail })
  const asked = thrownBy(session.refresh())
  await clock.pass(60_000)
  expect(await asked).toMatchObject({ code: expect.stringMatching(/^ERR_REFRESH_(FAILED|TIMEOUT)$/) })
  expect(errors.join()).not.toContain('memory')
  expect(session.current.status).toBe('authenticated')
  Object.assign(storage, { getItem: well.getItem, update: well.update })
  const again = session.refresh()
  await clock.pass(10_000)
  expect((await again).status).toBe('authenticated')
  expect(server.stats.thefts).toBe(0)
})

test('a storage that worked, and fails for a moment: nobody notices', async () => {
  const clock = createClock()
  const storage = sharedStorage()
  const { getItem } = storage
  const { session } = await setup({ storage, platform: { navigator: null, BroadcastChannel: null } }, { clock })
  await session.refresh()
  let left = 4
  storage.getItem = async function () {
    if (left-- > 0) throw new DOMException('Closed', 'InvalidStateError')
    return getItem.call(this)
  }
  const asked = session.refresh()
  await clock.pass(2_000)
  await settled()
  expect((await asked).status).toBe('authenticated')
})
