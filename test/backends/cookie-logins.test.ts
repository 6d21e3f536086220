// Sessions in a cookie, whatever the backend: a login is not lost to an answer that was sent for before it, and cookies are sent
// only where they are needed.

import type { Backend, Credentials, Session, State } from 'resesh'
import { authjs } from 'resesh/backends/authjs'
import { betterAuth } from 'resesh/backends/better-auth'
import { bearer } from 'resesh/backends/bearer'
import { clerk } from 'resesh/backends/clerk'
import { cookie } from 'resesh/backends/cookie'
import { roq } from 'resesh/backends/roq'
import { supertokens, supertokensLegacy } from 'resesh/backends/supertokens'
import { workosRoute } from 'resesh/backends/workos'
import { describe, expect, test } from 'vitest'
import { AuthJs } from '../servers/vendors/authjs.ts'
import { BetterAuth } from '../servers/vendors/better-auth.ts'
import { cookieIn, json, type Login, setCookie, StandIn } from '../servers/vendors/stand-in.ts'
import { createBrowser, createClock, PAGE, type Handle } from './browser.ts'
import { defer } from '../support/defer.ts'

/** A small server: one cookie, which the session route sets anew, or clears where it is worth nothing. */
class OneCookie extends StandIn {
  override renews = () => false
  override async route(request: Request, sent: string) {
    const { pathname, searchParams } = new URL(request.url)
    if (pathname === '/login')
      return json({ ok: true }, 200, [setCookie('sid', this.begin(searchParams.get('user')!).id)])
    if (pathname !== '/me') return undefined
    const id = cookieIn(sent, 'sid')
    const login: Login | undefined = this.living(id)
    if (!login) return json(null, 200, id ? [setCookie('sid', '')] : [])
    return json({ user: { id: login.user } }, 200, [setCookie('sid', login.id)])
  }
}

interface Case {
  server: StandIn
  backend: () => Backend
  /** Where the session is asked for. */
  session: string
  logIn(fetch: typeof globalThis.fetch, user: string): Promise<Response>
}

const clock = createClock()
const cases: [name: string, create: () => Case][] = [
  [
    'betterAuth()',
    () => ({
      server: new BetterAuth(clock),
      backend: () => betterAuth(),
      session: '/api/auth/get-session',
      logIn: (fetch, email) => fetch('/api/auth/sign-in/email', { method: 'POST', body: JSON.stringify({ email }) }),
    }),
  ],
  [
    'authjs()',
    () => ({
      server: new AuthJs(clock),
      backend: () => authjs(),
      session: '/api/auth/session',
      logIn: (fetch, user) => fetch(`/api/auth/callback?user=${user}`, { method: 'POST' }),
    }),
  ],
  [
    'cookie()',
    () => ({
      server: new OneCookie(clock),
      backend: () => cookie({ sessionUrl: '/me', signInUrls: ['/login'] }),
      session: '/me',
      logIn: (fetch, user) => fetch(`/login?user=${user}`, { method: 'POST' }),
    }),
  ],
]

/** A browser in front of a server, whose next answer to a path comes late: also its cookies. */
const slow = ({ server, backend, session }: Case) => {
  let late: Record<'arrived' | 'released', ReturnType<typeof defer<void>>> | undefined
  const handle: Handle = async (request, host) => {
    const answer = await server.handle(request, host)
    if (new URL(request.url).pathname !== session || !late) return answer
    const { arrived, released } = late
    late = undefined
    arrived.resolve()
    await released.promise
    return answer
  }
  const browser = createBrowser(handle, backend, clock)
  return Object.assign(browser, {
    delay() {
      const [arrived, released] = [defer(), defer()]
      late = { arrived, released }
      return { arrived: arrived.promise, release: () => released.resolve() }
    },
  })
}

// Auth.js has no ids.
const nameIn = ({ user }: State) => user?.['id'] ?? String(user?.['email']).split('@')[0]
const aWhile = () => new Promise((done) => setTimeout(done, 30))

describe.each(cases)('%s: a login', (_, create) => {
  test('at a page’s start outlives the start’s own look, which clears an old cookie', async () => {
    const it = create()
    const browser = slow(it)
    await it.logIn(browser.fetch, 'ann')
    it.server.revoke('ann')
    const look = browser.delay()
    const tab = browser.open()
    await look.arrived
    const loggedIn = it.logIn(tab.fetch, 'bob')
    await aWhile()
    look.release()
    expect((await loggedIn).status).toBe(200)
    expect(nameIn(await tab.signIn())).toBe('bob')
  })

  test.each(['the same tab', 'another tab'])('as another user outlives a refresh under way in %s', async (place) => {
    const it = create()
    const browser = slow(it)
    await it.logIn(browser.fetch, 'ann')
    const tab = browser.open()
    const other = place === 'another tab' ? browser.open() : tab
    await Promise.all([tab.ready(), other.ready()])
    const look = browser.delay()
    const refreshing = other.refresh()
    await look.arrived
    const loggedIn = it.logIn(tab.fetch, 'bob')
    await aWhile()
    look.release()
    await Promise.all([refreshing, loggedIn])
    expect(nameIn(await tab.signIn())).toBe('bob')
  })

  test('within signIn does not wait for itself', async () => {
    const it = create()
    const tab: Session = slow(it).open()
    const state = await tab.signIn(async () => void (await it.logIn(tab.fetch, 'ann')))
    expect(nameIn(state)).toBe('ann')
  })
})

describe('`credentials: include` is set where the cookie is needed', () => {
  const API = 'https://api.example.test'
  const AUTH = 'https://auth.example.test'
  const token: Credentials = { accessToken: 'a' }
  const anon: Credentials = { user: { id: 'ann' } }

  test.each<[name: string, backend: Backend<any>, held: Credentials | null, own: boolean, auth: boolean, api: boolean]>(
    [
      ['betterAuth', betterAuth({ baseUrl: `${AUTH}/api/auth` }), anon, false, true, true],
      ['betterAuth with jwt', betterAuth({ baseUrl: `${AUTH}/api/auth`, jwt: true }), token, false, true, false],
      ['betterAuth with jwt, nobody', betterAuth({ baseUrl: `${AUTH}/api/auth`, jwt: true }), null, false, true, false],
      ['betterAuth with bearer', betterAuth({ baseUrl: `${AUTH}/api/auth`, bearer: true }), token, false, false, false],
      ['authjs', authjs({ baseUrl: `${AUTH}/api/auth` }), anon, false, true, true],
      ['authjs with a token', authjs({ baseUrl: `${AUTH}/api/auth`, accessToken: 'token' }), token, false, true, false],
      ['roq', roq({ baseUrl: `${AUTH}/api/auth` }), token, false, true, false],
      ['workosRoute', workosRoute({ refreshUrl: `${AUTH}/refresh` }), token, false, true, false],
      ['supertokens', supertokens({ baseUrl: `${AUTH}/auth` }), anon, false, true, true],
      // Its token is not sent, so that the cookie is needed as before.
      ['supertokens with an exposed token', supertokens({ baseUrl: `${AUTH}/auth` }), token, false, true, true],
      ['supertokens with headers', supertokens({ baseUrl: `${AUTH}/auth`, mode: 'header' }), token, false, true, false],
      ['supertokensLegacy', supertokensLegacy({ refreshUrl: `${AUTH}/refresh` }), anon, false, true, true],
      ['clerk', clerk({ frontendApi: AUTH }), token, false, false, false],
      [
        'bearer with a cookie',
        bearer({ refreshUrl: `${AUTH}/r`, refreshTokenIn: 'cookie' }),
        token,
        false,
        false,
        false,
      ],
    ],
  )('%s', async (_, backend, held, own, auth, api) => {
    const includes = async (url: string) => {
      const isSameOrigin = url.startsWith(PAGE)
      const request = { url, method: 'GET', headers: new Headers(), isSameOrigin, cookie: () => null }
      const attached = await backend.attach(new Headers(), held, request)
      return attached?.credentials === 'include'
    }
    const found = [await includes(`${PAGE}/x`), await includes(`${AUTH}/x`), await includes(`${API}/x`)]
    expect(found).toEqual([own, auth, api])
  })
})
