// A storage that cannot be loaded, or that stops answering.

import { createSession, indexedDb, type Session, type SessionStorage } from 'resesh'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createSampleServer } from '../servers/sample/server.ts'
import { bearerBackend, createClock, defer, fetchOf, login, setup, sharedStorage, url } from '../support/session.ts'

test('a storage of one’s own that can’t be opened: memory, and one error', async () => {
  const errors: Error[] = []
  const server = createSampleServer()
  const broken: SessionStorage = {
    name: 'broken',
    isShared: () => true,
    open: () => {
      throw new TypeError('Failed to open')
    },
  }
  const session = createSession({
    backend: bearerBackend(),
    storage: broken,
    platform: { fetch: fetchOf(server) },
  })
  onTestFinished(session.dispose)
  session.on('error', ({ error }) => errors.push(error))
  await session.signIn(await login(server))
  server.expireAccessTokens()
  expect((await session.fetch(url('/api/me'))).status).toBe(200)
  expect(session.current).toMatchObject({ status: 'authenticated', stale: false })
  expect(errors.map(({ message }) => message)).toEqual([
    "The storage broken failed: the session lives in this tab's memory now, until the storage works again.",
  ])
})

describe('a storage that stops answering', () => {
  const stalling = async () => {
    const clock = createClock()
    const [storage, well] = [sharedStorage(), sharedStorage()]
    const world = await setup({ storage }, { clock })
    await world.session.refresh() // its code is loaded as it is needed, which takes real time
    const stalled = defer()
    const stall = () =>
      Object.assign(storage, {
        getItem: () => stalled.promise.then(() => well.getItem.call(storage)),
        update: (...args: Parameters<typeof well.update>) =>
          stalled.promise.then(() => well.update.apply(storage, args)),
      })
    return { ...world, clock, storage, stall, thaw: stalled.resolve }
  }
  const outcomeOf = (work: Promise<unknown>) =>
    work.then(
      () => 'done',
      (error: unknown) => (error as { code?: string }).code,
    )

  test.each<[string, (session: Session) => Promise<unknown>]>([
    ['refresh()', (session) => session.refresh()],
    ['reload()', (session) => session.reload()],
    ['getToken({ skipCache })', (session) => session.getToken({ skipCache: true })],
    ['signIn()', (session) => session.signIn({ accessToken: 'other' })],
  ])('keeps %s waiting for a while only, and what comes after it works', async (_, call) => {
    const { session, clock, stall, thaw, server } = await stalling()
    stall()
    const first = outcomeOf(call(session))
    const next = outcomeOf(session.refresh())
    await clock.pass(60_000)
    expect(await first).toBe('ERR_REFRESH_TIMEOUT')
    expect(await next).toBe(session.current.status === 'authenticated' ? 'ERR_REFRESH_TIMEOUT' : 'done')
    thaw()
    await clock.pass(60_000)
    await session.signIn(await login(server))
    expect((await session.fetch(url('/api/me'))).status).toBe(200)
    expect(server.stats.thefts).toBe(0)
  })

  test('keeps nobody signed in: a sign-out is told to the server as soon as it can be', async () => {
    const { session, clock, stall, thaw, server } = await stalling()
    stall()
    const over = session.signOut()
    expect(session.current.status).toBe('unauthenticated')
    await clock.pass(60_000)
    await over
    thaw()
    await clock.pass(200_000)
    expect(session.current.status).toBe('unauthenticated')
    expect(server.sessions).toBe(0)
  })

  test('keeps no answer back that has come, whatever it says of the session', async () => {
    const clock = createClock()
    const storage = sharedStorage()
    const fetch = async () => new Response('placed', { headers: { 'x-token': 'next' } })
    const backend = {
      ...bearerBackend(),
      observe: ({ headers }: Response) => ({ accessToken: headers.get('x-token') }),
    }
    const { session } = await setup(
      { storage, backend, initial: { accessToken: 'first' }, platform: { fetch } },
      { clock },
    )
    await session.fetch(url('/api/orders'), { method: 'POST' })
    storage.update = () => new Promise<boolean>(() => {})
    const order = session.fetch(url('/api/orders'), { method: 'POST' })
    await clock.pass(30_000)
    expect(await (await order).text()).toBe('placed')
  })

  test('loses no refresh token that comes meanwhile', async () => {
    const { session, clock, stall, thaw, server, wire } = await stalling()
    const answer = wire.hold('/auth/refresh')
    const refresh = outcomeOf(session.refresh())
    await answer.arrived
    stall()
    answer.release()
    await clock.pass(60_000)
    await refresh
    thaw()
    await clock.pass(60_000)
    expect(await session.refresh()).toMatchObject({ status: 'authenticated' })
    expect(server.stats.thefts).toBe(0)
  })

  test('rejects behind nobody’s back', async () => {
    const { session, clock, stall, server, wire } = await stalling()
    const rejected = vi.fn()
    process.on('unhandledRejection', rejected)
    onTestFinished(() => void process.off('unhandledRejection', rejected))
    server.knobs.alwaysExpired = true
    const answers = [wire.hold('/api/me'), wire.hold('/api/me')] as const
    const asked = session.fetch(url('/api/me'))
    answers[0].release()
    await answers[1].arrived
    stall() // and then that route turns out to refuse a fresh token
    answers[1].release()
    await clock.pass(100_000)
    expect((await asked).status).toBe(401)
    expect(rejected).not.toHaveBeenCalled()
  })

  test('does not send a session to live in memory, where each tab would spend the same refresh token', async () => {
    const { session, clock, stall, thaw, storage } = await stalling()
    const before = storage.text
    stall()
    const request = outcomeOf(session.refresh())
    await clock.pass(60_000)
    await request
    expect(storage.text).toBe(before)
    thaw()
    await clock.pass(60_000)
    await session.refresh()
    expect(storage.text).not.toBe(before)
    expect(session.current).toMatchObject({ status: 'authenticated', stale: false })
  })
})

/** As much of a database as is opened before anything is read. */
const database = { objectStoreNames: { contains: () => true } }

test('a page over plain http: the error has a code, a message and a cause of its own', async () => {
  const session = createSession({
    backend: bearerBackend(),
    storage: indexedDb(),
    platform: {
      isSecureContext: false,
      indexedDB: {
        open: () =>
          Object.defineProperty({ result: database }, 'onsuccess', { set: (run: () => void) => queueMicrotask(run) }),
      } as unknown as IDBFactory,
      crypto: { getRandomValues: (array: never) => crypto.getRandomValues(array) } as unknown as Crypto,
    },
  })
  onTestFinished(session.dispose)
  const heard = await new Promise((done) => void session.on('error', ({ error }) => done(error)))
  expect(heard).toMatchObject({
    code: 'ERR_STORAGE',
    message: expect.stringMatching(/no secure context.*this tab's memory.*Serve the page over https/) as string,
    cause: { message: expect.stringContaining('crypto.subtle is missing') as string },
  })
})
