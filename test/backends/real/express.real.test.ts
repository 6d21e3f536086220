// A newcomer's server, Express 5.3.0 and jsonwebtoken 9.0.3, run for real; and all the code that the app needs for it.

import { createSession, RefreshFailedError, type Session, SignInRefusedError } from 'resesh'
import { bearer } from 'resesh/backends/bearer'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { sharedStorage, thrownBy } from '../../support/session.ts'
import type { Controls } from './servers/express.ts'
import { useServer } from './support/server.ts'

const server = useServer<Controls>('express', { lifeSeconds: 2 })
const { control } = server
beforeEach(() => control.reset())

let storage = sharedStorage()
beforeEach(() => void (storage = sharedStorage()))

/** The app's own code, but for `storage`, which stands for that of the browser. */
const open = (): Session => {
  const at = server.origin
  const backend = bearer({
    refreshUrl: `${at}/auth/refresh`,
    signOutUrl: `${at}/auth/logout`,
    userUrl: `${at}/auth/user`,
  })
  const session = createSession({ backend, storage })
  onTestFinished(session.dispose)
  return session
}

const logIn = (session: Session, password = 'secret') =>
  session.signIn(({ fetch }) => {
    const headers = { 'content-type': 'application/json' }
    return fetch(`${server.origin}/auth/login`, { method: 'POST', headers, body: JSON.stringify({ password }) })
  })

const burst = async (session: Session) =>
  Promise.all(
    Array.from({ length: 20 }, async (_, item) => (await session.fetch(`${server.origin}/api/items/${item}`)).status),
  )
const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms))

test('a login, and twenty requests that meet the expiry of the token: one refresh each time', async () => {
  const session = open()
  expect(await logIn(session)).toMatchObject({ status: 'authenticated', user: { name: 'Ann' } })
  for (const nth of [1, 2]) {
    await sleep(2100)
    expect(new Set(await burst(session))).toEqual(new Set([200]))
    expect(await control.refreshes()).toBe(nth)
  }
  expect(await control.reused()).toBe(0)
})

test('a wrong password', async () => {
  const session = open()
  const error = (await thrownBy(logIn(session, 'wrong'))) as SignInRefusedError
  expect(error).toBeInstanceOf(SignInRefusedError)
  expect(await error.refusal!.json()).toEqual({ message: 'Wrong password' })
  expect((await session.ready()).status).toBe('unauthenticated')
})

test('after an edit the token and the user are new', async () => {
  const session = open()
  await logIn(session)
  await control.rename('Anna')
  await session.getToken({ skipCache: true })
  expect(session.current.claims).toMatchObject({ name: 'Anna' })
  expect((await session.reload()).user).toEqual({ id: 'ann', name: 'Anna' })
})

test('the end: each request has its 401', async () => {
  const session = open()
  await logIn(session)
  await control.revoke()
  await sleep(2100)
  expect(new Set(await burst(session))).toEqual(new Set([401]))
  expect(session.current).toMatchObject({ status: 'unauthenticated', reason: 'expired' })
})

test('a server that is away ends nothing', async () => {
  const session = open()
  await logIn(session)
  await control.away(true)
  expect(await thrownBy(session.refresh())).toBeInstanceOf(RefreshFailedError)
  expect(session.current.status).toBe('authenticated')
  await control.away(false)
  expect(new Set(await burst(session))).toEqual(new Set([200]))
})

test('a sign-out is told, and a page that is loaded again finds nobody', async () => {
  const session = open()
  await logIn(session)
  await session.signOut()
  expect(await control.living()).toBe(0)
  expect((await open().ready()).status).toBe('unauthenticated')
})

test('a page that is loaded again is signed in, with the user', async () => {
  const session = open()
  await logIn(session)
  session.dispose()
  const next = open()
  expect(await next.ready()).toMatchObject({ status: 'authenticated', user: { name: 'Ann' } })
  await sleep(2100)
  expect(new Set(await burst(next))).toEqual(new Set([200]))
})

test('a wrong path of the refresh is told at once, by its name', async () => {
  const backend = bearer({ refreshUrl: `${server.origin}/auth/refesh` })
  const session = createSession({ backend, storage, initial: { accessToken: 'dead', refreshToken: 'r' } })
  onTestFinished(session.dispose)
  const startedAt = Date.now()
  const error = (await thrownBy(session.fetch(`${server.origin}/api/items/1`))) as RefreshFailedError
  expect(Date.now() - startedAt).toBeLessThan(1500)
  expect(error).toMatchObject({ isWrongUrl: true, refusal: { status: 404 } })
  expect(error.message).toContain(`POST ${server.origin}/auth/refesh: answered 404`)
  expect(session.current.status).toBe('authenticated')
})
