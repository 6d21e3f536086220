// A sign-out before it is known who is signed in, or while the storage takes nothing: it counts at once in its tab, and once.

import { createSession, type State } from 'resesh'
import { custom } from 'resesh/storage/custom'
import { expect, onTestFinished, test } from 'vitest'
import { createBus } from '../support/bus.ts'
import { bearerBackend, createClock, defer, login, setup, sharedStorage } from '../support/session.ts'

/** Ann's session is stored. Tabs are opened over a storage that answers when the test says so. */
const stored = async () => {
  const clock = createClock()
  const shared = sharedStorage()
  const alone = { navigator: null, BroadcastChannel: createBus() }
  const { session: first, server, wire } = await setup({ storage: shared, platform: alone }, { clock })
  await first.refresh()
  first.dispose()

  function open() {
    const disk = { reading: Promise.resolve(), writing: Promise.resolve(), isBroken: false, isDeaf: false }
    const storage = custom({
      async getItem() {
        const { text } = shared
        await disk.reading
        return text
      },
      setItem: () => {},
      async update(key, change) {
        await disk.writing
        if (disk.isBroken) throw new Error('disk')
        const isWritten = await shared.update(key, change)
        if (disk.isDeaf) throw new DOMException('Closed', 'AbortError')
        return isWritten
      },
    })
    const platform = { ...alone, ...clock.platform, fetch: wire.fetch }
    const session = createSession({ backend: bearerBackend(), storage, refreshAhead: 'never', platform })
    const states: State[] = []
    session.on('change', ({ current }) => states.push(current))
    onTestFinished(session.dispose)
    return { session, disk, states }
  }
  /** Time goes on until it is done. */
  const done = async <T>(work: Promise<T>, ms = 30_000): Promise<T> => {
    work.catch(() => {})
    await clock.pass(ms)
    return work
  }
  const record = () => JSON.parse(shared.text!).record
  return { clock, server, wire, open, done, record }
}

test('what was read before a sign-out, and comes while that is being written, shows nobody signed in', async () => {
  const { clock, open, record, server } = await stored()
  const { session, disk, states } = open()
  const [read, write] = [defer(), defer()]
  disk.reading = read.promise
  disk.writing = write.promise
  await clock.pass(0)
  void session.signOut()
  read.resolve()
  await clock.pass(100)
  expect(session.current).toMatchObject({ status: 'unauthenticated', reason: 'signed-out' })
  write.resolve()
  await clock.pass(100)
  expect(states.map(({ status }) => status)).toEqual(['unauthenticated'])
  expect(record()).toMatchObject({ signedIn: false, reason: 'signed-out', signOuts: [] })
  expect(server.sessions).toBe(0)
})

test('whoever signs in after such a sign-out is signed in, in that tab and in another', async () => {
  const { open, server, done } = await stored()
  const { session } = open()
  await done(session.signOut(), 100)
  const other = open().session
  await done(other.signIn(await login(server, 'bob')), 100)
  expect(session.current).toMatchObject({ status: 'authenticated', user: { name: 'Bob' } })
  await done(session.signIn(await login(server, 'ann')), 100)
  expect(other.current).toMatchObject({ status: 'authenticated', user: { name: 'Ann' } })
})

test('a storage that answers nothing takes an early sign-out once, however often it was tried', async () => {
  const { clock, open, record, server, wire, done } = await stored()
  const { session, disk } = open()
  const silence = defer()
  disk.reading = silence.promise
  disk.writing = silence.promise
  await clock.pass(0)
  const before = server.sessions
  void session.signOut()
  for (let times = 0; times < 8; times++) await done(session.signOut(), 11_000)
  silence.resolve()
  await clock.pass(60_000)
  expect(session.current).toMatchObject({ status: 'unauthenticated', reason: 'signed-out' })
  expect(record()).toMatchObject({ signedIn: false, signOuts: [] })
  expect(wire.to('/auth/logout')).toHaveLength(1)
  expect(before - server.sessions).toBe(1)
})

test('an early sign-out that was taken, of which the answer was lost, signs out nobody who signs in after it', async () => {
  const { clock, open, record, server, done } = await stored()
  const { session, disk } = open()
  const silence = defer()
  disk.reading = silence.promise
  await clock.pass(0)
  disk.isDeaf = true
  void session.signOut()
  await clock.pass(0)
  expect(record()).toMatchObject({ signedIn: false, reason: 'signed-out' })
  await done(open().session.signIn(await login(server, 'bob')), 0)
  disk.isDeaf = false
  silence.resolve()
  await clock.pass(60_000)
  expect(record()).toMatchObject({ signedIn: true, reason: 'signed-in' })
  expect(session.current).toMatchObject({ status: 'authenticated', user: { name: 'Bob' } })
})

test('a sign-out of nobody that could not be written holds up no session that begins in another tab', async () => {
  const { clock, open, server, wire, done, record } = await stored()
  const { session, disk } = open()
  await done(session.signOut(), 100)
  disk.isBroken = true
  await done(session.signOut())
  await done(open().session.signIn(await login(server, 'bob')), 0)
  disk.isBroken = false
  await clock.pass(10_000)
  const sent = wire.to('/auth/refresh').length
  expect(session.current).toMatchObject({ status: 'authenticated', user: { name: 'Bob' } })
  const token = await done(session.getToken(), 0)
  expect(await done(session.getToken({ skipCache: true }), 0)).not.toBe(token)
  expect(wire.to('/auth/refresh')).toHaveLength(sent + 1)
  await clock.pass(60_000)
  expect(record().signedIn).toBe(true)
})
