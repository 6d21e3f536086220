// What is left once a session is disposed of, or has nothing to do: nothing.

import { SessionDisposedError } from 'resesh'
import { expect, test } from 'vitest'
import { failing, statusOf } from '../refresh/failing.ts'
import { setup, thrownBy, url } from '../support/session.ts'

test('a page that was put away, disposed of and brought back: no request hangs', async () => {
  const away: ((event: Partial<PageTransitionEvent>) => void)[] = []
  const addEventListener = ((type: string, run: () => void) => type === 'pagehide' && away.push(run)) as never
  const { session } = await setup({ platform: { addEventListener } })
  for (const run of away) run({ type: 'pagehide', persisted: true })
  const request = session.fetch(url('/api/me'))
  session.dispose()
  await expect(request).rejects.toThrow('dispose()')
})

test('nothing listens to the page any more', async () => {
  const listening = new Set<string>()
  const handlers = new Map<unknown, number>()
  const nameOf = (type: string, run: unknown): string => {
    handlers.set(run, handlers.get(run) ?? handlers.size)
    return `${type} ${handlers.get(run)}`
  }
  const addEventListener = ((type: string, run: unknown) => listening.add(nameOf(type, run))) as never
  const removeEventListener = ((type: string, run: unknown) => listening.delete(nameOf(type, run))) as never
  const { session } = await setup({ platform: { addEventListener, removeEventListener } })
  expect(listening.size).toBeGreaterThan(0)
  session.dispose()
  expect([...listening]).toEqual([])
})

test('a session that was disposed of starts nothing any more', async () => {
  const { server, session, clock } = await failing([500, 500, 500, 500, 500, 500])
  await statusOf(session.fetch(url('/api/me')), clock, 6_000)
  const before = server.stats.refreshes
  session.dispose()
  await clock.pass(600_000)
  expect(server.stats.refreshes).toBe(before)
})

test('when all is settled no timer waits but the one that refreshes ahead', async () => {
  const { session, clock } = await failing([500, 'drop-before'], { refreshAhead: 'always' })
  expect(await statusOf(session.fetch(url('/api/me')), clock, 30_000)).toBe(200)
  expect(clock.waiting).toBe(1)
  session.dispose()
  expect(clock.waiting).toBe(0)
})

test('after dispose, what would begin or change something says so', async () => {
  const { session, wire, server } = await setup()
  session.dispose()
  const calls = {
    signIn: () => session.signIn({ accessToken: 'x' }),
    'signIn with a function': () => session.signIn(async () => ({ accessToken: 'x' })),
    refresh: session.refresh,
    reload: session.reload,
    'getToken that must refresh': () => session.getToken({ skipCache: true }),
  }
  for (const [name, call] of Object.entries(calls))
    expect(await thrownBy(call()), name).toBeInstanceOf(SessionDisposedError)
  expect(wire.sent).toEqual([])
  expect(session.current.status).toBe('authenticated')
  server.expireAccessTokens()
  expect(await thrownBy(session.fetch(url('/api/me')))).toBeInstanceOf(SessionDisposedError)
})

test('after dispose, what needs nothing but what is held goes on, and a sign-out still counts', async () => {
  const { session, server } = await setup()
  session.dispose()
  expect((await session.fetch(url('/api/me'))).status).toBe(200)
  expect(await session.getToken()).toEqual(expect.any(String))
  expect((await session.ready()).status).toBe('authenticated')
  expect((await session.signOut()).status).toBe('unauthenticated')
  expect(server.stats.refreshes).toBe(0)
})

test('a login function that ends after dispose signs nobody in', async () => {
  const { session } = await setup({ initial: null })
  const login = session.signIn(async () => {
    session.dispose()
    return { accessToken: 'x' }
  })
  expect(await thrownBy(login)).toBeInstanceOf(SessionDisposedError)
  expect(session.current.status).toBe('unauthenticated')
})
