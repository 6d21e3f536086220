// How a session is found again at the start, and who wins when that is still under way.

import { createSession, type Credentials, defineBackend, SessionEndedError } from 'resesh'
import { expect, onTestFinished, test } from 'vitest'
import { createSampleServer } from '../servers/sample/server.ts'
import {
  bearerBackend,
  cookieBackend,
  createClock,
  createWire,
  defer,
  fetchOf,
  login,
  settled,
  setup,
  sharedStorage,
  thrownBy,
  url,
} from '../support/session.ts'

/** One whose backend asks who is signed in, and waits for the answer. */
const restoring = () => {
  const answer = defer<Credentials | null>()
  const clock = createClock()
  const server = createSampleServer({ now: clock.now })
  const wire = createWire(fetchOf(server))
  const backend = { ...bearerBackend(), restore: () => answer.promise }
  const session = createSession({ backend, platform: { fetch: wire.fetch, ...clock.platform } })
  onTestFinished(session.dispose)
  return { answer, clock, server, session, wire }
}

const logIn = async ({ fetch }: { fetch: typeof globalThis.fetch }) => {
  const body = JSON.stringify({ username: 'ann', password: 'secret' })
  await fetch(url('/bff/login'), { method: 'POST', headers: { 'x-bff': '1' }, body })
}

test('a cookie session is found again at the start', async () => {
  const server = createSampleServer()
  const wire = createWire(fetchOf(server))
  const body = JSON.stringify({ username: 'ann', password: 'secret' })
  await wire.fetch(url('/bff/login'), { method: 'POST', headers: { 'x-bff': '1' }, body })
  const session = createSession({ backend: cookieBackend(), platform: { fetch: wire.fetch } })
  onTestFinished(session.dispose)
  expect(session.current.status).toBe('loading')
  expect(await session.ready()).toMatchObject({ status: 'authenticated', reason: 'restored', user: { name: 'Ann' } })
})

test('a sign-out right after a sign-in right at the start wins over the restore that waited', async () => {
  const server = createSampleServer()
  const wire = createWire(fetchOf(server))
  const session = createSession({ backend: cookieBackend(), platform: { fetch: wire.fetch } })
  onTestFinished(session.dispose)
  const held = wire.hold('/bff/login')
  const signIn = session.signIn(logIn)
  await held.arrived
  await settled() // the restore is in line
  held.release()
  expect((await signIn).status).toBe('authenticated')
  expect((await session.signOut()).status).toBe('unauthenticated')
  await settled()
  expect(session.current).toMatchObject({ status: 'unauthenticated', reason: 'signed-out' })
  expect([server.sessions, wire.to('/bff/session').length]).toEqual([0, 1])
})

test('with nothing to find the start ends signed out', async () => {
  const session = createSession({ backend: bearerBackend() })
  onTestFinished(session.dispose)
  expect(await session.ready()).toMatchObject({ status: 'unauthenticated', reason: 'restored' })
})

test('a sign-out during the first restore is not undone by its answer', async () => {
  const { answer, clock, server, session } = restoring()
  await clock.pass(0)
  const over = session.signOut()
  answer.resolve(await login(server))
  await over
  await clock.pass(1_000)
  expect(session.current).toMatchObject({ status: 'unauthenticated', reason: 'signed-out' })
})

test('a sign-in during the first restore is not undone by an answer of nobody', async () => {
  const { answer, clock, server, session } = restoring()
  await clock.pass(0)
  await session.signIn(await login(server))
  answer.resolve(null)
  await clock.pass(1_000)
  expect(session.current).toMatchObject({ status: 'authenticated', user: { name: 'Ann' } })
})

test('a sign-in during the first restore is not undone by an answer of somebody else', async () => {
  const { answer, clock, server, session } = restoring()
  await clock.pass(0)
  await session.signIn(await login(server, 'bob'))
  answer.resolve(await login(server, 'ann'))
  await clock.pass(1_000)
  expect(session.current.user).toMatchObject({ name: 'Bob' })
})

test('a server that could not be reached at the start is asked again', async () => {
  const clock = createClock()
  const server = createSampleServer({ now: clock.now })
  const wire = createWire(fetchOf(server))
  const session = createSession({ backend: cookieBackend(), platform: { fetch: wire.fetch, ...clock.platform } })
  onTestFinished(session.dispose)
  wire.isDown = true
  await clock.pass(5_000)
  expect(session.current.status).toBe('loading')
  wire.isDown = false
  await clock.pass(60_000)
  expect(session.current.status).toBe('unauthenticated')
})

test.each(['reused', 'revoked'] as const)('a first restore that meets the end says why: %s', async (reason) => {
  const backend = defineBackend({
    cookies: true,
    refresh: async () => ({}),
    restore: async () => Promise.reject(new SessionEndedError(reason)),
  })
  const storage = sharedStorage()
  const first = createSession({ backend: { ...backend, restore: async () => ({ user: { id: 1 } }) }, storage })
  onTestFinished(first.dispose)
  await first.ready()
  first.dispose()
  for (const found of [storage, sharedStorage()]) {
    const session = createSession({ backend, storage: found })
    onTestFinished(session.dispose)
    const told: unknown[] = []
    session.on('change', ({ reason: why }) => told.push(why))
    session.on('error', ({ error }) => told.push(error))
    expect(await session.ready()).toMatchObject({ status: 'unauthenticated', stale: false, reason })
    await settled()
    expect(told).toEqual([reason])
  }
})

test.each(['reused', 'revoked'] as const)('a first refresh that meets the end says why: %s', async (reason) => {
  const storage = sharedStorage()
  const refresh = async () => Promise.reject(new SessionEndedError(reason))
  const first = createSession({ backend: defineBackend({ refresh }), storage })
  onTestFinished(first.dispose)
  await first.signIn({ accessToken: 'a', refreshToken: 'r', expiresInSeconds: 1e-3 })
  first.dispose()
  await new Promise((done) => setTimeout(done, 5))
  const session = createSession({ backend: defineBackend({ refresh }), storage, origins: [url('')] })
  onTestFinished(session.dispose)
  const told: unknown[] = []
  session.on('change', ({ reason: why }) => told.push(why))
  expect(await session.getToken()).toBe(null)
  expect(told).toEqual(['restored', reason])
})

test('an end that is told only after the timeout is believed all the same', async () => {
  const clock = createClock()
  const answer = defer<null>()
  const backend = defineBackend({ refresh: () => answer.promise })
  const { session } = await setup({ backend, initial: { accessToken: 'a' } }, { clock })
  const forced = thrownBy(session.refresh())
  await clock.pass(10_000)
  await forced
  answer.reject(new SessionEndedError('reused'))
  await settled()
  expect(session.current).toMatchObject({ status: 'unauthenticated', reason: 'reused' })
})
