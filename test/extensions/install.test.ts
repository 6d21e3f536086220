// The opt-in patch of a page's fetch, among others who patch it too.

import { createSession as createAlone, defineBackend, memory } from 'resesh'
import { installFetch } from 'resesh/install-fetch'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { bearerBackend, createWire, fetchOf, login, setup, url } from '../support/session.ts'

type Fetch = typeof fetch

/** A page with a fetch of its own, a session that reaches the same server, and a wrapper that counts. */
const page = async () => {
  const state = await setup()
  const below = createWire(fetchOf(state.server))
  const target = { fetch: below.fetch }
  const wrap = () => {
    const { fetch } = target
    const wrapper = { calls: 0, undo: () => void (target.fetch = fetch) }
    target.fetch = (...args) => {
      wrapper.calls++
      return fetch(...args)
    }
    return wrapper
  }
  return { ...state, below, target, native: target.fetch, wrap }
}

const isOurs = async (fetch: Fetch) => (await fetch(url('/api/me'))).status === 200

test('nothing is patched by itself', async () => {
  const { target, native } = await page()
  expect(target.fetch).toBe(native)
})

test('an installed session carries what others send', async () => {
  const { session, target, server } = await page()
  installFetch(session, target)
  server.expireAccessTokens()
  expect(await isOurs(target.fetch)).toBe(true)
  expect(server.stats.refreshes).toBe(1)
})

test('an installed session sends through what it found, once per sending', async () => {
  const { session, target, below, wire } = await page()
  installFetch(session, target)
  await target.fetch(url('/api/me'))
  await session.fetch(url('/api/me'))
  expect(below.sent).toHaveLength(2)
  expect(wire.sent).toEqual([])
})

test('undone, the target has its own fetch back', async () => {
  const { session, target, native } = await page()
  installFetch(session, target)()
  expect(target.fetch).toBe(native)
})

test('undone, the session itself still works', async () => {
  const { session, target, wire } = await page()
  installFetch(session, target)()
  expect(await isOurs(session.fetch)).toBe(true)
  expect(wire.sent).toHaveLength(1)
})

test('installed twice it is installed once', async () => {
  const { session, target, below, native } = await page()
  const undo = installFetch(session, target)
  expect(installFetch(session, target)).toBe(undo)
  await target.fetch(url('/api/me'))
  expect(below.sent).toHaveLength(1)
  undo()
  expect(target.fetch).toBe(native)
})

test('undone twice it does not undo another who came after', async () => {
  const { session, target, wrap } = await page()
  const undo = installFetch(session, target)
  undo()
  wrap()
  const { fetch } = target
  undo()
  expect(target.fetch).toBe(fetch)
})

test('a wrapper that came before is kept and called', async () => {
  const { session, target, wrap } = await page()
  const first = wrap()
  installFetch(session, target)
  expect(await isOurs(target.fetch)).toBe(true)
  expect(first.calls).toBe(1)
})

test('a wrapper that came after is kept when the session is undone, and gets through to the plain fetch', async () => {
  const { session, target, wrap, below } = await page()
  const undo = installFetch(session, target)
  const second = wrap()
  undo()
  expect(await isOurs(target.fetch)).toBe(false)
  expect(second.calls).toBe(1)
  expect(below.sent).toHaveLength(1)
})

test('a wrapper that came after may go first', async () => {
  const { session, target, wrap, native } = await page()
  const undo = installFetch(session, target)
  const second = wrap()
  second.undo()
  expect(await isOurs(target.fetch)).toBe(true)
  undo()
  expect(target.fetch).toBe(native)
})

test('a wrapper that restores what it found after the session was undone brings no dead session back', async () => {
  const { session, target, wrap } = await page()
  const undo = installFetch(session, target)
  const second = wrap()
  undo()
  second.undo() // puts our patch back, which is off now
  expect(await isOurs(target.fetch)).toBe(false)
})

test('installed again after another wrapper, it does not run in a circle', async () => {
  const { session, target, wrap, below } = await page()
  installFetch(session, target)()
  wrap()
  installFetch(session, target)
  expect(await isOurs(target.fetch)).toBe(true)
  expect(below.sent).toHaveLength(1)
})

test('dispose takes the patch back', async () => {
  const { session, target, native } = await page()
  installFetch(session, target)
  session.dispose()
  expect(target.fetch).toBe(native)
})

test('two sessions over each other each carry their own origins', async () => {
  const { session, target, below } = await page()
  const other = await setup({ name: 'other', origins: ['https://other.test'] })
  installFetch(session, target)
  installFetch(other.session, target)
  await target.fetch(url('/api/me'))
  const [sent] = below.sent
  expect(below.sent).toHaveLength(1)
  expect(sent!.headers.get('authorization')).toBe(`Bearer ${await session.getToken()}`)
})

test('by default it is the global fetch that is patched', async () => {
  const state = await setup()
  const globe = { fetch: state.wire.fetch } as typeof globalThis
  const { session } = await setup({ platform: { globalThis: globe } })
  const undo = installFetch(session)
  expect(globe.fetch).not.toBe(state.wire.fetch)
  undo()
  expect(globe.fetch).toBe(state.wire.fetch)
})

test("the backend's own calls do not come back in through the patch", async () => {
  const { session, target, below } = await page()
  installFetch(session, target)
  await session.refresh()
  expect(below.sent.map(({ path }) => path)).toEqual(['/auth/refresh'])
})

describe('beside another copy of the SDK', () => {
  /** As a second bundle, or a module that was reloaded: nothing of it is shared with the first. */
  const copy = async () => {
    vi.resetModules()
    const { createSession } = await import('resesh')
    const { bearer } = await import('resesh/backends/bearer')
    return { createSession, bearer }
  }

  /** On one page: a session, and another of a second copy, with a token of its own. Both can be patched over each other. */
  const pages = async (expired = true) => {
    const { session, server, target, below, native, wrap } = await page()
    const { createSession, bearer } = await copy()
    const other = createSession({
      name: 'other',
      backend: bearer({ refreshUrl: url('/auth/refresh') }),
      initial: await login(server),
      platform: {
        globalThis: target as typeof globalThis,
        get fetch() {
          return target.fetch // as a page's own: whatever is patched over it
        },
      },
    })
    onTestFinished(other.dispose)
    if (expired) server.expireAccessTokens()
    const tokens = () => below.sent.map(({ headers }) => headers.get('authorization'))
    return { session, other, server, target, below, native, wrap, tokens }
  }

  test('it is another copy', async () => {
    const first = await copy()
    const second = await copy()
    expect(first.createSession).not.toBe(second.createSession)
  })

  test('a request is the business of the last one only', async () => {
    const { session, other, server, target, below, tokens } = await pages()
    installFetch(session, target)
    installFetch(other, target)
    expect(await isOurs(target.fetch)).toBe(true)
    expect(below.sent.map(({ path }) => path)).toEqual(['/api/me', '/auth/refresh', '/api/me'])
    expect(tokens().at(-1)).toBe(`Bearer ${await other.getToken()}`)
    expect(server.stats.refreshes).toBe(1)
  })

  /** Signed in by cookie, so that nothing in a request says whose it is. */
  const withCookie = async (count: number) => {
    const { server, target, below, native } = await page()
    const undos: (() => void)[] = []
    for (let nth = 0; nth < count; nth++) {
      const { createSession } = await copy()
      const { cookie } = await import('resesh/backends/cookie')
      const urls = { sessionUrl: url('/bff/session'), refreshUrl: url('/bff/refresh'), headers: { 'x-bff': '1' } }
      const session = createSession({ backend: cookie(urls), initial: {}, storage: memory() })
      onTestFinished(session.dispose)
      undos.push(installFetch(session, target))
    }
    await native(url('/bff/login'), {
      method: 'POST',
      headers: { 'x-bff': '1', 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'ann', password: 'secret' }),
    })
    server.knobs.bffSilentRefresh = false
    server.expireAccessTokens()
    return { server, target, below, native, undos }
  }

  test.each([
    ['two copies', 2],
    ['a module that was reloaded in place, ten times', 10],
  ])('%s: each request is refreshed by one', async (_, count) => {
    const { server, target, below, native, undos } = await withCookie(count)
    expect(await isOurs(target.fetch)).toBe(true)
    expect(below.to('/api/me')).toHaveLength(2)
    expect((await target.fetch(url('/api/refused'))).status).toBe(401)
    expect(below.to('/api/refused')).toHaveLength(2)
    expect(server.stats.refreshes).toBe(2)
    undos.toReversed().forEach((undo) => undo())
    expect(target.fetch).toBe(native)
  })

  test('what is none of its business is still the business of the first', async () => {
    const { session, target, below } = await page()
    const { createSession } = await copy()
    const other = createSession({
      name: 'other',
      backend: defineBackend({ refresh: async () => null }),
      initial: { accessToken: 'of-other' },
      origins: ['https://other.test'],
    })
    onTestFinished(other.dispose)
    installFetch(session, target)
    installFetch(other, target)
    await target.fetch(url('/api/me'))
    expect(below.sent[0]!.headers.get('authorization')).toBe(`Bearer ${await session.getToken()}`)
  })

  test('a request that asks for plain fetch gets it from both', async () => {
    const { session, other, target, below, tokens } = await pages()
    installFetch(session, target)
    installFetch(other, target)
    expect((await target.fetch(url('/api/me'), { session: false } as RequestInit)).status).toBe(401)
    expect(tokens()).toEqual([null])
    expect(below.sent).toHaveLength(1)
  })

  test("its refresh does not go through the first one's patch", async () => {
    const { session, other, target, below } = await pages()
    installFetch(session, target)
    await other.refresh()
    expect(below.sent.map(({ path, headers }) => [path, headers.get('authorization')])).toEqual([
      ['/auth/refresh', null],
    ])
  })

  const orders = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ]
  test.each(orders.flatMap((comes) => orders.map((goes) => [comes, goes])))(
    'two copies and a wrapper that come as %s and go as %s: always sent once, with one token at most, and none in the end',
    async (comes, goes) => {
      const { session, other, target, wrap, below, tokens } = await pages(false)
      const comers = [() => installFetch(session, target), () => wrap().undo, () => installFetch(other, target)]
      const undos: (() => void)[] = []
      const ours = await Promise.all([session, other].map(async ({ getToken }) => `Bearer ${await getToken()}`))
      let calls = 0
      const call = async () => {
        const { status } = await target.fetch(url('/api/me'))
        expect(below.sent).toHaveLength(++calls)
        const token = tokens().at(-1) ?? null
        expect(status).toBe(token ? 200 : 401)
        return token
      }
      for (const nth of comes) {
        undos[nth] = comers[nth]!()
        await call()
      }
      expect(ours).toContain(await call())
      for (const nth of goes) {
        undos[nth]!()
        expect([...ours, null]).toContain(await call())
        for (const { fetch } of [session, other]) {
          expect((await fetch(url('/api/me'))).status).toBe(200)
          calls = below.sent.length
        }
      }
      expect(await call()).toBe(null)
    },
  )
})

test('two targets, one of them undone: the other goes on over the fetch it had', async () => {
  const window = { fetch: async () => new Response('of the page') } as unknown as typeof globalThis
  const frame = { fetch: async () => new Response('of the frame') }
  const platform = {
    get fetch() {
      return window.fetch
    },
  }
  const session = createAlone({ backend: bearerBackend(), initial: null, platform })
  onTestFinished(session.dispose)
  installFetch(session, window)
  installFetch(session, frame)()
  expect(await (await window.fetch(url('/api'))).text()).toBe('of the page')
})

test('undone twice, with a new patch in between: that one stays the only one', async () => {
  const window = { fetch: async () => new Response('of the page') } as unknown as typeof globalThis
  const session = createAlone({ backend: bearerBackend(), initial: null, platform: {} })
  onTestFinished(session.dispose)
  const undo = installFetch(session, window)
  undo()
  installFetch(session, window)
  undo()
  installFetch(session, window)
  expect(await (await window.fetch(url('/api'))).text()).toBe('of the page')
})
