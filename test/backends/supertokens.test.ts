// SuperTokens over a stand-in of our own: the contract in each of its modes, and the traps of its protocol.

import { RefreshFailedError, type Session } from 'resesh'
import { signInRequired } from 'resesh/sign-in-required'
import { supertokens, supertokensLegacy } from 'resesh/backends/supertokens'
import { expect, test, vi } from 'vitest'
import type { Clock } from './browser.ts'
import { createScene, testBackend, type Scene } from './contract.ts'
import { API, standOf } from './stand-in.ts'
import { SuperTokens, type Mode } from '../servers/vendors/supertokens.ts'
import { defer, jwt, setup, sharedStorage, thrownBy, url } from '../support/session.ts'

const signInUrl = `${API}/auth/signin`

const stand = (mode: Mode) => (clock: Clock) => {
  const server = new SuperTokens(clock, mode)
  const refreshPath = mode === 'legacy' ? '/api/refresh' : '/auth/session/refresh'
  return standOf(server, {
    backend: () =>
      mode === 'legacy'
        ? supertokensLegacy({ refreshUrl: API + refreshPath, signOutUrl: `${API}/auth/signout` })
        : supertokens({ baseUrl: `${API}/auth`, mode: mode === 'header' ? 'header' : 'cookie' }),
    refreshPath,
    expiredStatus: mode === 'legacy' ? 440 : 401,
    nameIn: ({ claims }) => claims?.['name'],
    signIn: async (tab: Session, user: string) => {
      await tab.ready()
      await tab.fetch(signInUrl, { method: 'POST', body: user })
    },
    stepUp: { url: `${API}/api/vault`, type: 'st-ev', meet: () => (server.isVaultOpen = true) },
  })
}

testBackend('supertokens in header mode', stand('header'))
testBackend('supertokens in cookie mode', stand('custom-header'))
testBackend('supertokens in cookie mode with a token against forgery', stand('anti-csrf'))
testBackend('supertokens of 2020', stand('legacy'))

const header = () => createScene(stand('header'))

test('a login names the mode, and so does a refresh, whose token it carries', async () => {
  const {
    stand: { refreshPath },
    wire,
    signedIn,
  } = header()
  await (await signedIn()).refresh()
  const [login, renewal] = [wire.to('/auth/signin')[0]!, wire.to(refreshPath)[0]!]
  expect([login.headers.get('st-auth-mode'), login.headers.get('rid')]).toEqual(['header', 'anti-csrf'])
  expect([renewal.headers.get('st-auth-mode'), renewal.headers.get('rid')]).toEqual(['header', 'session'])
  expect(renewal.headers.get('authorization')).toMatch(/^Bearer [\w-]{36}$/)
})

test('claims come in standard base64, in UTF-8', async () => {
  const { signedIn } = header()
  const { current } = await signedIn()
  expect(current).toMatchObject({ user: { id: 'ann' }, claims: { sub: 'ann', greeting: 'Grüß dich ✓ ÿÿÿ' } })
})

test('a token on an ordinary response is taken, and the refresh token stays', async () => {
  const {
    stand: { profile },
    signedIn,
  } = header()
  const tab = await signedIn()
  await tab.refresh()
  const before = await tab.getToken()
  await tab.fetch(profile)
  expect(await tab.getToken()).not.toBe(before)
  expect((await tab.refresh()).status).toBe('authenticated')
})

test('an older token does not replace a newer one, whenever it comes', async () => {
  const {
    stand: { profile },
    clock,
    wire,
    signedIn,
  } = header()
  const tab = await signedIn()
  await tab.refresh()
  const held = wire.hold('/api/me')
  const slow = tab.fetch(profile)
  await held.arrived
  clock.pass(5_000)
  await tab.refresh()
  const newest = await tab.getToken()
  held.release()
  await slow
  expect(await tab.getToken()).toBe(newest)
})

test.each([false, true])(
  'a removed mark ends the session, with a proxy that drops empty headers: %s',
  async (drops) => {
    const {
      stand: { server, revoke, profile },
      signedIn,
    } = header()
    const tab = await signedIn()
    server.dropsEmpty = drops
    server.isChecked = true
    revoke('ann')
    expect((await tab.fetch(profile)).status).toBe(401)
    expect(tab.current).toMatchObject({ status: 'unauthenticated', reason: 'expired' })
    expect(await tab.getToken()).toBeNull()
  },
)

test('a 200 that renews nothing is called again, once', async () => {
  const {
    stand: { server },
    signedIn,
  } = header()
  const tab = await signedIn()
  server.empties = 1
  expect((await tab.refresh()).status).toBe('authenticated')
  server.empties = 2
  expect(await thrownBy(tab.refresh())).toBeInstanceOf(RefreshFailedError)
  expect(tab.current.status).toBe('authenticated')
})

test('theft is told from an end', async () => {
  const {
    stand: { server, profile, expire, backend },
    signedIn,
  } = header()
  const tab = await signedIn()
  let stolen: string | undefined
  const spy = backend()
  const thief = await signedIn('ann', {
    name: 'thief',
    backend: {
      ...spy,
      refresh: (held, io, wanted) => {
        stolen ??= held.refreshToken!
        return spy.refresh(held, io, wanted)
      },
    },
  })
  await thief.refresh()
  await thief.fetch(profile)
  const again = await thief.signIn({ accessToken: 'spent', refreshToken: stolen! })
  expect(again.status).toBe('authenticated')
  expire()
  await thief.refresh()
  expect(thief.current).toMatchObject({ status: 'unauthenticated', reason: 'reused' })
  expect([tab.current.status, server.count]).toEqual(['authenticated', 1])
})

test('a sign-out with a dead access token spends a refresh to end the session', async () => {
  const {
    stand: { server, expire },
    signedIn,
  } = header()
  const tab = await signedIn()
  expire()
  await tab.signOut()
  expect(server.count).toBe(0)
})

test('a mutation in cookie mode carries what fends off forgery', async () => {
  const { wire, signedIn } = createScene(stand('anti-csrf'))
  const tab = await signedIn()
  expect((await tab.fetch(`${API}/api/me`, { method: 'PATCH' })).status).toBe(200)
  expect(wire.to('/api/me')[0]!.headers.get('anti-csrf')).toMatch(/^[\w-]{36}$/)
})

test('a marker that says nothing breaks no answer', async () => {
  const fetch = async () => new Response('served', { headers: { 'front-token': btoa('{}') } })
  const { session } = await setup({ backend: supertokens({ mode: 'header' }), origins: [url('')], platform: { fetch } })
  expect(await (await session.fetch(url('/api'))).text()).toBe('served')
})

/** The next call to this path is handled, and its answer is on the way until `release`: the jar knows nothing of it before. */
const delay = ({ stand: it }: Pick<Scene, 'stand'>, path: string) => {
  const [arrived, opened] = [defer(), defer()]
  const { handle } = it
  let isDelayed = false
  it.handle = async (request, host) => {
    const mustWait = !isDelayed && new URL(request.url).pathname === path
    isDelayed ||= mustWait
    const answer = await handle(request, host)
    if (mustWait) arrived.resolve()
    if (mustWait) await opened.promise
    return answer
  }
  return { arrived: arrived.promise, release: opened.resolve }
}

/** A stand whose `handle` may be changed under the browser that has it already. */
const changeable = (mode: Mode) => (clock: Clock) => {
  const it = stand(mode)(clock)
  const shown = Object.create(it, Object.getOwnPropertyDescriptors(it)) as typeof it
  shown.handle = (...args) => it.handle(...args)
  return Object.assign(shown, { inner: it })
}

const slowScene = (mode: Mode) => {
  const scene = createScene(changeable(mode))
  return Object.assign(scene, { delay: (path: string) => delay({ stand: scene.stand.inner }, path) })
}

const login = (tab: Session, user: string) => tab.fetch(signInUrl, { method: 'POST', body: user })
const nameOf = async (tab: Session) => ((await (await tab.fetch(`${API}/api/me`)).json()) as { name: unknown }).name

/** Time for a request that is not held to be answered. */
const aWhile = () => new Promise((done) => setTimeout(done, 30))

test.each<Mode>(['custom-header', 'anti-csrf'])(
  "with %s, a login at a page's start outlives the start's own refresh, which clears the cookies",
  async (mode) => {
    const scene = slowScene(mode)
    const refresh = scene.delay('/auth/session/refresh')
    const tab = scene.open()
    await refresh.arrived
    const signedIn = login(tab, 'ann')
    await aWhile()
    refresh.release()
    expect((await signedIn).status).toBe(200)
    expect(tab.current.status).toBe('authenticated')
    expect(await nameOf(tab)).toBe('Ann')
    expect((await tab.refresh()).status).toBe('authenticated')
  },
)

test('so it does where a route that nobody named begins the session', async () => {
  const scene = slowScene('custom-header')
  const { stand: it } = scene
  const { handle } = it.inner
  it.inner.handle = (request, host) =>
    handle(request.url.endsWith('/api/enter') ? new Request(signInUrl, request) : request, host)
  const refresh = scene.delay('/auth/session/refresh')
  const tab = scene.open()
  await refresh.arrived
  const signedIn = tab.fetch(`${API}/api/enter`, { method: 'POST', body: 'ann' })
  await aWhile()
  refresh.release()
  await signedIn
  expect((await tab.refresh()).status).toBe('authenticated')
})

test('a login in one tab outlives the start of another', async () => {
  const scene = slowScene('custom-header')
  const tab = scene.open()
  await tab.ready()
  const refresh = scene.delay('/auth/session/refresh')
  const other = scene.open()
  await refresh.arrived
  const signedIn = login(tab, 'ann')
  await aWhile()
  refresh.release()
  await signedIn
  await vi.waitFor(() => expect(other.current.status).toBe('authenticated'))
  expect((await tab.refresh()).status).toBe('authenticated')
})

test('a tab that opens while a login is under way waits for it', async () => {
  const scene = slowScene('custom-header')
  const tab = scene.open()
  await tab.ready()
  const answer = scene.delay('/auth/signin')
  const signedIn = login(tab, 'ann')
  await answer.arrived
  const other = scene.open()
  await aWhile()
  answer.release()
  await signedIn
  expect((await other.ready()).status).toBe('authenticated')
  expect((await tab.refresh()).status).toBe('authenticated')
})

test.each(['the same tab', 'another tab'])(
  'a login as another user outlives a refresh under way in %s',
  async (place) => {
    const scene = slowScene('custom-header')
    const tab = await scene.signedIn('ann')
    const other = place === 'another tab' ? scene.open() : tab
    await other.ready()
    const refresh = scene.delay('/auth/session/refresh')
    const refreshing = other.refresh()
    await refresh.arrived
    const signedIn = login(tab, 'bob')
    await aWhile()
    refresh.release()
    await Promise.allSettled([refreshing, signedIn])
    expect([await nameOf(tab), (await tab.refresh()).user]).toEqual(['Bob', { id: 'bob' }])
  },
)

test('a login outlives a sign-out under way', async () => {
  const scene = slowScene('custom-header')
  const tab = await scene.signedIn('ann')
  const leaving = scene.delay('/auth/signout')
  const signedOut = tab.signOut()
  await leaving.arrived
  const signedIn = login(tab, 'bob')
  await aWhile()
  leaving.release()
  await Promise.all([signedOut, signedIn])
  expect([await nameOf(tab), (await tab.refresh()).status]).toEqual(['Bob', 'authenticated'])
})

test('a login function may log in through session.fetch: it does not wait for itself', async () => {
  const scene = createScene(stand('custom-header'))
  const tab = scene.open()
  await tab.signIn(async () => {
    await login(tab, 'ann')
  })
  expect(tab.current).toMatchObject({ status: 'authenticated', user: { id: 'ann' } })
})

test('a login whose caller has left while it waited is not sent', async () => {
  const scene = slowScene('custom-header')
  const tab = await scene.signedIn('ann')
  const refresh = scene.delay('/auth/session/refresh')
  const refreshing = tab.refresh()
  await refresh.arrived
  const caller = new AbortController()
  const signedIn = tab.fetch(signInUrl, { method: 'POST', body: 'bob', signal: caller.signal })
  caller.abort(new Error('left'))
  expect(await thrownBy(signedIn)).toMatchObject({ message: 'left' })
  const before = scene.wire.to('/auth/signin').length
  refresh.release()
  await refreshing
  await aWhile()
  expect(scene.wire.to('/auth/signin').length).toBe(before)
})

test('a login that is never answered keeps refreshes waiting for `timeout` only', async () => {
  const scene = slowScene('custom-header')
  const tab = await scene.signedIn('ann', { timeout: 200 })
  const answer = scene.delay('/auth/signin')
  const signedIn = login(tab, 'bob')
  await answer.arrived
  expect((await tab.refresh()).user).toEqual({ id: 'ann' })
  answer.release()
  await signedIn
})

/** A page that opens where a thief has used the successor of the refresh token that the jar holds. */
const robbed = async (scene: Scene, prepare = async (_tab: Session): Promise<unknown> => undefined) => {
  const tab = await scene.signedIn()
  const { cookies } = scene
  expect(cookies).toContain('sRefreshToken')
  await prepare(tab)
  tab.dispose()
  return scene.open()
}

test.each<[string, boolean]>([
  ['found a session before', false],
  ['was signed out before', true],
])('theft at the start of a page that %s is told as such', async (_, wasSignedOut) => {
  const scene = createScene((clock) => {
    const it = stand('custom-header')(clock)
    const { handle } = it
    let [jar, isStolen] = ['', false]
    return Object.assign(it, {
      steal: () => (isStolen = true),
      handle: async (request: Request, host: { cookie: string }) => {
        // The thief exchanges the refresh token, and uses what that brings, just before.
        if (isStolen && it.server.renews(request)) {
          isStolen = false
          const answer = (await handle(request.clone(), { cookie: jar || host.cookie })) as Response
          const cookie = answer.headers
            .getSetCookie()
            .map((each) => each.split(';')[0])
            .join('; ')
          await handle(new Request(`${API}/api/me`), { cookie })
        }
        if (host.cookie.includes('sRefreshToken')) jar = host.cookie
        return handle(request, { cookie: wasSignedOut && it.server.renews(request) ? jar : host.cookie })
      },
    })
  })
  const page = await robbed(scene, async (tab) => wasSignedOut && tab.signOut({ local: true }))
  scene.stand.steal()
  expect(await page.ready()).toMatchObject({ status: 'unauthenticated', reason: 'reused' })
})

test.each([401, 440])('with the status %i, a route that ends the session says that it has expired', async (status) => {
  const removed = () => new Response(null, { status, headers: { 'front-token': 'remove' } })
  const front = btoa(JSON.stringify({ uid: 'ann', ate: Date.now() + 1e6, up: { sub: 'ann' } }))
  const asked: string[] = []
  const fetch = async (input: RequestInfo | URL) =>
    /login/.test(new Request(input).url)
      ? new Response(null, {
          headers: { 'front-token': front, 'st-access-token': jwt({ sub: 'ann' }), 'st-refresh-token': 'r' },
        })
      : removed()
  const { session } = await setup({
    backend: supertokens({ mode: 'header', expiredStatus: status }),
    initial: null,
    origins: [url('')],
    use: [signInRequired(({ reason }) => (asked.push(reason), false))],
    platform: { fetch },
  })
  await session.fetch(url('/login'), { method: 'POST' })
  expect(session.current.status).toBe('authenticated')
  expect((await session.fetch(url('/api'))).status).toBe(status)
  expect(session.current).toMatchObject({ status: 'unauthenticated', reason: 'expired' })
  expect(asked).toEqual(['expired'])
})

test("what a session's own isExpired says of a response counts for how the session ended", async () => {
  const front = btoa(JSON.stringify({ uid: 'ann', ate: Date.now() + 1e6, up: { sub: 'ann' } }))
  const fetch = async (input: RequestInfo | URL) =>
    /login/.test(new Request(input).url)
      ? new Response(null, { headers: { 'front-token': front, 'st-access-token': 'a', 'st-refresh-token': 'r' } })
      : new Response('{"over":true}', { status: 400, headers: { 'front-token': 'remove' } })
  const { session } = await setup({
    backend: supertokens({ mode: 'header' }),
    initial: null,
    isExpired: async (response) => ((await response.json()) as { over?: boolean }).over === true,
    origins: [url('')],
    platform: { fetch },
  })
  await session.fetch(url('/login'), { method: 'POST' })
  expect(await (await session.fetch(url('/api'))).json()).toEqual({ over: true })
  expect(session.current.reason).toBe('expired')
})

test('in cookie mode an access token that the server exposes goes into no header', async () => {
  const token = jwt({ sub: 'ann', iat: 1, exp: 2 })
  const front = btoa(JSON.stringify({ uid: 'ann', ate: Date.now() + 1e6, up: { sub: 'ann' } }))
  const seen: [string, string | null][] = []
  let isOver = false
  const fetch = async (...args: Parameters<typeof globalThis.fetch>) => {
    const request = new Request(...args)
    const { pathname } = new URL(request.url)
    seen.push([pathname, request.headers.get('authorization')])
    if (pathname === '/auth/signout' && !isOver) return ((isOver = true), new Response(null, { status: 401 }))
    return new Response('{}', { headers: { 'front-token': front, 'st-access-token': token } })
  }
  const { session } = await setup({
    backend: supertokens({ baseUrl: url('/auth') }),
    initial: null,
    origins: [url('')],
    platform: { fetch },
  })
  await session.fetch(url('/auth/signin'), { method: 'POST' })
  expect(await session.getToken()).toBe(token)
  await session.fetch(url('/api'))
  await session.fetch(url('/api'), { headers: { authorization: `Bearer ${token}` } }) // the app's own copy of it
  await session.refresh()
  await session.fetch(url('/api'), { headers: { authorization: 'Basic own' } })
  await session.signOut()
  expect(seen.filter(([, authorization]) => authorization)).toEqual([['/api', 'Basic own']])
  expect(seen.map(([path]) => path).slice(-3)).toEqual(['/auth/signout', '/auth/session/refresh', '/auth/signout'])
})

const frontOf = (uid: string, ate: number) => btoa(JSON.stringify({ uid, ate, up: { sub: uid, name: 'Ann' } }))

/** A browser in which that user is signed in by the vendor's own SDK, in header mode. */
const left = async (scene: Scene, wrong: Record<string, string> = {}) => {
  const response = (await scene.stand.handle(
    new Request(signInUrl, { method: 'POST', body: 'ann', headers: { 'st-auth-mode': 'header' } }),
    { cookie: '' },
  )) as Response
  const { headers } = response
  const values: Record<string, string | null> = {
    'st-access-token': headers.get('st-access-token'),
    'st-refresh-token': headers.get('st-refresh-token'),
    sFrontToken: headers.get('front-token'),
    'st-last-access-token-update': String(Date.now()),
    ...wrong,
  }
  const jar = scene.jar
  for (const [name, value] of Object.entries(values)) jar.take(`${name}=${value}; path=/`)
  return values
}

test("who was signed in by the vendor's own SDK stays so, once, and its cookies are gone", async () => {
  const scene = createScene(stand('header'))
  const values = await left(scene)
  const tab = scene.open()
  expect(await tab.ready()).toMatchObject({ status: 'authenticated', user: { id: 'ann' }, claims: { name: 'Ann' } })
  expect([await tab.getToken(), scene.stand.server.refreshes]).toEqual([values['st-access-token'], 0])
  await vi.waitFor(() => expect(scene.cookies).toEqual([]))
  expect(await nameOf(tab)).toBe('Ann')
  expect((await tab.refresh()).status).toBe('authenticated')
  await tab.signOut()
  tab.dispose()
  await left(scene) // and if they came again
  expect((await scene.open().ready()).status).toBe('unauthenticated')
})

test("a token of the vendor's SDK that has died meanwhile is renewed", async () => {
  const scene = createScene(stand('header'))
  await left(scene)
  scene.clock.pass(scene.stand.lifeMs! + 1000)
  await scene.stand.expire()
  const tab = scene.open()
  expect(await nameOf(tab)).toBe('Ann')
  expect(scene.stand.server.refreshes).toBe(1)
})

test.each<[string, Record<string, string>]>([
  ['a session that was over', { sFrontToken: '' }],
  ['no refresh token', { 'st-refresh-token': '' }],
  ['a token that can stand in no header', { 'st-refresh-token': 'ü%0A' }],
])("what the vendor's SDK left of %s signs nobody in", async (_, wrong) => {
  const scene = createScene(stand('header'))
  await left(scene, wrong)
  expect((await scene.open().ready()).status).toBe('unauthenticated')
})

test("what the vendor's SDK left stays there while the session holds something of its own", async () => {
  const scene = createScene(stand('header'))
  const tab = await scene.signedIn('bob')
  tab.dispose()
  await left(scene)
  const page = scene.open()
  expect((await page.ready()).user).toEqual({ id: 'bob' })
  expect(scene.cookies).toContain('st-refresh-token')
})

test('in cookie mode, the token against forgery is taken over', async () => {
  const scene = createScene(stand('anti-csrf'))
  const response = await scene.fetch(signInUrl, {
    method: 'POST',
    body: 'ann',
    headers: { 'st-auth-mode': 'cookie' },
    credentials: 'include',
  })
  scene.jar.take(`sAntiCsrf=${response.headers.get('anti-csrf')}; path=/`)
  scene.jar.take(`sFrontToken=${frontOf('ann', 1)}; path=/`)
  const tab = scene.open()
  expect(await tab.ready()).toMatchObject({ status: 'authenticated', user: { id: 'ann' } })
  await vi.waitFor(() => expect(scene.cookies).not.toContain('sAntiCsrf'))
  expect((await tab.fetch(`${API}/api/me`, { method: 'PATCH' })).status).toBe(200)
})

test.each([true, false])(
  'a refusal of a refresh that clears no cookies is asked again; cleared: %s',
  async (clears) => {
    let refusals = 0
    const front = frontOf('ann', Date.now() + 1e6)
    const fetch = async (...args: Parameters<typeof globalThis.fetch>) => {
      const isRefresh = new Request(...args).url.includes('refresh')
      const isRefused = isRefresh && refusals++ === 0
      return isRefused
        ? new Response('{}', { status: 401, headers: clears ? { 'front-token': 'remove' } : {} })
        : new Response('{}', { headers: { 'front-token': front } })
    }
    const { session } = await setup({
      backend: supertokens({ baseUrl: url('/auth') }),
      initial: null,
      origins: [url('')],
      storage: sharedStorage(),
      platform: { fetch },
    })
    await session.fetch(url('/auth/signin'), { method: 'POST' })
    expect((await session.refresh()).status).toBe(clears ? 'unauthenticated' : 'authenticated')
    expect(refusals).toBe(clears ? 1 : 2)
  },
)
