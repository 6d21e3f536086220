// Code that the session itself waits for goes through the session's own fetch: a login function, a backend, what it attaches.
// None of it is held by what waits for it.

import {
  type Backend,
  createSession,
  type Credentials,
  defineBackend,
  memory,
  RefreshFailedError,
  type Session,
} from 'resesh'
import { installFetch } from 'resesh/install-fetch'
import { refreshAfter } from 'resesh/refresh-after'
import { describe, expect, onTestFinished, test } from 'vitest'
import { cookieBackend, createClock, settled, setup, thrownBy, url } from '../support/session.ts'

/** Answers at once, or fails the test: a clock that stands still makes whatever waits for a timer hang. */
const atOnce = async <T>(work: Promise<T>): Promise<T> => {
  const late = settled()
    .then(() => settled())
    .then(() => expect.unreachable('it waits'))
  return Promise.race([work, late])
}

/** Nothing is handed to the page. */
const unknown = { initial: undefined } as unknown as { initial: null }

const signInAgain = { accessToken: 'next', refreshToken: 'r' }

describe('a login function', () => {
  const ways: [state: string, start: () => ReturnType<typeof setup>][] = [
    ['with nobody signed in', () => setup({ initial: null }, { clock: createClock() })],
    ['while the token is good', () => setup({}, { clock: createClock() })],
    [
      'with a token that is known to be dead',
      async () => {
        const clock = createClock()
        const state = await setup({ refreshAhead: 'never' }, { clock })
        await clock.pass(3_600_000)
        return state
      },
    ],
    [
      'with a token that the server refuses',
      async () => {
        const state = await setup({}, { clock: createClock() })
        state.server.expireAccessTokens()
        return state
      },
    ],
    [
      'while it is unknown who is signed in',
      () => setup({ ...unknown, backend: cookieBackend() }, { clock: createClock() }),
    ],
  ]

  test.each(ways)('%s: its requests are answered, a wrong password with its 401', async (_, start) => {
    const { session } = await start()
    const statuses: number[] = []
    await atOnce(
      session.signIn(async () => {
        statuses.push((await session.fetch(url('/auth/login'), { method: 'POST' })).status)
        await Promise.resolve()
        statuses.push((await session.fetch(url('/api/refused'))).status)
        return signInAgain
      }),
    )
    expect(statuses[0]).toBeGreaterThanOrEqual(400)
    expect(statuses[1]).toBe(401)
    expect(session.current.status).toBe('authenticated')
  })

  test.each([
    ['getToken', ({ getToken }: Session) => getToken({ skipCache: true })],
    ['refresh', ({ refresh }: Session) => refresh()],
    ['reload', ({ reload }: Session) => reload()],
  ])('%s in it fails at once, and says why', async (name, ask) => {
    const { session } = await setup({}, { clock: createClock() })
    let error: unknown
    await atOnce(
      session.signIn(async () => {
        error = await thrownBy(ask(session))
        return signInAgain
      }),
    )
    expect(error).toBeInstanceOf(RefreshFailedError)
    expect(String(error)).toContain(`${name}: `)
    expect(String(error)).toContain('login function')
  })

  test('getToken in it gives a token that is good', async () => {
    const { session } = await setup({}, { clock: createClock() })
    const held = await session.getToken()
    let token: unknown
    await atOnce(session.signIn(async () => ((token = await session.getToken()), signInAgain)))
    expect(token).toBe(held)
  })

  test('ready() in it fails at once while nothing is known', async () => {
    // The restore is not asked for before the clock moves.
    const { session } = await setup({ ...unknown, backend: cookieBackend() }, { clock: createClock() })
    let error: unknown
    await atOnce(
      session.signIn(async () => {
        error = await thrownBy(session.ready())
        return signInAgain
      }),
    )
    expect(String(error)).toContain('login function')
  })

  test('signOut in it does not wait for it', async () => {
    const { session } = await setup({}, { clock: createClock() })
    const work = session.signIn(async () => {
      await session.signOut()
      return signInAgain
    })
    expect((await atOnce(work)).status).toBe('authenticated')
  })

  test('a refresh that its answer asks for is made once it is done', async () => {
    const use = [refreshAfter([{ path: '/api/echo', method: 'POST', action: 'refresh', wait: true }])]
    const { session, server } = await setup({ use }, { clock: createClock() })
    await atOnce(
      session
        .signIn(async () => {
          await session.fetch(url('/api/echo'), { method: 'POST' })
        })
        .catch(() => {}),
    )
    await settled()
    expect(server.stats.refreshes).toBe(1)
  })

  test('a request that began before it still waits for its refresh', async () => {
    const { session, server, wire } = await setup({}, { clock: createClock() })
    server.expireAccessTokens()
    const gate = wire.hold('/api/me')
    const request = session.fetch(url('/api/me'))
    await gate.arrived
    const failing = session.signIn(async () => {
      gate.release()
      await settled()
      throw new Error('wrong password')
    })
    await expect(failing).rejects.toThrow('wrong password')
    expect((await request).status).toBe(200)
  })
})

describe('a backend', () => {
  type Make = (ask: typeof fetch) => Partial<Backend> & Pick<Backend, 'refresh'>

  const page = async (make: Make, initial?: Credentials | null) => {
    const clock = createClock()
    const sent: [path: string, authorization: string | null][] = []
    const target = {
      fetch: async (input: RequestInfo | URL, init?: RequestInit) => {
        const request = new Request(input, init)
        const { pathname } = new URL(request.url)
        const authorization = request.headers.get('authorization')
        sent.push([pathname, authorization])
        if (pathname !== '/api' || authorization === 'Bearer new') return Response.json({ accessToken: 'new' })
        return new Response(null, { status: 401 })
      },
    }
    const session: Session = createSession({
      backend: defineBackend(make((...args) => target.fetch(...args))),
      ...(initial !== undefined && { initial }),
      origins: [url('')],
      storage: memory(),
      platform: { ...clock.platform, fetch: (...args: Parameters<typeof fetch>) => target.fetch(...args) },
    })
    onTestFinished(session.dispose)
    installFetch(session, target)
    return { session, sent, clock }
  }

  const old = { accessToken: 'old', refreshToken: 'r', expiresInSeconds: 60 }

  test('whose refresh goes through the patched fetch is served, plainly', async () => {
    const { session, sent } = await page(
      (ask) => ({
        refresh: async () => (await ask(url('/refresh'), { method: 'POST' })).json(),
      }),
      old,
    )
    expect((await atOnce(session.fetch(url('/api')))).status).toBe(200)
    expect(sent).toEqual([
      ['/api', 'Bearer old'],
      ['/refresh', null],
      ['/api', 'Bearer new'],
    ])
  })

  test('whose refresh is refused there knows it, and the session is over', async () => {
    const { session } = await page(
      (ask) => ({
        refresh: async () => ((await ask(url('/api'))).status === 401 ? null : {}),
      }),
      old,
    )
    expect((await atOnce(session.fetch(url('/api')))).status).toBe(401)
    expect(session.current.status).toBe('unauthenticated')
  })

  test('whose restore goes through the patched fetch is served', async () => {
    const { session, clock } = await page((ask) => ({
      refresh: async () => null,
      restore: async () => (await ask(url('/session'))).json(),
    }))
    await clock.pass(1)
    expect((await atOnce(session.ready())).status).toBe('authenticated')
  })

  test('that owns its endpoints may ask whenever it likes', async () => {
    const { session } = await page(
      (ask) => ({
        owns: (place) => place.endsWith('/refresh'),
        async refresh() {
          await Promise.resolve()
          return (await ask(url('/refresh'), { method: 'POST' })).json()
        },
      }),
      { ...old, expiresInSeconds: 0.001 },
    )
    expect((await atOnce(session.fetch(url('/api')))).status).toBe(200)
  })

  test('whose attach goes through the session is served, without what it attaches', async () => {
    const { session, sent } = await page(
      (ask) => ({
        refresh: async () => null,
        async attach(headers) {
          await ask(url('/csrf'))
          headers.set('authorization', 'Bearer new')
        },
      }),
      old,
    )
    expect((await atOnce(session.fetch(url('/api')))).status).toBe(200)
    expect(sent.map(([path]) => path)).toEqual(['/csrf', '/api'])
  })

  test('whose attach asks for the token gets one', async () => {
    const state: { session?: Session } = {}
    const { session } = await page(
      (ask) => ({
        refresh: async () => (await ask(url('/refresh'))).json(),
        async attach(headers) {
          headers.set('authorization', `Bearer ${await state.session!.getToken({ skipCache: true })}`)
        },
      }),
      old,
    )
    state.session = session
    expect((await atOnce(session.fetch(url('/api')))).status).toBe(200)
  })

  test.each([
    ['getToken', ({ getToken }: Session) => getToken({ skipCache: true })],
    ['refresh', ({ refresh }: Session) => refresh()],
  ])('that calls %s from its refresh fails at once, and the message says so', async (_, ask) => {
    const state: { session?: Session } = {}
    const { session } = await page(
      () => ({
        async refresh() {
          await ask(state.session!)
          return {}
        },
      }),
      old,
    )
    state.session = session
    const error = await thrownBy(atOnce(session.refresh()))
    expect(String(error)).toContain('the backend is being called')
  })

  test('that waits for a request it began later is told what to do, in time', async () => {
    const { session, clock } = await page(
      (ask) => ({
        async refresh() {
          await Promise.resolve()
          return (await ask(url('/api'))).json()
        },
      }),
      { ...old, expiresInSeconds: 0.001 },
    )
    await clock.pass(10)
    const failed = thrownBy(session.fetch(url('/api')))
    await clock.pass(10_000)
    expect(String(await failed)).toMatch(/io\.fetch.*owns/)
  })
})

test('a listener may call whatever it likes', async () => {
  const { session } = await setup({}, { clock: createClock() })
  const asked: Promise<unknown>[] = []
  session.on('change', () => {
    if (asked.length) return
    asked.push(session.fetch(url('/api/me')), session.getToken({ skipCache: true }), session.refresh())
  })
  await atOnce(session.reload())
  await atOnce(Promise.all(asked))
})
