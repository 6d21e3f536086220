// Over vendors' SDKs, each set up as our page says. The SDKs are fakes of their documented APIs: see servers/vendors/sdks.ts.

import {
  type Backend,
  createSession,
  InvalidOptionError,
  memory,
  RefreshFailedError,
  type Session,
  type SessionOptions,
  type State,
} from 'resesh'
import { fromTokens, type FromTokensOptions } from 'resesh/backends/from-tokens'
import { installFetch } from 'resesh/install-fetch'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import {
  Amplify,
  Auth0Client,
  type Cache,
  Cloud,
  createCache,
  FirebaseAuth,
  InteractionRequiredAuthError,
  PublicClientApplication,
  type Sdk,
} from '../servers/vendors/sdks.ts'
import { thrownBy } from '../support/session.ts'
import { createBrowser, createClock, PAGE } from './browser.ts'

interface Recipe {
  readonly name: string
  readonly create: (cloud: Cloud, cache: Cache) => { sdk: Sdk; options: FromTokensOptions }
  /** Whether the SDK tells of changes. */
  readonly tells: boolean
  /** Whether its answers name the user. */
  readonly namesUser: boolean
}

const scopes = ['api']

const recipes: Recipe[] = [
  {
    name: 'Firebase',
    tells: true,
    namesUser: true,
    create(cloud, cache) {
      const auth = new FirebaseAuth(cloud, cache)
      const tokenOf = async (isForced: boolean) => {
        await auth.authStateReady()
        const user = auth.currentUser
        return (
          user && {
            accessToken: await user.getIdToken(isForced),
            user: { id: user.uid, name: auth.currentUser?.displayName },
          }
        )
      }
      return {
        sdk: auth,
        options: {
          get: () => tokenOf(false),
          refresh: () => tokenOf(true),
          subscribe: (onChange) => auth.onIdTokenChanged(onChange),
          signOut: () => auth.signOut(),
          isOver: (error) => (error as { code?: string }).code === 'auth/user-token-expired',
        },
      }
    },
  },
  {
    name: 'MSAL',
    tells: true,
    namesUser: true,
    create(cloud, cache) {
      const msal = new PublicClientApplication(cloud, cache)
      const tokenOf = async (forceRefresh: boolean) => {
        const account = msal.getActiveAccount()
        if (!account) return null
        const { accessToken } = await msal.acquireTokenSilent({ scopes, account, forceRefresh })
        return { accessToken, user: { id: account.localAccountId, name: msal.getActiveAccount()?.name } }
      }
      return {
        sdk: msal,
        options: {
          get: () => tokenOf(false),
          refresh: () => tokenOf(true),
          subscribe(onChange) {
            const id = msal.addEventCallback(onChange)
            return () => msal.removeEventCallback(id)
          },
          signOut: () => msal.logoutPopup(),
          isOver: (error) => error instanceof InteractionRequiredAuthError,
        },
      }
    },
  },
  {
    name: 'Amplify',
    tells: true,
    namesUser: false,
    create(cloud, cache) {
      const amplify = new Amplify(cloud, cache)
      const { fetchAuthSession, Hub } = { fetchAuthSession: amplify.fetchAuthSession.bind(amplify), Hub: amplify.Hub }
      return {
        sdk: amplify,
        options: {
          get: async () => (await fetchAuthSession()).tokens?.accessToken.toString(),
          refresh: async () => (await fetchAuthSession({ forceRefresh: true })).tokens?.accessToken.toString(),
          subscribe: (onChange) => Hub.listen('auth', onChange),
          signOut: () => amplify.signOut(),
        },
      }
    },
  },
  {
    name: 'Auth0',
    tells: false,
    namesUser: false,
    create(cloud, cache) {
      const auth0 = new Auth0Client(cloud, cache)
      return {
        sdk: auth0,
        options: {
          get: async () => ((await auth0.isAuthenticated()) ? auth0.getTokenSilently() : null),
          refresh: () => auth0.getTokenSilently({ cacheMode: 'off' }),
          signOut: () => auth0.logout(),
          isOver: (error) => (error as { error?: string }).error === 'login_required',
        },
      }
    },
  },
]

interface Tab {
  readonly session: Session
  readonly sdk: Sdk
}

/** A browser with an app's API in front of the cloud; each tab has an SDK of its own, over one cache. */
const world = ({ create }: Recipe = recipes[0]!, changed: Partial<FromTokensOptions> = {}) => {
  const clock = createClock()
  const [cloud, cache] = [new Cloud(clock.now), createCache()]
  const handle = async (request: Request) => {
    const user = cloud.accepts(request.headers.get('authorization'))
    return user ? Response.json(user) : new Response(null, { status: 401 })
  }
  let backend!: Backend
  const browser = createBrowser(handle, () => backend, clock)
  const open = (options: Partial<SessionOptions> = {}): Tab => {
    const { sdk, options: own } = create(cloud, cache)
    backend = fromTokens({ ...own, ...changed })
    return { sdk, session: browser.open({ storage: memory(), ...options }) }
  }
  const signedIn = async (options?: Partial<SessionOptions>): Promise<Tab> => {
    await create(cloud, cache).sdk.logIn('ann')
    const tab = open(options)
    expect((await tab.session.ready()).status).toBe('authenticated')
    return tab
  }
  return { ...browser, cloud, cache, clock, open, signedIn }
}

const fire = async ({ session }: Tab, times: number) =>
  Promise.all(Array.from({ length: times }, async () => (await session.fetch('/api/me')).status))

const n = (token: string | null) => JSON.parse(Buffer.from(token!.split('.')[1]!, 'base64url').toString()).n as number

const tick = (ms = 20) => new Promise((done) => setTimeout(done, ms))

describe.each(recipes)('$name', (recipe) => {
  test('nobody: requests go out without a token, and a 401 is handed back', async () => {
    const { open } = world(recipe)
    const tab = open()
    expect(await tab.session.ready()).toMatchObject({ status: 'unauthenticated', user: null })
    expect(await fire(tab, 1)).toEqual([401])
    expect(await tab.session.getToken()).toBeNull()
  })

  test('the first request of a page waits for the token that the SDK has', async () => {
    const { cloud, cache, open } = world(recipe)
    await recipe.create(cloud, cache).sdk.logIn('ann')
    const tab = open()
    expect(await fire(tab, 3)).toEqual([200, 200, 200])
    expect(tab.session.current).toMatchObject({ status: 'authenticated', claims: { sub: 'ann' } })
    expect(cloud.mints).toBe(1)
  })

  test('fifty requests meet a refusal: the SDK refreshes once, and they are sent again', async () => {
    const { cloud, signedIn } = world(recipe)
    const tab = await signedIn()
    cloud.expire()
    expect(new Set(await fire(tab, 50))).toEqual(new Set([200]))
    expect(cloud.mints).toBe(2)
  })

  test('five tabs meet a refusal: the SDK refreshes once, since its tabs share a cache', async () => {
    const { cloud, open, signedIn } = world(recipe)
    const tabs = [await signedIn(), open(), open(), open(), open()]
    await Promise.all(tabs.map(({ session }) => session.ready()))
    cloud.expire()
    const statuses = await Promise.all(tabs.map((tab) => fire(tab, 5)))
    expect(new Set(statuses.flat())).toEqual(new Set([200]))
    expect(cloud.mints).toBe(2)
  })

  test('getToken() is from memory; skipCache has the SDK mint, whatever it has', async () => {
    const { cloud, signedIn } = world(recipe)
    const { session, sdk } = await signedIn()
    const { asked } = sdk
    expect(n(await session.getToken())).toBe(1)
    expect(sdk.asked).toBe(asked)
    sdk.cache.session!.token = await cloud.mint('ann') // its cache has a newer one, of before the call
    expect(n(await session.getToken({ skipCache: true }))).toBe(3)
  })

  test('a reload brings the user as the SDK has it then', async () => {
    const { cloud, signedIn } = world(recipe)
    const { session } = await signedIn()
    cloud.users[0]!.name = 'Anna'
    const state = await session.reload()
    expect(state.status).toBe('authenticated')
    if (recipe.namesUser) expect(state.user).toMatchObject({ id: 'ann', name: 'Anna' })
    expect(cloud.mints).toBe(2)
  })

  test('a token lives as long as it says, not from when the SDK was asked', async () => {
    const { clock, cloud, cache, open } = world(recipe)
    await recipe.create(cloud, cache).sdk.logIn('ann')
    clock.pass(3_000_000)
    const { session } = open()
    const { expiresAt } = await session.ready()
    expect(Math.abs(expiresAt! - clock.now() - 600_000)).toBeLessThan(2_000)
    await session.refresh()
    expect(Math.abs(session.current.expiresAt! - clock.now() - 3_600_000)).toBeLessThan(2_000)
  })

  test('the vendor is away: an error, and the session is kept', async () => {
    const { cloud, signedIn } = world(recipe)
    const { session } = await signedIn()
    cloud.isDown = true
    const error = await thrownBy(session.refresh())
    expect(error).toBeInstanceOf(RefreshFailedError)
    expect(String(error)).toContain('network request failed')
    expect(session.current.status).toBe('authenticated')
  })

  test('the vendor wants the user to sign in again: over', async () => {
    const { cloud, signedIn } = world(recipe)
    const tab = await signedIn()
    cloud.isRevoked = true
    cloud.expire()
    if (!recipe.tells) tab.sdk.cache.session = { ...tab.sdk.cache.session! }
    expect(await fire(tab, 1)).toEqual([401])
    expect(tab.session.current).toMatchObject({ status: 'unauthenticated', reason: 'expired' })
  })

  test('a sign-out here is one of the SDK', async () => {
    const { cache, open, signedIn } = world(recipe)
    const { session } = await signedIn()
    await session.signOut()
    expect([session.current.status, cache.session]).toEqual(['unauthenticated', null])
    expect((await open().session.ready()).status).toBe('unauthenticated')
  })

  test('a login of the SDK’s own, then signIn()', async () => {
    const { open } = world(recipe)
    const { session, sdk } = open()
    await session.ready()
    await session.signIn(async () => sdk.logIn('bob'))
    expect(session.current).toMatchObject({ status: 'authenticated', claims: { sub: 'bob' } })
  })
})

describe.each(recipes.filter(({ tells }) => tells))('$name tells', (recipe) => {
  const heard = ({ session }: Tab): State[] => {
    const states: State[] = []
    session.on('change', ({ current }) => states.push(current))
    return states
  }

  test('a sign-in, another user and a sign-out: each is told as one change', async () => {
    const { open } = world(recipe)
    const tab = open()
    await tab.session.ready()
    await tick()
    const states = heard(tab)
    await tab.sdk.logIn('ann')
    await vi.waitFor(() => expect(tab.session.current.claims).toMatchObject({ sub: 'ann' }))
    await tick()
    await tab.sdk.logIn('bob')
    await vi.waitFor(() => expect(tab.session.current.claims).toMatchObject({ sub: 'bob' }))
    await tick()
    await tab.sdk.logOut()
    await vi.waitFor(() => expect(tab.session.current.status).toBe('unauthenticated'))
    await tick()
    expect(states.map(({ status, reason, claims }) => [status, reason, claims?.['sub']])).toEqual([
      ['authenticated', 'signed-in', 'ann'],
      ['authenticated', 'signed-in', 'bob'],
      ['unauthenticated', 'signed-out', undefined],
    ])
  })

  test('a token that the SDK has renewed by itself is taken over, in every tab', async () => {
    const { cloud, open, signedIn } = world(recipe)
    const tabs = [await signedIn(), open()]
    await tabs[1]!.session.ready()
    await tabs[0]!.sdk.renew()
    await vi.waitFor(async () => {
      for (const { session } of tabs) expect(n(await session.getToken())).toBe(2)
    })
    cloud.expire()
    expect(tabs.map(({ session }) => session.current.status)).toEqual(['authenticated', 'authenticated'])
  })

  test('events of its own work lead to no loop', async () => {
    const { signedIn } = world(recipe)
    const { session, sdk } = await signedIn()
    await tick()
    const { asked } = sdk
    await session.refresh()
    await tick(50)
    expect(sdk.asked - asked).toBeLessThanOrEqual(4)
  })

  test('dispose() ends the subscription', async () => {
    const { cache, signedIn } = world(recipe)
    const { session, sdk } = await signedIn()
    expect(cache.listeners.size).toBe(1)
    session.dispose()
    expect(cache.listeners.size).toBe(0)
    await sdk.logOut()
    expect(session.current.status).toBe('authenticated')
  })

  test('where the SDK is not told of a sign-out, what it does for that user signs nobody in', async () => {
    const { signedIn } = world(recipe, { signOut: async () => {} })
    const tab = await signedIn()
    tab.session.on('error', ({ error }) => expect.unreachable(error.message))
    await tab.session.signOut({ local: true })
    await tab.sdk.renew()
    await tick()
    expect(tab.session.current.status).toBe('unauthenticated')
    await tab.sdk.logIn('bob') // another user is a sign-in
    await vi.waitFor(() => expect(tab.session.current.claims).toMatchObject({ sub: 'bob' }))
    await tab.session.signOut({ local: true })
    await tab.sdk.logOut()
    await tick()
    await tab.sdk.logIn('bob') // so is the same user, once the SDK had nobody
    await vi.waitFor(() => expect(tab.session.current.claims).toMatchObject({ sub: 'bob' }))
  })
})

describe('whatever the SDK', () => {
  test('it has a newer token than the refused one: no refresh', async () => {
    const { cloud, signedIn } = world(recipes[3])
    const tab = await signedIn()
    cloud.expire()
    await tab.sdk.renew()
    expect(await fire(tab, 3)).toEqual([200, 200, 200])
    expect(cloud.mints).toBe(2)
  })

  test('what it has is older than the refused one, or dead: a refresh', async () => {
    const { cloud, clock, signedIn } = world(recipes[3])
    const tab = await signedIn()
    const old = tab.sdk.cache.session!.token
    clock.pass(2_000)
    await tab.session.refresh()
    tab.sdk.cache.session!.token = old
    cloud.expire()
    expect(await fire(tab, 1)).toEqual([200])
    expect(cloud.mints).toBe(3)
  })

  test('no token is stored', async () => {
    const names: PropertyKey[] = []
    const indexedDB = new Proxy({}, { get: (_, name) => void names.push(name) }) as IDBFactory
    const fetch = async () => new Response('served')
    const session = createSession({
      backend: fromTokens({ get: () => 'token', refresh: () => 'token-2' }),
      platform: { indexedDB, fetch },
    })
    onTestFinished(session.dispose)
    await session.ready()
    await session.refresh()
    expect([await session.getToken(), names]).toEqual(['token-2', []])
  })

  test('its requests through a patched fetch wait for nothing, and get no token', async () => {
    const sent: [path: string, token: string | null][] = []
    const target = {
      fetch: async (input: unknown, init?: RequestInit) => {
        const { pathname } = new URL(String(input))
        const token = new Headers(init?.headers).get('authorization')
        sent.push([pathname, token])
        if (pathname === '/vendor/token') return Response.json({ token: 'new' })
        return new Response(null, { status: token === 'Bearer new' ? 200 : 401 })
      },
    } as { fetch: typeof globalThis.fetch }
    const real = target.fetch
    const session = createSession({
      backend: fromTokens({
        get: () => ({ accessToken: 'old', expiresAt: Date.now() + 5 }),
        async refresh() {
          await Promise.resolve()
          return ((await (await target.fetch(`${PAGE}/vendor/token`, { method: 'POST' })).json()) as { token: string })
            .token
        },
        endpoints: ['/vendor/token'],
      }),
      origins: [PAGE],
      platform: { fetch: real },
    })
    onTestFinished(session.dispose)
    onTestFinished(installFetch(session, target))
    await session.ready()
    await tick(10)
    expect((await target.fetch(`${PAGE}/api`)).status).toBe(200)
    expect(sent).toEqual([
      ['/vendor/token', null],
      ['/api', 'Bearer new'],
    ])
  })

  test('an answer that is no token is refused, and the message says what it has', async () => {
    const { open } = world(recipes[3], { get: (() => ({ payload: 'pssst', toString: () => 'x' })) as never })
    const tab = open()
    const errors: unknown[] = []
    tab.session.on('error', ({ error }) => errors.push(error))
    await vi.waitFor(() => expect(errors.length).toBeGreaterThan(0))
    expect(String(errors[0])).toContain(
      'the answer has no "accessToken" (it has payload, toString): give the token as a text',
    )
    expect(String(errors[0])).not.toContain('pssst')
  })

  test('it tells of a change, and can’t be asked: an error event, and the session is kept', async () => {
    let tell!: () => void
    let isBroken = false
    const { signedIn } = world(recipes[3], { subscribe: (onChange) => void (tell = onChange) })
    const { session, sdk } = await signedIn()
    const errors: unknown[] = []
    session.on('error', ({ error }) => errors.push(error))
    isBroken = true
    ;(sdk as Auth0Client).isAuthenticated = async () => {
      if (isBroken) throw new Error('the SDK is confused')
      return false
    }
    tell()
    await vi.waitFor(() => expect(errors).toHaveLength(1))
    expect(String(errors[0])).toContain('the SDK is confused')
    expect(session.current.status).toBe('authenticated')
    isBroken = false
    tell()
    await vi.waitFor(() => expect(session.current.status).toBe('unauthenticated'))
  })

  test('a sign-out that comes while the SDK is asked wins', async () => {
    let tell!: () => void
    const { signedIn } = world(recipes[3], { subscribe: (onChange) => void (tell = onChange) })
    const { session, sdk } = await signedIn()
    let go!: () => void
    const gate = new Promise<void>((done) => (go = done))
    const asked = new Promise<void>((begun) => {
      ;(sdk as Auth0Client).isAuthenticated = async () => {
        begun()
        await gate
        return true
      }
    })
    sdk.cache.session!.token = await sdk.cloud.mint('ann')
    tell()
    await asked
    const leaving = session.signOut({ local: true })
    go()
    await leaving
    await tick()
    expect(session.current).toMatchObject({ status: 'unauthenticated', reason: 'signed-out' })
  })

  test('a sign-out that the SDK could not do is done later, but not once somebody has signed in', async () => {
    let fails = true
    let done = 0
    const { signedIn } = world(recipes[3], {
      signOut: async () => {
        if (fails) throw new Error('offline')
        done++
      },
    })
    const { session } = await signedIn()
    await session.signOut()
    expect(session.current.status).toBe('unauthenticated')
    await session.signIn()
    fails = false
    await tick(50)
    expect([session.current.status, done]).toEqual(['authenticated', 0])
  })

  test.each(['get', 'refresh'] as const)('without `%s` it is refused by name', (name) => {
    const whole = { get: () => null, refresh: () => null }
    expect(() => fromTokens({ ...whole, [name]: undefined as never })).toThrow(InvalidOptionError)
  })
})
