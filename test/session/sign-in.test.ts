// How a session begins in this tab: signing in, and what becomes of what was under way for the user before.

import { type Credentials, defineBackend, InvalidOptionError, SessionEndedError } from 'resesh'
import { expect, test } from 'vitest'
import { claimsOf } from '../../src/state/credentials.ts'
import { cookieBackend, createClock, defer, jwt, login, settled, setup, thrownBy, url } from '../support/session.ts'
import { refreshing } from './under-way.ts'

const logIn = async ({ fetch }: { fetch: typeof globalThis.fetch }) => {
  const body = JSON.stringify({ username: 'ann', password: 'secret' })
  await fetch(url('/bff/login'), { method: 'POST', headers: { 'x-bff': '1' }, body })
}

const cookieSession = () => setup({ backend: cookieBackend(), initial: null })

test('signIn takes the credentials of a login', async () => {
  const { server, session, states, wire } = await setup({ initial: null })
  const credentials = await login(server)
  const state = await session.signIn(credentials)
  expect(state).toMatchObject({ status: 'authenticated', reason: 'signed-in', user: { name: 'Ann' } })
  expect(states).toEqual([state])
  await session.fetch(url('/api/me'))
  expect(wire.sent[0]!.headers.get('authorization')).toBe(`Bearer ${credentials.accessToken}`)
})

test('signIn runs a function that logs in, with the plain fetch', async () => {
  const { server, session, wire } = await setup({ initial: null })
  const state = await session.signIn(async ({ fetch }) => {
    await fetch(url('/auth/login'), { method: 'POST', body: '{}' })
    return login(server)
  })
  expect(state.status).toBe('authenticated')
  expect(wire.sent.map(({ path }) => path)).toEqual(['/auth/login'])
})

test('signIn rejects with what its function throws, and the state is as before', async () => {
  const { session, states } = await setup()
  expect(await thrownBy(session.signIn(() => Promise.reject(new Error('wrong'))))).toEqual(new Error('wrong'))
  expect(session.current.status).toBe('authenticated')
  expect(states).toEqual([])
})

test('a function that logs in is told by its signal when the session is disposed of', async () => {
  const { session } = await setup({ initial: null })
  const signal = defer<AbortSignal>()
  void session.signIn((io) => {
    signal.resolve(io.signal)
    return new Promise(() => {})
  })
  expect((await signal.promise).aborted).toBe(false)
  session.dispose()
  expect((await signal.promise).aborted).toBe(true)
})

test('a function that logs in runs only when no refresh is under way', async () => {
  const state = await setup()
  const { refresh } = await refreshing(state)
  let isRunning = false
  const signIn = state.session.signIn(async () => {
    isRunning = true
    return login(state.server, 'bob')
  })
  await settled()
  expect(isRunning).toBe(false)
  refresh.release()
  expect((await signIn).user).toMatchObject({ name: 'Bob' })
})

test('after a function that logs in by cookie the server is asked who is signed in', async () => {
  const { session } = await cookieSession()
  expect(await session.signIn(logIn)).toMatchObject({
    status: 'authenticated',
    reason: 'signed-in',
    user: { name: 'Ann' },
  })
})

test('signIn with nothing asks the server who is signed in', async () => {
  const { session, wire } = await cookieSession()
  await logIn(wire)
  expect(await session.signIn()).toMatchObject({ status: 'authenticated', user: { name: 'Ann' } })
})

test('signIn with nothing needs a backend that can ask', async () => {
  const { session } = await setup()
  expect(await thrownBy(session.signIn())).toBeInstanceOf(InvalidOptionError)
})

test('a request held for one user is rejected when another signs in, and never sent as the other', async () => {
  const state = await setup()
  const { server, session, wire } = state
  const { refresh, responses } = await refreshing(state, '/api/me')
  const signIn = session.signIn(await login(server, 'bob'))
  refresh.release()
  await signIn
  const error = await thrownBy(responses[0]!)
  expect(error).toBeInstanceOf(SessionEndedError)
  expect(error).toMatchObject({ reason: 'signed-in' })
  expect(wire.to('/api/me')).toHaveLength(1)
  expect(session.current.user).toMatchObject({ name: 'Bob' })
})

test('an unsent request held for one user never reaches the server when another signs in', async () => {
  const clock = createClock()
  const { server, session, wire } = await setup({}, { clock })
  await clock.pass(61_000)
  const refresh = wire.hold('/auth/refresh')
  const response = thrownBy(session.fetch(url('/api/me')))
  await refresh.arrived
  const signIn = session.signIn(await login(server, 'bob'))
  refresh.release()
  await signIn
  expect(await response).toMatchObject({ code: 'ERR_SESSION_ENDED', reason: 'signed-in' })
  expect(wire.to('/api/me')).toEqual([])
})

test('a refresh of the user before, whose turn never came, does not make the session of the next one stale', async () => {
  const clock = createClock()
  const { server, session, states } = await setup({}, { clock })
  const open = defer<Credentials>()
  const dialog = session.signIn(() => open.promise)
  server.expireAccessTokens()
  const response = thrownBy(session.fetch(url('/api/me')))
  await clock.pass(1000)
  await session.signIn(await login(server, 'bob'))
  await clock.pass(25_000)
  expect(await response).toMatchObject({ reason: 'signed-in' })
  expect(session.current).toMatchObject({ stale: false, user: { name: 'Bob' } })
  expect(states.map(({ reason }) => reason)).toEqual(['signed-in'])
  open.reject(new Error('Closed'))
  await thrownBy(dialog)
})

test('a 401 of the user before is handed back, not replayed as the one who signed in since', async () => {
  const { server, session, wire } = await setup()
  server.expireAccessTokens()
  const late = wire.hold('/api/me')
  const response = session.fetch(url('/api/me'))
  await late.arrived
  await session.signIn(await login(server, 'bob'))
  late.release()
  expect((await response).status).toBe(401)
  expect(wire.sent).toHaveLength(1)
})

test('what a refresh brought for the user before is dropped when another has signed in', async () => {
  const state = await setup()
  const { server, session } = state
  const { refresh } = await refreshing(state)
  const bob = await login(server, 'bob')
  const signIn = session.signIn(bob)
  refresh.release()
  await signIn
  await settled()
  expect(session.current).toMatchObject({ user: { name: 'Bob' }, claims: { sub: 'bob' } })
  expect(claimsOf((await session.getToken())!)).toMatchObject({ sub: 'bob' })
})

test('an answer that names another user opens a new session: what waited is rejected', async () => {
  const gate = defer()
  const backend = defineBackend({
    async refresh() {
      await gate.promise
      return { accessToken: jwt({ sub: 'bob' }) }
    },
  })
  const calls: unknown[] = []
  const fetch = async (...args: unknown[]) => {
    calls.push(args)
    return new Response(null, { status: 401 })
  }
  const initial = { accessToken: jwt({ sub: 'ann' }) }
  const { session } = await setup({ backend, initial, origins: [url('')], platform: { fetch } })
  const response = thrownBy(session.fetch(url('/api/me')))
  await settled()
  gate.resolve()
  expect(await response).toMatchObject({ code: 'ERR_SESSION_ENDED', reason: 'signed-in' })
  expect(calls).toHaveLength(1)
  expect(session.current).toMatchObject({ reason: 'signed-in', claims: { sub: 'bob' } })
})

test('the same user who signs in again is a new session', async () => {
  const { server, session, states } = await setup()
  const again = await login(server)
  await session.signIn(again)
  expect(await session.getToken()).toBe(again.accessToken)
  expect(states.at(-1)).toMatchObject({ reason: 'signed-in' })
})

test('a sign-in right after a sign-out wins, and the old session still ends at the server', async () => {
  const { server, session } = await setup()
  const over = session.signOut()
  const state = await session.signIn(await login(server, 'bob'))
  await over
  await settled()
  expect(session.current).toBe(state)
  expect((await session.fetch(url('/api/me'))).status).toBe(200)
  expect(server.sessions).toBe(1)
})
