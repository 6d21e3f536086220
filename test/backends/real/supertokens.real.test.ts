// supertokens-node 24.0.3, run for real: the contract in each of its modes, and the traps of its protocol.

import { RefreshFailedError, type Session } from 'resesh'
import { supertokens } from 'resesh/backends/supertokens'
import { signInRequired } from 'resesh/sign-in-required'
import { describe, expect, test } from 'vitest'
import { createScene, testBackend } from '../contract.ts'
import { API } from '../stand-in.ts'
import { thrownBy } from '../../support/session.ts'
import { stateIn, sum, untilAll } from '../../support/tabs.ts'
import type { Controls, Options } from './servers/supertokens.ts'
import { usePages } from './support/pages.ts'
import { standOver, useServer, type RealServer } from './support/server.ts'

declare const Resesh: typeof import('../../../src/global.ts')

const lifeMs = 3_600_000

const start = (options: Options) => useServer<Controls>('supertokens', options)

const stand =
  (server: RealServer<Controls>, mode: 'cookie' | 'header', { path = '/auth', expiredStatus = 401 }: Options = {}) =>
  () => {
    const { control } = server
    return standOver(server, {
      backend: () => supertokens({ baseUrl: API + path, mode, expiredStatus }),
      refreshPath: `${path}/session/refresh`,
      expiredStatus,
      lifeMs,
      nameIn: ({ claims }) => claims?.['name'],
      expire: () => control.pass(lifeMs + 1000),
      revoke: control.revoke,
      edit: control.edit,
      get living() {
        return control.living()
      },
      signIn: async (tab: Session, user: string) => {
        await tab.ready()
        await tab.fetch(`${API}${path}/signin`, { method: 'POST', body: JSON.stringify({ user }) })
      },
      stepUp: { url: `${API}/api/vault`, type: 'st-ev', meet: () => control.open() },
    })
  }

describe('in header mode', () => {
  const server = start({})
  const create = stand(server, 'header')
  testBackend('supertokens in header mode', create)

  test('the login names the mode, and so do all others: no cookie is set', async () => {
    const scene = createScene(create)
    const { stand: it } = scene
    const tab = await scene.signedIn()
    await tab.refresh()
    await tab.fetch(it.profile)
    expect((await server.control.seen()).map(({ mode }) => mode)).toEqual(['header', 'header', 'header'])
    expect(scene.cookies).toEqual([])
    expect(await tab.getToken()).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/)
  })

  test('claims come in standard base64, in UTF-8', async () => {
    const { current } = await createScene(create).signedIn()
    expect(current).toMatchObject({ user: { id: 'ann' }, claims: { sub: 'ann', greeting: 'Grüß dich ✓ ÿÿÿ' } })
  })

  test('the first call after a refresh brings yet another token, and the refresh token stays', async () => {
    const { stand: it, signedIn } = createScene(create)
    const tab = await signedIn()
    await tab.refresh()
    const minted = await tab.getToken()
    await tab.fetch(it.profile)
    const promoted = await tab.getToken()
    expect(promoted).not.toBe(minted)
    await tab.fetch(it.profile)
    expect(await tab.getToken()).toBe(promoted)
    expect((await tab.refresh()).status).toBe('authenticated')
  })

  test('a session found dead by a route that asks the core is over, without a refresh', async () => {
    const { stand: it, signedIn } = createScene(create)
    const tab = await signedIn()
    await it.revoke('ann')
    expect((await tab.fetch(it.profile)).status).toBe(200) // the token lives on
    expect((await tab.fetch(`${API}/api/checked`)).status).toBe(401)
    expect(tab.current).toMatchObject({ status: 'unauthenticated', reason: 'expired' })
    expect([await tab.getToken(), await it.refreshes]).toEqual([null, 0])
  })

  test('theft is told from an end', async () => {
    const { stand: it, signedIn } = createScene(create)
    let stolen = ''
    const spy = it.backend()
    const tab = await signedIn('ann', {
      backend: {
        ...spy,
        refresh: (held, ...rest) => {
          stolen ||= held.refreshToken!
          return spy.refresh(held, ...rest)
        },
      },
    })
    await tab.refresh()
    await tab.fetch(it.profile) // a child of the stolen one is in use
    await tab.signIn({ accessToken: 'spent', refreshToken: stolen })
    await tab.refresh()
    expect(tab.current).toMatchObject({ status: 'unauthenticated', reason: 'reused' })
    expect(await it.living).toBe(0)
  })

  test('a refresh token whose child nobody used may be sent again', async () => {
    const { stand: it, wire, open, signedIn } = createScene(create)
    const options = { timeout: 1000 } // whoever waits for the lock of a page that is gone waits that long here
    const tab = await signedIn('ann', options)
    const held = wire.hold(it.refreshPath)
    void tab.refresh().catch(() => {})
    await held.arrived
    tab.dispose() // the page is gone, and with it the answer
    await it.expire()
    const next = open(options)
    expect((await next.fetch(it.profile)).status).toBe(200)
    expect([next.current.status, await it.refreshes]).toEqual(['authenticated', 2])
  })

  test('a core that is down ends nothing', async () => {
    const { stand: it, clock, signedIn } = createScene(create)
    const tab = await signedIn()
    await server.control.coreIs(true)
    expect(await thrownBy(tab.refresh())).toBeInstanceOf(RefreshFailedError)
    expect(tab.current.status).toBe('authenticated')
    await server.control.coreIs(false)
    clock.pass(15_000)
    expect((await tab.refresh()).status).toBe('authenticated')
    expect((await tab.fetch(it.profile)).status).toBe(200)
  })

  test('a sign-out with a dead access token spends a refresh to end the session', async () => {
    const { stand: it, signedIn } = createScene(create)
    const tab = await signedIn()
    await it.expire()
    await tab.signOut()
    expect([await it.living, await it.refreshes]).toEqual([0, 1])
  })
})

/** Two of each cookie, as after a move to another domain: the server clears the old ones, and asks to be called again. */
const doubled = (create: ReturnType<typeof stand>, times: number) => () => {
  const it = create()
  const { handle } = it
  it.handle = (request, { cookie }) => {
    const isDoubled = cookie.includes('sRefreshToken') && times-- > 0
    return handle(request, { cookie: isDoubled ? `${cookie}; sAccessToken=old; sRefreshToken=old` : cookie })
  }
  return it
}

/** Answers come late, in whatever order, and the jar hears of a cookie only then. */
const jittery = (create: ReturnType<typeof stand>, maxMs: number) => () => {
  const it = create()
  const { handle } = it
  it.handle = async (...args) => {
    const answer = await handle(...args)
    await new Promise((done) => setTimeout(done, Math.random() * maxMs))
    return answer
  }
  return it
}

/** What a thief does with the cookies of a page, just before the page renews them itself. */
const robbed = (create: ReturnType<typeof stand>) => () => {
  const it = create()
  const { handle } = it
  const thief = { isAtWork: false }
  const jarOf = (answer: Response) => answer.headers.getSetCookie().map((each) => each.split(';')[0])
  it.handle = async (request, host) => {
    if (thief.isAtWork && request.url.endsWith(it.refreshPath)) {
      thief.isAtWork = false
      const stolen = (await handle(request.clone(), host)) as Response
      await handle(new Request(`${API}/api/me`), { cookie: jarOf(stolen).join('; ') })
    }
    return handle(request, host)
  }
  return Object.assign(it, { thief })
}

const testStarts = (server: RealServer<Controls>, options: Options = {}) => {
  const { path = '/auth', expiredStatus = 401 } = options
  const create = stand(server, 'cookie', options)
  // With a sign-out the token against forgery is gone, and without it the server takes a refresh for no more than refused.
  const befores = options.antiCsrf === 'VIA_TOKEN' ? ['signed in'] : ['signed in', 'signed out']

  test("a login at a page's start outlives the start's own refresh, whatever comes first", async () => {
    const outcomes: string[] = []
    for (let nth = 0; nth < 20; nth++) {
      const { stand: it, open } = createScene(jittery(create, 20))
      const tab = open()
      await new Promise((done) => setTimeout(done, Math.random() * 20))
      await tab.fetch(`${API}${path}/signin`, { method: 'POST', body: JSON.stringify({ user: 'ann' }) })
      const { status } = await tab.fetch(it.profile)
      outcomes.push(`${status} ${(await tab.refresh()).status}`)
      tab.dispose()
    }
    expect([...new Set(outcomes)]).toEqual(['200 authenticated'])
  })

  test.each(befores)('theft at the start of a page that was %s before is told as such', async (how) => {
    const scene = createScene(robbed(create))
    const { stand: it } = scene
    const tab = await scene.signedIn()
    if (how === 'signed out') await tab.signOut({ local: true })
    tab.dispose()
    it.thief.isAtWork = true
    const page = scene.open()
    const asking = page.fetch(it.profile)
    expect(await page.ready()).toMatchObject({ status: 'unauthenticated', reason: 'reused' })
    expect((await asking).status).toBe(expiredStatus)
    expect([page.current.reason, await it.living]).toEqual(['reused', 0])
  })

  test('a session found dead by a route that asks the core has expired, and the user is asked to sign in', async () => {
    const asked: string[] = []
    const { stand: it, signedIn } = createScene(create)
    const tab = await signedIn('ann', { use: [signInRequired(({ reason }) => (asked.push(reason), false))] })
    await it.revoke('ann')
    expect((await tab.fetch(`${API}/api/checked`)).status).toBe(expiredStatus)
    expect([tab.current.reason, asked]).toEqual(['expired', ['expired']])
  })
}

/** What a real browser makes of its cookies. */
const testPages = (server: RealServer<Controls>) => {
  const pages = usePages(server)
  const cookieMode = () => Resesh.supertokens()

  const signedIn = async (count: number) => {
    const world = await pages()
    const tabs = await world.open(count, { backend: cookieMode })
    // A refresh without a cookie clears them all, also those of a sign-in that overtook it.
    await Promise.all(tabs.map((tab) => tab.run(async ({ session }) => void (await session.ready()))))
    await tabs[0]!.run(async ({ session }) => {
      await session.fetch('/auth/signin', { method: 'POST', body: JSON.stringify({ user: 'ann' }) })
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
    expect((await Promise.all(tabs.map(stateIn))).map(({ claims }) => claims?.['name'])).toEqual(
      Array(count).fill('Ann'),
    )
  })

  test('no script of a real browser sees a token, and the refresh token goes to one path only', async () => {
    const { tabs, cookies } = await signedIn(1)
    const shared = { httpOnly: true, sameSite: 'Lax' }
    expect((await cookies()).toSorted((a, b) => a.name.localeCompare(b.name))).toMatchObject([
      { ...shared, name: 'sAccessToken', path: '/' },
      { ...shared, name: 'sRefreshToken', path: '/auth/session/refresh' },
    ])
    expect(await tabs[0]!.run(() => document.cookie)).toBe('')
    expect(await tabs[0]!.run(({ session }) => session.getToken())).toBeNull()
  })

  test('a sign-out in one tab of a real browser reaches the other, the jar and the server', async () => {
    const { tabs, cookies, open } = await signedIn(2)
    await tabs[0]!.run(async ({ session }) => void (await session.signOut()))
    await untilAll(tabs, ({ status }) => status === 'unauthenticated')
    expect([await server.control.living(), await cookies()]).toEqual([0, []])
    expect(await tabs[1]!.run((it) => it.fire(1, { path: '/api/me' }))).toEqual({ 401: 1 })
    const [next] = await open(1, { backend: cookieMode })
    expect((await next!.run(({ session }) => session.ready())).status).toBe('unauthenticated')
  })

  test('a mutation of a real browser carries what fends off forgery, after a refresh too', async () => {
    const { tabs } = await signedIn(1)
    const patch = () => tabs[0]!.run((it) => it.fire(1, { path: '/api/me', init: { method: 'PATCH' } }))
    expect(await patch()).toEqual({ 200: 1 })
    const before = await server.control.refreshes()
    await server.control.pass(lifeMs + 1000)
    expect(await patch()).toEqual({ 200: 1 })
    expect((await server.control.refreshes()) - before).toBe(1)
    const bare = () => fetch('/api/me', { method: 'PATCH' }).then(({ status }) => status)
    expect(await tabs[0]!.run(bare)).toBe(401)
  })

  test('XMLHttpRequest of a real browser takes part, with what fends off forgery', async () => {
    const { tabs } = await signedIn(1)
    const before = await server.control.refreshes()
    await server.control.pass(lifeMs + 1000)
    const statuses = await tabs[0]!.run(async ({ session }) => {
      const undo = Resesh.installXhr(session)
      const send = (method: string) =>
        new Promise<number>((done) => {
          const xhr = new XMLHttpRequest()
          xhr.open(method, '/api/me')
          xhr.onloadend = () => done(xhr.status)
          xhr.send()
        })
      const answered = await Promise.all(['GET', 'PATCH', 'PATCH'].map(send))
      undo()
      return answered
    })
    expect([statuses, (await server.control.refreshes()) - before]).toEqual([[200, 200, 200], 1])
  })

  test("a login at the start of a real browser's page lives", async () => {
    const { open } = await pages()
    const [tab] = await open(1, { backend: cookieMode })
    const states = await tab!.run(async ({ session }) => {
      const body = JSON.stringify({ user: 'ann' })
      await session.fetch('/auth/signin', { method: 'POST', body })
      await session.fetch('/api/me')
      return [session.current.status, (await session.refresh()).status]
    })
    expect(states).toEqual(['authenticated', 'authenticated'])
  })

  test('a page of a real browser that opens later finds the session, edited meanwhile', async () => {
    const { open } = await signedIn(1)
    await server.control.edit('ann', { name: 'Anna' })
    const [next] = await open(1, { backend: cookieMode })
    const { status, claims } = await next!.run(({ session }) => session.ready())
    expect([status, claims?.['name']]).toEqual(['authenticated', 'Anna'])
  })
}

describe('in cookie mode', () => {
  const server = start({ antiCsrf: 'VIA_CUSTOM_HEADER' })
  const create = stand(server, 'cookie')
  testBackend('supertokens in cookie mode', create)
  testPages(server)

  testStarts(server)

  test.each([1, 2])('of 200s that renew nothing, %i in a row, one is called again', async (times) => {
    const { stand: it, signedIn } = createScene(doubled(create, times))
    const tab = await signedIn()
    const before = await it.refreshes
    const outcome = await tab.refresh().catch((error: Error) => error)
    if (times > 1) expect(outcome).toBeInstanceOf(RefreshFailedError)
    expect([tab.current.status, (await it.refreshes) - before]).toEqual(['authenticated', 2])
  })
})

describe('in cookie mode with a token against forgery', () => {
  const server = start({ antiCsrf: 'VIA_TOKEN' })
  testBackend('supertokens in cookie mode with a token against forgery', stand(server, 'cookie'))
  testPages(server)
})

describe("with a status and a path of the app's own", () => {
  const options = { antiCsrf: 'VIA_TOKEN', path: '/api/session', expiredStatus: 440 } as const
  const server = start(options)
  testBackend("supertokens with a status and a path of the app's own", stand(server, 'cookie', options))
  testStarts(server, options)
})

describe('in cookie mode with an access token for scripts to read', () => {
  const server = start({ isExposed: true })

  test('no request carries it beside the cookie', async () => {
    const scene = createScene(stand(server, 'cookie'))
    const { stand: it } = scene
    const tab = await scene.signedIn()
    const token = await tab.getToken()
    expect(token).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/)
    await tab.fetch(it.profile, { headers: { authorization: `Bearer ${token}` } })
    await it.expire()
    expect((await tab.fetch(it.profile)).status).toBe(200)
    expect(scene.cookies).toContain('sAccessToken')
    expect(await tab.getToken()).not.toBe(token)
    await it.expire()
    await tab.signOut()
    expect([await it.living, (await server.control.seen()).filter(({ hasBearer }) => hasBearer)]).toEqual([0, []])
  })
})

describe('for a page of another site', () => {
  const server = start({ isForeign: true })
  const pages = usePages(server)
  const open = async () => {
    const { open: openAll } = await pages()
    const from = server.origin.replace('127.0.0.1', 'localhost')
    const backend = () => Resesh.supertokens({ baseUrl: `http://127.0.0.1:${location.port}/auth`, mode: 'header' })
    const [tab] = await openAll(1, { from, backend, api: server.origin })
    const signIn = () =>
      tab!.run(async ({ session }) => {
        await session.ready()
        const body = JSON.stringify({ user: 'ann' })
        await session.fetch(`http://127.0.0.1:${location.port}/auth/signin`, { method: 'POST', body })
        return session.current
      })
    return { tab: tab!, signIn }
  }

  test('tokens in headers need no cookie: the server says which headers a page may read', async () => {
    const { tab, signIn } = await open()
    expect(await signIn()).toMatchObject({ status: 'authenticated', user: { id: 'ann' } })
    await server.control.pass(lifeMs + 1000)
    expect(await tab.run((it) => it.fire(20, { path: '/api/me' }))).toEqual({ 200: 20 })
    expect(await server.control.refreshes()).toBe(1)
    await tab.run(({ session }) => session.signOut())
    expect(await server.control.living()).toBe(0)
  })

  test('a server that exposes no headers is one that cannot be understood: the session is kept', async () => {
    const { tab, signIn } = await open()
    await signIn()
    await server.control.expose(false)
    const thrown = await tab.run(({ session }) => session.refresh().catch(({ message }: Error) => message))
    expect(thrown).toMatch(/session\/refresh: answered 200 without the header front-token/)
    expect((await stateIn(tab)).status).toBe('authenticated')
  })
})

describe("for who comes from the vendor's own SDK", () => {
  const server = start({})
  const pages = usePages(server)

  /** Its cookies, as it writes them in header mode. */
  const leave = async ({ context }: Awaited<ReturnType<typeof pages>>) => {
    const { headers } = await fetch(`${server.origin}/auth/signin`, {
      method: 'POST',
      body: JSON.stringify({ user: 'ann' }),
      headers: { 'st-auth-mode': 'header' },
    })
    const values = {
      'st-access-token': headers.get('st-access-token')!,
      'st-refresh-token': headers.get('st-refresh-token')!,
      sFrontToken: headers.get('front-token')!,
      'st-last-access-token-update': String(Date.now()),
    }
    const kind = { url: server.origin, sameSite: 'Lax', expires: Date.now() / 1000 + 1000 } as const
    await context.addCookies(Object.entries(values).map(([name, value]) => ({ ...kind, name, value })))
    return values
  }
  const options = { backend: () => Resesh.supertokens({ mode: 'header' }) }
  const ready = ({ session }: { session: Session }) => session.ready()

  test('a real browser goes on with its session, and has its cookies no more', async () => {
    const world = await pages()
    const values = await leave(world)
    const [tab, other] = await world.open(2, options)
    expect(await tab!.run(ready)).toMatchObject({ status: 'authenticated', user: { id: 'ann' } })
    expect(await other!.run(ready)).toMatchObject({ status: 'authenticated', user: { id: 'ann' } })
    expect(await tab!.run(({ session }) => session.getToken())).toBe(values['st-access-token'])
    await expect.poll(() => world.cookies()).toEqual([])
    await server.control.pass(lifeMs + 1000)
    expect(await tab!.run((it) => it.fire(5, { path: '/api/me' }))).toEqual({ 200: 5 })
    await tab!.run(({ session }) => session.signOut())
    const [next] = await world.open(1, options)
    expect((await next!.run(ready)).status).toBe('unauthenticated')
  })
})
