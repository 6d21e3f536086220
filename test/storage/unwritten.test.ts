// A storage that fails in the very moment when something has to be written down that can't be had again: the user's sign-out, the
// new refresh token, what the server is still to be told with.

import { createSession, type SessionStorage } from 'resesh'
import { expect, onTestFinished, test } from 'vitest'
import { createClock as createRuntimeClock } from '../../src/runtime/clock.ts'
import { globalsOf } from '../../src/runtime/globals.ts'
import { openRecords } from '../../src/storage/resilient.ts'
import { memoryRecords } from '../../src/storage/memory.ts'
import { signInChange, signOutChange } from '../../src/state/session-changes.ts'
import { receivedFromApp } from '../../src/state/expiry.ts'
import type { SessionRecord } from '../../src/state/record.ts'
import { bearerBackend, createClock, login, setup, sharedStorage, thrownBy, url } from '../support/session.ts'

const failing = async () => {
  const clock = createClock()
  const storage = sharedStorage()
  const { getItem, update } = storage
  const disk = { isBroken: false, isFull: false, refusesSignOuts: false }
  const fail = (isSo: boolean) => {
    if (isSo) throw new Error('disk')
  }
  Object.assign(storage, {
    async getItem() {
      fail(disk.isBroken)
      return getItem.call(storage)
    },
    async update(...args: Parameters<typeof update>) {
      fail(disk.isBroken || disk.isFull)
      const [key, change] = args
      return update.call(storage, key, (old) => {
        const next = change(old)
        fail(disk.refusesSignOuts && !!next?.includes('"reason":"signed-out"'))
        return next
      })
    },
  })
  const world = await setup({ storage, refreshAhead: 'never' }, { clock })
  await world.session.refresh()
  const record = () => (JSON.parse(storage.text!) as { record: SessionRecord }).record
  /** Time goes on until it is done. */
  const done = async <T>(work: Promise<T>): Promise<T> => {
    work.catch(() => {})
    await clock.pass(30_000)
    return work
  }
  return { ...world, clock, disk, storage, record, done }
}

test.each(['isBroken', 'isFull'] as const)(
  'a sign-out that the storage does not take (%s) is written once it does, and the server is told',
  async (how) => {
    const { session, server, clock, disk, record, wire, done } = await failing()
    disk[how] = true
    await done(session.signOut())
    expect(session.current).toMatchObject({ status: 'unauthenticated', reason: 'signed-out' })
    expect(record().signedIn).toBe(true)
    disk[how] = false
    await clock.pass(60_000)
    expect(record()).toMatchObject({ signedIn: false, signOuts: [] })
    expect(wire.to('/auth/logout')).toHaveLength(1)
    expect(server.stats.thefts).toBe(0)
  },
)

test.each([false, true])(
  'who signs in after a sign-out that the storage did not take (local: %s) is signed in',
  async (local) => {
    const { session, disk, record, done } = await failing()
    disk.isFull = true
    await done(session.signOut({ local }))
    expect(await done(thrownBy(session.signIn({ accessToken: 'next' })))).toMatchObject({
      code: 'ERR_REFRESH_FAILED',
    })
    disk.isFull = false
    expect(await done(session.signIn({ accessToken: 'next' }))).toMatchObject({ status: 'authenticated' })
    expect(record().signedIn).toBe(true)
    expect(await session.getToken()).toBe('next')
  },
)

test('a second sign-out changes nothing of one that could not be written', async () => {
  const { session, clock, disk, record, wire, done } = await failing()
  disk.isFull = true
  await done(session.signOut())
  await done(session.signOut())
  disk.isFull = false
  await clock.pass(60_000)
  expect(record()).toMatchObject({ signedIn: false, signOuts: [] })
  expect(wire.to('/auth/logout')).toHaveLength(1)
})

test.each(['isBroken', 'isFull'] as const)(
  'who signs out twice while nothing can be written (%s), and signs in again, is signed in',
  async (how) => {
    const { session, disk, done } = await failing()
    disk[how] = true
    await done(session.signOut())
    await done(session.signOut())
    disk[how] = false
    await done(session.signIn({ accessToken: 'next' }))
    expect(session.current.status).toBe('authenticated')
    expect(await session.getToken()).toBe('next')
  },
)

test('a sign-out that is written late leaves a session which began elsewhere meanwhile, and this tab goes on with it', async () => {
  const { session, server, clock, disk, storage, wire, done } = await failing()
  const other = createSession({
    backend: bearerBackend(),
    storage,
    origins: [url('')],
    platform: { fetch: wire.fetch, ...clock.platform, BroadcastChannel: null },
  })
  onTestFinished(other.dispose)
  await done(other.ready())
  disk.refusesSignOuts = true
  await done(session.signOut())
  const bob = await login(server, 'bob')
  await done(other.signIn(bob))
  disk.refusesSignOuts = false
  await clock.pass(60_000)
  expect(session.current).toMatchObject({ status: 'authenticated', user: { name: 'Bob' } })
  expect(await done(session.getToken())).toBe(await done(other.getToken()))
})

test('a refresh that waits while a sign-out can’t be written ends, and sends nothing', async () => {
  const { session, clock, disk, wire, done } = await failing()
  wire.isDown = true
  const failed = thrownBy(session.refresh())
  await clock.pass(10)
  await failed
  // Within the cool-down.
  const refreshed = session.refresh()
  await clock.pass(10)
  disk.refusesSignOuts = true
  wire.isDown = false
  const before = wire.to('/auth/refresh').length
  await done(session.signOut())
  expect(await done(refreshed)).toMatchObject({ status: 'unauthenticated', reason: 'signed-out' })
  expect(wire.to('/auth/refresh').length).toBe(before)
})

test.each(['isBroken', 'isFull'] as const)(
  'the answer to a refresh that the storage does not take (%s) is kept, and written once it does',
  async (how) => {
    const { session, server, clock, disk, record, wire, done } = await failing()
    const before = record().mintedBy
    const held = wire.hold('/auth/refresh')
    const refreshed = session.refresh()
    await held.arrived
    disk[how] = true
    held.release()
    expect(await done(refreshed)).toMatchObject({ status: 'authenticated', stale: false })
    expect((await session.fetch(url('/api/me'))).status).toBe(200)
    expect(record().mintedBy).toBe(before)
    disk[how] = false
    await clock.pass(60_000)
    expect(record().mintedBy).toBeGreaterThan(before)
    await done(session.refresh())
    expect([server.stats.thefts, session.current.status]).toEqual([0, 'authenticated'])
  },
)

test('coming back from memory keeps what the server is still to be told with', async () => {
  const time = createClock()
  const disk = memoryRecords<unknown>()
  let isBroken = true
  const storage: SessionStorage = {
    name: 'disk',
    isShared: () => true,
    async open() {
      if (isBroken) throw new Error('disk')
      return disk as never
    },
  }
  const clock = createRuntimeClock(globalsOf(time.platform))
  const records = openRecords<unknown>(storage, {} as never, clock, () => {})
  const credentials = { accessToken: 'a', refreshToken: 'r' }
  const run = async (work: Promise<unknown>) => (await time.pass(10_000), await work)
  await run(records.update(signInChange(credentials, receivedFromApp(clock.now()), 7), credentials))
  await run(records.update(signOutChange(true, clock.now(), 7), null, { id: null, credentials }))
  isBroken = false
  await time.pass(120_000)
  await run(records.read())
  expect(await disk.read()).toMatchObject({
    record: { signedIn: false, signOuts: [{ id: 8 }] },
    leaving: { 8: credentials },
  })
})
