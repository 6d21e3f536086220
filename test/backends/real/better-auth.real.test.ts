// better-auth 1.7.7, run for real: the contract in each of its ways, and the traps of its protocol.

import { type Backend, type Json, RefreshFailedError, type Session } from 'resesh'
import { betterAuth } from 'resesh/backends/better-auth'
import { describe, expect, test } from 'vitest'
import { PAGE } from '../browser.ts'
import { createScene, testBackend } from '../contract.ts'
import { API } from '../stand-in.ts'
import { thrownBy } from '../../support/session.ts'
import { sum, untilAll } from '../../support/tabs.ts'
import type { Controls, Options } from './servers/better-auth.ts'
import { usePages } from './support/pages.ts'
import { standOver, useServer, type RealServer } from './support/server.ts'

declare const Resesh: typeof import('../../../src/global.ts')

const start = (options: Options) => useServer<Controls>('better-auth', { trusted: [PAGE], ...options })
const lifeMs = 15 * 60_000

/** The app's own login: better-auth's client would do the same. */
const signUp = (fetchOfPage: typeof fetch, user: string, base = '') =>
  fetchOfPage(`${base}/api/auth/sign-up/email`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: `${user}@example.test`, password: 'password', name: user === 'ann' ? 'Ann' : 'Bob' }),
  })

const stand = (server: RealServer<Controls>, by: Options['by']) => () => {
  const { control } = server
  const jwt = by === 'jwt'
  return standOver(server, {
    backend: () => betterAuth({ jwt, bearer: by === 'bearer' }),
    options: { origins: [PAGE, API] },
    forgives: true,
    refreshPath: jwt ? '/api/auth/token' : '/api/auth/get-session',
    ...(jwt && { lifeMs }),
    // The copy in a cookie knows nothing of a session made fresh.
    ...(by !== 'cookie' && {
      stepUp: {
        url: `${PAGE}/api/auth/list-sessions`,
        type: 'SESSION_NOT_FRESH',
        meet: () => control.freshen('ann'),
      },
    }),
    expire: () => control.pass(lifeMs + 1000),
    revoke: control.revoke,
    edit: control.edit,
    get living() {
      return control.living()
    },
    signIn: (tab: Session, user: string) =>
      tab.signIn(async ({ fetch }) => {
        const response = await signUp(fetch, user)
        if (by !== 'bearer') return undefined
        const { user: profile } = (await response.json()) as { user: Json }
        return { accessToken: response.headers.get('set-auth-token'), user: profile }
      }),
  })
}

/** What a real browser makes of its cookie. */
const testPages = (server: RealServer<Controls>, backend: () => Backend) => {
  const pages = usePages(server)
  const signedIn = async (count: number) => {
    const world = await pages()
    const tabs = await world.open(count, { backend })
    await tabs[0]!.run(async ({ session }) => {
      await session.signIn(async ({ fetch }) => {
        const headers = { 'content-type': 'application/json' }
        const body = JSON.stringify({ email: 'ann@example.test', password: 'password', name: 'Ann' })
        await fetch('/api/auth/sign-up/email', { method: 'POST', headers, body })
      })
    })
    await untilAll(tabs, ({ status }) => status === 'authenticated')
    return { ...world, tabs }
  }

  test.each([2, 8])('%i tabs of a real browser meet an expiry with 20 requests each: one refresh', async (count) => {
    const { tabs } = await signedIn(count)
    const before = await server.control.refreshes()
    await server.control.pass(lifeMs + 1000)
    const tallies = await Promise.all(tabs.map((tab) => tab.run((it) => it.fire(20, { path: '/api/me' }))))
    expect(sum(tallies)).toEqual({ 200: 20 * count })
    expect((await server.control.refreshes()) - before).toBe(1)
  })

  test('no script of a real browser sees the session, and the next page finds it', async () => {
    const { tabs, cookies, open } = await signedIn(1)
    for (const cookie of await cookies()) expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Lax', path: '/' })
    expect((await cookies()).map(({ name }) => name)).toContain('better-auth.session_token')
    expect(await tabs[0]!.run(() => document.cookie)).toBe('')
    const [next] = await open(1, { backend })
    expect((await next!.run(({ session }) => session.ready())).user).toMatchObject({ name: 'Ann' })
  })

  test('a sign-out in one tab of a real browser reaches the other, the jar and the server', async () => {
    const { tabs, cookies } = await signedIn(2)
    await tabs[0]!.run(async ({ session }) => void (await session.signOut()))
    await untilAll(tabs, ({ status }) => status === 'unauthenticated')
    expect([await server.control.living(), await cookies()]).toEqual([0, []])
    expect(await tabs[1]!.run((it) => it.fire(1, { path: '/api/me' }))).toEqual({ 401: 1 })
  })
}

describe('with the copy in a cookie', () => {
  const server = start({ by: 'cookie' })
  const create = stand(server, 'cookie')
  testBackend('better-auth', create)
  testPages(server, () => Resesh.betterAuth())

  test('a reload looks past the copy', async () => {
    const { stand: it, open, signedIn } = createScene(create)
    const tab = await signedIn()
    await it.edit('ann', { name: 'Anna' })
    expect((await open().ready()).user?.['name']).toBe('Ann') // as the copy has it
    expect((await tab.reload()).user?.['name']).toBe('Anna')
  })

  test('the token of the session row is shown to nobody', async () => {
    const { current } = await createScene(create).signedIn()
    expect(current.claims).toMatchObject({ sub: current.user!['id'], userId: current.user!['id'] })
    expect(JSON.stringify(current)).not.toContain('"token"')
  })
})

describe('with the copy in a cookie, and a refresh of its own', () => {
  const server = start({ by: 'cookie', deferSessionRefresh: true })
  const create = stand(server, 'cookie')
  testBackend('better-auth with deferred refresh', create)

  test('it is asked for with a POST', async () => {
    const { wire, signedIn } = createScene(create)
    await (await signedIn()).refresh()
    expect(wire.sent.slice(-2).map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /api/auth/get-session',
      'POST /api/auth/get-session',
    ])
  })
})

describe('with tokens', () => {
  const server = start({ by: 'jwt' })
  const create = stand(server, 'jwt')
  testBackend('better-auth with tokens', create)
  testPages(server, () => Resesh.betterAuth({ jwt: true }))

  test('a token route that says 401 while the store is down ends nothing', async () => {
    const { wire, clock, signedIn } = createScene(create)
    const tab = await signedIn()
    await server.control.storeIs(true)
    const { refusal: response } = (await thrownBy(tab.refresh())) as RefreshFailedError
    expect([response?.status, tab.current.status]).toEqual([500, 'authenticated'])
    expect(wire.sent.slice(-2).map(({ path }) => path)).toEqual(['/api/auth/token', '/api/auth/get-session'])
    await server.control.storeIs(false)
    clock.pass(15_000)
    expect((await tab.refresh()).status).toBe('authenticated')
  })

  test('the token on the answer that finds a session expired is not taken', async () => {
    const it = create()
    const { handle } = it
    let said: string | null = null
    it.handle = async (...args) => {
      const answer = await handle(...args)
      if (answer !== 'drop') said ??= answer.headers.get('set-auth-jwt')
      return answer
    }
    const tab = await createScene(() => it).signedIn()
    await server.control.pass(8 * 86_400_000)
    said = null
    expect((await tab.reload()).status).toBe('unauthenticated')
    expect(said).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/)
    expect(await tab.getToken()).toBeNull()
  })
})

describe('with tokens, and another user who signs in on a page of its own', () => {
  const server = start({ by: 'jwt' })

  test.each(['refresh', 'reload'] as const)('after a %s, user and claims are of the same user', async (ask) => {
    const { fetch, signedIn } = createScene(stand(server, 'jwt'))
    const tab = await signedIn('ann')
    const seen: string[][] = []
    tab.on('change', ({ current: { user, claims } }) => seen.push([user, claims].map((it) => String(it?.['name']))))
    await signUp(fetch, 'bob')
    await tab[ask]()
    expect(seen).toEqual([['Bob', 'Bob']])
    expect(tab.current.user!['id']).toBe(tab.current.claims!['sub'])
  })
})

describe('with a limit to the calls', () => {
  const server = start({ by: 'jwt', rateLimit: true })

  test('X-Retry-After is obeyed', async () => {
    const { stand: it, clock, signedIn } = createScene(stand(server, 'jwt'))
    const tab = await signedIn()
    await tab.refresh()
    const { refusal: response } = (await thrownBy(tab.refresh())) as RefreshFailedError
    expect([response?.status, response?.headers.get('retry-after')]).toEqual([429, null])
    expect(Number(response?.headers.get('x-retry-after'))).toBeGreaterThan(30)
    clock.pass(15_000) // more than any back-off of ours would be
    expect(await thrownBy(tab.refresh())).toBeInstanceOf(RefreshFailedError)
    expect(await it.refreshes).toBe(2)
    clock.pass(120_000)
    await server.control.pass(120_000)
    expect((await tab.refresh()).status).toBe('authenticated')
  })
})

describe('with the token of the session', () => {
  const server = start({ by: 'bearer' })
  const create = stand(server, 'bearer')
  testBackend('better-auth with the token of the session', create)

  test('no cookie is sent or kept', async () => {
    const it = create()
    const { handle } = it
    const sent: string[] = []
    it.handle = (request, host) => {
      sent.push(host.cookie)
      return handle(request, host)
    }
    const scene = createScene(() => it)
    const tab = await scene.signedIn()
    await tab.reload()
    await tab.fetch(it.profile)
    await tab.signOut()
    expect(sent).toEqual(['', '', '', ''])
    // Untouched: that of the login, which the app makes as it likes.
    expect(scene.cookies).toEqual(['better-auth.session_token'])
  })

  const pages = usePages(server)
  test('a page of another site needs no cookie', async () => {
    const { open, cookies } = await pages()
    const backend = () => Resesh.betterAuth({ baseUrl: `http://127.0.0.1:${location.port}/api/auth`, bearer: true })
    const from = server.origin.replace('127.0.0.1', 'localhost')
    const [tab] = await open(1, { from, backend, api: server.origin })
    const state = await tab!.run(({ session }) =>
      session.signIn(async ({ fetch }) => {
        const headers = { 'content-type': 'application/json' }
        const body = JSON.stringify({ email: 'ann@example.test', password: 'password', name: 'Ann' })
        const url = `http://127.0.0.1:${location.port}/api/auth/sign-up/email`
        const response = await fetch(url, { method: 'POST', headers, body, credentials: 'omit' })
        const { user } = await response.json()
        return { accessToken: response.headers.get('set-auth-token'), user }
      }),
    )
    expect(state).toMatchObject({ status: 'authenticated', user: { name: 'Ann' } })
    await server.control.pass(lifeMs + 1000)
    expect(await tab!.run((it) => it.fire(20, { path: '/api/me' }))).toEqual({ 200: 20 })
    expect([await server.control.refreshes(), await cookies()]).toEqual([1, []])
    await tab!.run(async ({ session }) => void (await session.signOut()))
    expect(await server.control.living()).toBe(0)
  })
})
