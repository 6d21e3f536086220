// `bearer` against servers of the shapes that people have: each a real HTTP server, shaped by options alone.

import { createSession, type Session, SignInRefusedError } from 'resesh'
import { bearer } from 'resesh/backends/bearer'
import { describe, expect, onTestFinished, test } from 'vitest'
import { sharedStorage, thrownBy } from '../support/session.ts'
import { createJar, type ShapedServer, startServer } from './shapes/server.ts'
import { type Shape, shapes } from './shapes/shapes.ts'

interface Scene {
  server: ShapedServer
  open(): Session
  logIn(session: Session, password?: string): ReturnType<Session['signIn']>
}

const sceneOf = async (shape: Shape): Promise<Scene> => {
  const server = await startServer(shape)
  onTestFinished(() => server[Symbol.asyncDispose]())
  const storage = sharedStorage()
  const jar = createJar()
  const open = () => {
    const backend = bearer(shape.options(server.origin))
    const session = createSession({ backend, storage, refreshAhead: 'never', platform: { fetch: jar } })
    onTestFinished(session.dispose)
    return session
  }
  const logIn: Scene['logIn'] = (session, password = 'secret') =>
    session.signIn(({ fetch }) => {
      const headers = { 'content-type': 'application/json' }
      const body = JSON.stringify({ password })
      return fetch(`${server.origin}/login`, { method: 'POST', headers, body, credentials: 'include' })
    })
  return { server, open, logIn }
}

const signedIn = async (shape: Shape) => {
  const scene = await sceneOf(shape)
  const session = scene.open()
  await scene.logIn(session)
  return { ...scene, session }
}

const burst = async (session: Session, { origin }: ShapedServer, count = 20) =>
  Promise.all(Array.from({ length: count }, async (_, item) => (await session.fetch(`${origin}/api/${item}`)).status))

describe.each(shapes)('$name', (shape) => {
  test('a login is read as a refresh is', async () => {
    const { session, server } = await signedIn(shape)
    expect(session.current).toMatchObject({ status: 'authenticated', reason: 'signed-in' })
    expect(session.current.expiresAt! - Date.now()).toBeGreaterThan(shape.lifeSeconds * 1000 - 5000)
    expect(session.current.expiresAt! - Date.now()).toBeLessThanOrEqual(shape.lifeSeconds * 1000)
    expect(Object.keys(session.extras ?? {})).toEqual(shape.extras ?? [])
    expect(await burst(session, server, 1)).toEqual([200])
    expect(server.refreshes).toBe(0)
  })

  test('a login that is refused signs nobody in, and hands over the answer unread', async () => {
    const { open, logIn } = await sceneOf(shape)
    const session = open()
    const error = (await thrownBy(logIn(session, 'wrong'))) as SignInRefusedError
    expect(error).toBeInstanceOf(SignInRefusedError)
    expect(await error.refusal!.json()).toEqual({ detail: 'wrong password' })
    expect((await session.ready()).status).toBe('unauthenticated')
  })

  test('twenty requests that meet an expiry make one refresh, time after time', async () => {
    const { session, server } = await signedIn(shape)
    for (const nth of [1, 2, 3]) {
      server.expire()
      expect(new Set(await burst(session, server))).toEqual(new Set([200]))
      expect(server.refreshes).toBe(nth)
    }
    expect(session.current.expiresAt! - Date.now()).toBeGreaterThan(shape.lifeSeconds * 1000 - 5000)
  })

  test('after an edit, a forced refresh brings it', async () => {
    const { session, server } = await signedIn(shape)
    server.edit({ name: 'Anna' })
    await session.getToken({ skipCache: true })
    expect(session.current.claims).toMatchObject({ name: 'Anna' })
    const { user } = await session.reload()
    if (shape.options('').userUrl) expect(user).toEqual({ id: 1, name: 'Anna' })
    expect(server.refreshes).toBe(2)
  })

  test('a refusal is the end, and each request has its 401', async () => {
    const { session, server } = await signedIn(shape)
    server.expire()
    server.revoke()
    expect(new Set(await burst(session, server))).toEqual(new Set([401]))
    expect(session.current).toMatchObject({ status: 'unauthenticated', reason: 'expired' })
    expect(server.refreshes).toBe(1)
  })

  test('a server that is away ends nothing', async () => {
    const { session, server } = await signedIn(shape)
    server.isAway = true
    expect(await thrownBy(session.refresh())).toMatchObject({ code: 'ERR_REFRESH_FAILED', isWrongUrl: false })
    expect(session.current.status).toBe('authenticated')
    server.isAway = false
    expect((await session.refresh()).status).toBe('authenticated')
  })

  test('a sign-out is told', async () => {
    const { session, server } = await signedIn(shape)
    expect(server.living).toBe(1)
    expect(await session.signOut()).toMatchObject({ status: 'unauthenticated', reason: 'signed-out' })
    expect(server.living).toBe(0)
  })

  test('a page that is loaded again is signed in, and can refresh', async () => {
    const { session, server, open } = await signedIn(shape)
    session.dispose()
    const next = open()
    expect(await next.ready()).toMatchObject({ status: 'authenticated', reason: 'restored' })
    server.expire()
    expect(new Set(await burst(next, server))).toEqual(new Set([200]))
  })
})
