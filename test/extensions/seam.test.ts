// What an extension may do, and what it can't: whatever it says, the core still checks the session, the body and the number of
// sends.

import {
  createSession,
  defineBackend,
  type Extension,
  type ExtensionHooks,
  InvalidOptionError,
  type SessionOptions,
} from 'resesh'
import { stepUp } from 'resesh/step-up'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { bearerBackend, jwt, setup, settled, thrownBy, url } from '../support/session.ts'

const extension = (name: string, hooks: ExtensionHooks): Extension => ({ name, setup: () => hooks })

/** Signed in, over a transport that answers as the test says; every sending is noted. */
const answering = async (options: Partial<SessionOptions>, answer: (nth: number, request: Request) => Response) => {
  const sent: Request[] = []
  const session = createSession({
    backend: defineBackend({ refresh: async () => ({ accessToken: `token ${sent.length}`.replace(' ', '-') }) }),
    initial: { accessToken: 'first', refreshToken: 'r' },
    origins: [url('')],
    ...options,
    platform: {
      fetch: async (...args) => {
        const request = new Request(...args)
        sent.push(request)
        return answer(sent.length, request)
      },
    },
  })
  onTestFinished(session.dispose)
  await session.ready()
  const tokens = () => sent.map(({ headers }) => headers.get('authorization'))
  return { session, sent, tokens }
}

const refused = (nth: number) => new Response(null, { status: nth === 1 ? 401 : 200 })

describe('a verdict', () => {
  test('replay sends the same request again, without a refresh', async () => {
    const refresh = vi.fn(async () => ({ accessToken: 'second' }))
    const nonce = extension('nonce', { judge: ({ response }) => (response.status === 401 ? 'replay' : undefined) })
    const { session, sent, tokens } = await answering({ backend: defineBackend({ refresh }), use: [nonce] }, refused)
    const response = await session.fetch(url('/api'), { method: 'POST', body: 'all of it', headers: { 'x-a': 'b' } })
    expect(response.status).toBe(200)
    expect(refresh).not.toHaveBeenCalled()
    expect(tokens()).toEqual(['Bearer first', 'Bearer first'])
    expect(await Promise.all(sent.map((request) => request.text()))).toEqual(['all of it', 'all of it'])
    expect(sent.map(({ headers }) => headers.get('x-a'))).toEqual(['b', 'b'])
  })

  test('refresh renews the session first, whatever isExpired would say', async () => {
    const odd = extension('odd', { judge: ({ response }) => (response.status === 418 ? 'refresh' : undefined) })
    const { session, tokens } = await answering(
      { use: [odd] },
      (nth) => new Response(null, { status: nth === 1 ? 418 : 200 }),
    )
    expect((await session.fetch(url('/api'))).status).toBe(200)
    expect(tokens()[0]).toBe('Bearer first')
    expect(tokens()[1]).not.toBe('Bearer first')
  })

  test('deliver hands a 401 to its caller, without a refresh', async () => {
    const refresh = vi.fn(async () => ({ accessToken: 'second' }))
    const mine = extension('mine', { judge: () => 'deliver' })
    const { session, sent } = await answering({ backend: defineBackend({ refresh }), use: [mine] }, refused)
    expect((await session.fetch(url('/api'))).status).toBe(401)
    expect([sent.length, refresh.mock.calls.length]).toEqual([1, 0])
  })

  test('of the first extension in the list that has one counts, and those of the backend come last', async () => {
    const asked: string[] = []
    const says = (name: string, verdict?: 'deliver' | 'replay') =>
      extension(name, {
        judge() {
          asked.push(name)
          return verdict
        },
      })
    const backend = { ...bearerBackend(), use: [says('backend', 'replay')] }
    const { session } = await answering({ backend, use: [says('one'), says('two', 'deliver'), says('three')] }, refused)
    expect((await session.fetch(url('/api'))).status).toBe(401)
    expect(asked).toEqual(['one', 'two'])
    asked.length = 0
    const silent = await answering({ backend, use: [says('one')] }, refused)
    expect((await silent.session.fetch(url('/api'))).status).toBe(200)
    expect(asked).toEqual(['one', 'backend', 'one', 'backend', 'one', 'backend'])
  })

  test('may come later: the request waits for it', async () => {
    const later = extension('later', {
      judge: async ({ response }) => {
        await settled()
        return response.status === 401 ? 'replay' : undefined
      },
    })
    const { session, sent } = await answering({ use: [later] }, refused)
    expect((await session.fetch(url('/api'))).status).toBe(200)
    expect(sent).toHaveLength(2)
  })
})

describe('an extension can’t break a promise', () => {
  const always = extension('always', { judge: () => 'replay' })

  test('a request is sent three times at most', async () => {
    const { session, sent } = await answering({ use: [always] }, () => new Response(null, { status: 500 }))
    expect((await session.fetch(url('/api'))).status).toBe(500)
    expect(sent).toHaveLength(3)
  })

  test('a request of one user is never sent as another', async () => {
    let word!: (verdict: 'replay') => void
    const slow = extension('slow', { judge: () => new Promise<'replay'>((resolve) => (word = resolve)) })
    const { session, sent } = await answering({ use: [slow] }, refused)
    const response = thrownBy(session.fetch(url('/api')))
    await vi.waitUntil(() => word)
    await session.signIn({ accessToken: jwt({ sub: 'bob' }) })
    word('replay')
    expect(await response).toMatchObject({ code: 'ERR_SESSION_ENDED', reason: 'signed-in' })
    expect(sent).toHaveLength(1)
  })

  test('a sign-out frees a request that waits for one, and it is not sent again', async () => {
    const slow = extension('slow', { judge: () => new Promise(() => {}) })
    const { session, sent } = await answering({ use: [slow] }, refused)
    const response = thrownBy(session.fetch(url('/api')))
    await vi.waitUntil(() => sent.length === 1)
    await session.signOut()
    expect(await response).toMatchObject({ code: 'ERR_SESSION_ENDED' })
    expect(sent).toHaveLength(1)
  })

  test('an abort frees its caller', async () => {
    const slow = extension('slow', { judge: () => new Promise(() => {}) })
    const { session, sent } = await answering({ use: [slow] }, refused)
    const caller = new AbortController()
    const response = thrownBy(session.fetch(url('/api'), { signal: caller.signal }))
    await vi.waitUntil(() => sent.length === 1)
    caller.abort('gone')
    expect(await response).toBe('gone')
  })

  test('it hears of no request to a stranger, and none that asked for plain fetch', async () => {
    const heard: string[] = []
    const note = ({ request }: { request: { url: string } }) => void heard.push(request.url)
    const nosy = extension('nosy', {
      judge: note,
      observe: note,
      served: note,
    })
    const { session } = await answering({ use: [nosy] }, () => new Response())
    await session.fetch('https://elsewhere.test/')
    await session.fetch(url('/plain'), { session: false })
    expect(heard).toEqual([])
    await session.fetch(url('/mine'))
    expect(heard).toEqual([url('/mine'), url('/mine'), url('/mine')])
  })

  test('it does not judge the refusal of credentials that the caller brought', async () => {
    const { session, sent } = await answering({ use: [always] }, refused)
    const headers = { authorization: 'Bearer of-the-callers-own' }
    expect((await session.fetch(url('/api'), { headers })).status).toBe(401)
    expect(sent).toHaveLength(1)
  })
})

describe('an extension that throws', () => {
  const broken = (hooks: ExtensionHooks) => extension('broken', hooks)
  const boom = () => {
    throw new Error('boom')
  }

  test.each([
    ['judge', { judge: boom }],
    ['judge, later', { judge: async () => boom() }],
    ['observe', { observe: boom }],
    ['observe, later', { observe: async () => boom() }],
    ['served', { served: boom }],
    ['served, later', { served: async () => boom() }],
  ] as [string, ExtensionHooks][])('in %s has said nothing, and one error tells of it', async (_, hooks) => {
    const { session, sent } = await answering({ use: [broken(hooks)] }, refused)
    const errors: unknown[] = []
    session.on('error', ({ error }) => errors.push(error))
    expect((await session.fetch(url('/api'))).status).toBe(200)
    expect((await session.fetch(url('/api'))).status).toBe(200)
    expect(sent).toHaveLength(3)
    expect(errors).toMatchObject([{ code: 'ERR_CALLBACK', cause: { message: 'boom' } }])
    expect(String(errors[0])).toContain('broken() threw: boom')
  })

  test('as it is set up stops createSession', () => {
    const bad: Extension = { name: 'bad', setup: boom }
    expect(() => createSession({ backend: bearerBackend(), use: [bad] })).toThrow('boom')
  })
})

test('the same name twice is an InvalidOptionError', () => {
  const [one, other] = [extension('same', {}), extension('same', {})]
  expect(() => createSession({ backend: bearerBackend(), use: [one, other] })).toThrow(InvalidOptionError)
  expect(() => createSession({ backend: { ...bearerBackend(), use: [one] }, use: [other] })).toThrow('has same twice')
})

test('what is asked for and not loaded names its import', async () => {
  const { session } = await setup({ backend: { ...bearerBackend(), token: async () => null, mints: ['resource'] } })
  expect(await thrownBy(session.getToken({ resource: 'https://a.test' }))).toMatchObject({
    code: 'ERR_INVALID_OPTION',
    message: "resource needs `use: [sideTokens()]`, from 'resesh/side-tokens'",
  })
})

test('code of the app never runs under the lock: a handler may refresh, fetch and ask for a token', async () => {
  let isMet = false
  const challenge = 'Bearer error="insufficient_user_authentication"'
  const { session } = await answering(
    {
      use: [
        stepUp(async () => {
          await session.refresh()
          await session.getToken({ skipCache: true })
          await session.fetch(url('/second-factor'))
          isMet = true
          return true
        }),
      ],
    },
    (_, { url: asked }) =>
      isMet || asked.endsWith('second-factor')
        ? new Response()
        : new Response(null, { status: 401, headers: { 'www-authenticate': challenge } }),
  )
  expect((await session.fetch(url('/transfers'))).status).toBe(200)
})
