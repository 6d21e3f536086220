// Whose a stored session is: that of one server. Two apps on one origin, or two projects on http://localhost:3000, must neither
// see nor overwrite each other's session, nor send its tokens to the other's server.

import { createSession, defineBackend, type Backend, type SessionOptions } from 'resesh'
import { authjs } from 'resesh/backends/authjs'
import { bearer } from 'resesh/backends/bearer'
import { betterAuth } from 'resesh/backends/better-auth'
import { clerk } from 'resesh/backends/clerk'
import { cookie } from 'resesh/backends/cookie'
import { oauth2 } from 'resesh/backends/oauth2'
import { roq } from 'resesh/backends/roq'
import { supertokens, supertokensLegacy } from 'resesh/backends/supertokens'
import { workos, workosRoute } from 'resesh/backends/workos'
import { custom } from 'resesh/storage/custom'
import { expect, onTestFinished, test } from 'vitest'

/** One origin: what its pages store, and the keys under which they lock. */
const createOrigin = () => {
  const values = new Map<string, string>()
  const locked = new Set<string>()
  const channels = new Set<string>()
  const items = {
    getItem: async (key: string) => values.get(key) ?? null,
    setItem: async (key: string, value: string) => void values.set(key, value),
  }
  const navigator = {
    locks: {
      request: async (name: string, _: LockOptions, hold: () => unknown) => {
        locked.add(name)
        return hold()
      },
    },
  } as unknown as Navigator
  class BroadcastChannel {
    constructor(name: string) {
      channels.add(name)
    }
    postMessage() {}
    close() {}
  }
  const open = (backend: Backend, page = 'https://app.test/', options: Partial<SessionOptions> = {}) => {
    const sent: Request[] = []
    const session = createSession({
      backend,
      storage: custom(items),
      refreshAhead: 'never',
      ...options,
      platform: {
        navigator,
        BroadcastChannel: BroadcastChannel as unknown as typeof globalThis.BroadcastChannel,
        location: { origin: new URL(page).origin, href: page } as Location,
        document: { baseURI: page, visibilityState: 'visible', cookie: '' } as Document,
        fetch: async (input, init) => {
          sent.push(new Request(new URL(String(input instanceof Request ? input.url : input), page), init))
          return new Response('{}', { status: 401 })
        },
      },
    })
    onTestFinished(session.dispose)
    return { session, sent }
  }
  return { values, locked, channels, open }
}

/** The key under which a session of this backend is stored. */
const keyOf = async (backend: Backend, page?: string, options?: Partial<SessionOptions>): Promise<string> => {
  const { values, open } = createOrigin()
  const { session } = open(backend, page, options)
  await session.signIn({ accessToken: 'secret', refreshToken: 'secret' })
  expect(values.size).toBe(1)
  return [...values.keys()][0]!
}

const refreshedAt = (refreshUrl: string) => bearer({ refreshUrl })

test('an app of another server does not begin as the user of the first, and sends it none of its tokens', async () => {
  const { values, locked, channels, open } = createOrigin()
  const { session: first } = open(refreshedAt('/a/refresh'))
  await first.signIn({ accessToken: 'secret-access', refreshToken: 'secret-refresh', user: { name: 'Ann' } })
  const { session: other, sent } = open(refreshedAt('https://b.test/refresh'))
  expect(await other.ready()).toMatchObject({ status: 'unauthenticated', user: null })
  await other.fetch('https://b.test/items')
  expect(sent.map(({ headers }) => headers.get('authorization'))).toEqual([null])
  await other.signIn({ accessToken: 'other' })
  await other.signOut()
  expect(first.current.user).toEqual({ name: 'Ann' })
  await first.refresh()
  expect(values.size).toBe(2)
  // Beside the lock of the session, each attempt holds one of its own.
  expect([...locked].filter((name) => !name.includes(':attempt:'))).toHaveLength(2)
  expect(channels.size).toBe(2)
  expect([...values.keys(), ...locked, ...channels].join()).not.toContain('secret')
  const { session: again } = open(refreshedAt('/a/refresh'))
  await again.ready()
  expect(again.current.reason).not.toBe('signed-in')
})

test('two pages of one app find one session, and a page that says the same in another way does so, too', async () => {
  const key = await keyOf(refreshedAt('/auth/refresh'), 'https://app.test/app1/')
  const pages = ['https://app.test/app1/deep/page?x=1#y', 'https://app.test/app2/', 'https://APP.test:443/']
  for (const page of pages) expect(await keyOf(refreshedAt('/auth/refresh'), page)).toBe(key)
  for (const same of ['https://app.test/auth/refresh', 'https://APP.test:443/auth/../auth/refresh#here'])
    expect(await keyOf(refreshedAt(same), 'https://app.test/elsewhere')).toBe(key)
})

test('an endpoint relative to the page is another one on another page', async () => {
  const [one, two] = ['https://app.test/app1/', 'https://app.test/app2/'] as const
  expect(await keyOf(refreshedAt('auth/refresh'), one)).not.toBe(await keyOf(refreshedAt('auth/refresh'), two))
  expect(await keyOf(refreshedAt('auth/refresh'), one)).toBe(await keyOf(refreshedAt('/app1/auth/refresh'), two))
})

test('a name tells two sessions of one server apart', async () => {
  const keys = await Promise.all(
    [undefined, 'default', 'admin'].map((name) =>
      keyOf(refreshedAt('/auth/refresh'), undefined, name === undefined ? {} : { name }),
    ),
  )
  expect(keys[1]).toBe(keys[0])
  expect(keys[2]).not.toBe(keys[0])
  expect(keys[2]).toContain('admin')
})

test('a release that adds a sign-out route of the same server signs nobody out; a server elsewhere is another', async () => {
  const key = await keyOf(bearer({ refreshUrl: '/auth/refresh' }))
  const more = { refreshUrl: '/auth/refresh', signOutUrl: '/auth/logout', userUrl: 'https://app.test/auth/user' }
  expect(await keyOf(bearer(more))).toBe(key)
  expect(await keyOf(bearer({ ...more, signOutUrl: 'https://b.test/auth/logout' }))).not.toBe(key)
})

// What the two projects of one developer have in common: names, the origin of the page, sometimes the host of the server.
test.each<[string, Backend, Backend]>([
  ['bearer', refreshedAt('https://a.test/refresh'), refreshedAt('https://b.test/refresh')],
  ['bearer by its path', refreshedAt('https://a.test/one/refresh'), refreshedAt('https://a.test/two/refresh')],
  ['bearer by a tenant in the query', refreshedAt('/refresh?tenant=a'), refreshedAt('/refresh?tenant=b')],
  [
    'oauth2 by its client id',
    oauth2({ tokenEndpoint: 'https://id.test/token', clientId: 'a' }),
    oauth2({ tokenEndpoint: 'https://id.test/token', clientId: 'b' }),
  ],
  [
    'oauth2 by its endpoint',
    oauth2({ tokenEndpoint: 'https://id.test/a/token', clientId: 'a' }),
    oauth2({ tokenEndpoint: 'https://id.test/b/token', clientId: 'a' }),
  ],
  ['cookie', cookie({ sessionUrl: '/a/session' }), cookie({ sessionUrl: '/b/session' })],
  ['authjs', authjs(), authjs({ baseUrl: '/app2/api/auth' })],
  ['better-auth', betterAuth({ bearer: true }), betterAuth({ bearer: true, baseUrl: 'https://b.test/api/auth' })],
  ['roq', roq(), roq({ baseUrl: '/app2/api/auth' })],
  ['clerk', clerk({ frontendApi: 'https://clerk.a.test' }), clerk({ frontendApi: 'https://clerk.b.test' })],
  ['supertokens', supertokens(), supertokens({ baseUrl: '/other' })],
  ['supertokens, legacy', supertokensLegacy({ refreshUrl: '/a' }), supertokensLegacy({ refreshUrl: '/b' })],
  [
    'workos by its client id',
    workos({ clientId: 'client_1' }) as unknown as Backend,
    workos({ clientId: 'client_2' }) as unknown as Backend,
  ],
  [
    'workos by its route',
    workosRoute({ refreshUrl: '/a' }) as unknown as Backend,
    workosRoute({ refreshUrl: '/b' }) as unknown as Backend,
  ],
  ['a backend that says who it is', ...(['a', 'b'].map((identity) => mine({ identity })) as [Backend, Backend])],
  ['a backend by its name', mine({ name: 'a' }), mine({ name: 'b' })],
  ['a backend by its origins', mine({ origins: ['https://a.test'] }), mine({ origins: ['https://b.test'] })],
])('%s: two servers, two sessions', async (_, one, two) => {
  const key = await keyOf(one)
  expect(await keyOf(one)).toBe(key)
  expect(await keyOf(two)).not.toBe(key)
})

function mine(parts: Partial<Backend>): Backend {
  return defineBackend({ refresh: async () => null, ...parts })
}
