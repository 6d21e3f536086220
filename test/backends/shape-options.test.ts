// What the options of `bearer` forbid, and the answers of a login that no table of shapes shows.

import { createSession, InvalidOptionError, InvalidTokenError, type Json, memory, SignInRefusedError } from 'resesh'
import { bearer, type BearerOptions } from 'resesh/backends/bearer'
import { sharedKey } from '../../src/runtime/shared-key.ts'
import { expect, onTestFinished, test } from 'vitest'
import { cookieBackend, createClock, thrownBy, url } from '../support/session.ts'

const refreshUrl = url('/refresh')

const over = (
  options: Partial<BearerOptions> = {},
  answer: (request: Request) => Response = () => new Response(null, { status: 500 }),
) => {
  const sent: Request[] = []
  const session = createSession({
    backend: bearer({ refreshUrl, ...options }),
    initial: null,
    platform: {
      fetch: async (input, init) => {
        const request = new Request(input, init)
        sent.push(request.clone())
        return answer(request)
      },
    },
  })
  onTestFinished(session.dispose)
  return { session, sent }
}

test.each<[option: string, options: object, message: string]>([
  ['an unknown option', { refreshUrl, acepts: [] }, 'acepts is no option of bearer: did you mean accepts?'],
  [
    'an unknown name',
    { refreshUrl, answer: { accesToken: 'x' } },
    'answer.accesToken is no option of bearer: did you mean answer.accessToken?',
  ],
  ['a GET with the token in its body', { refreshUrl, method: 'GET' }, 'method GET has no body'],
  ['a GET with a body', { refreshUrl, method: 'GET', refreshTokenIn: 'cookie', body: {} }, 'method GET has no body'],
  ['a sign-out by GET', { refreshUrl, signOut: { method: 'GET' } }, 'signOut.method GET has no body'],
  ['no URL at all', {}, 'refreshUrl is missing'],
])('%s is refused at once', (_, options, message) => {
  expect(() => bearer(options as never)).toThrow(InvalidOptionError)
  expect(() => bearer(options as never)).toThrow(message)
})

test('signIn takes JSON in the words of the server, and in those of the SDK', async () => {
  const { session } = over({
    answer: { accessToken: 'data.access', refreshToken: 'data.refresh', expiresInMs: 'life' },
  })
  await session.signIn({ data: { access: 'a1', refresh: 'r1' }, life: 60_000 } as Json)
  expect(await session.getToken()).toBe('a1')
  expect(session.current.expiresAt).toBeGreaterThan(Date.now() + 50_000)
  await session.signIn({ accessToken: 'a2', refreshToken: 'r2', expiresInSeconds: 120, user: { id: 2 } })
  expect(await session.getToken()).toBe('a2')
  expect(session.current.user).toEqual({ id: 2 })
  expect(session.current.expiresAt).toBeGreaterThan(Date.now() + 110_000)
  await session.signIn({ accessToken: 'a3', refreshToken: 'r3', expiresIn: 300 } as Json)
  expect(session.current.expiresAt).toBeGreaterThan(Date.now() + 290_000)
})

test('a response tells the time of the server, by which its date is read', async () => {
  const clock = createClock(Date.UTC(2020, 0, 1))
  const session = createSession({ backend: bearer({ refreshUrl }), initial: null, platform: clock.platform })
  onTestFinished(session.dispose)
  const json = { accessToken: 'opaque', refreshToken: 'r', expiresAt: '2026-01-01T00:10:00Z' }
  const headers = { date: new Date(Date.UTC(2026, 0, 1)).toUTCString() }
  const signing = session.signIn(Response.json(json, { headers }))
  expect((await signing).expiresAt).toBe(clock.now() + 600_000)
})

test.each<[what: string, json: object, message: string]>([
  ['a token under another name', { acces_token: 'canary' }, '(it has acces_token; is it "acces_token"?)'],
  [
    'a refresh token under another name',
    { accessToken: 'a', refresh_token: 'canary' },
    'the answer has no "refreshToken" (it has accessToken, refresh_token; is it "refresh_token"?)',
  ],
  ['nothing', {}, 'nothing'],
])('an answer with %s signs nobody in, and says what it has', async (_, json, message) => {
  const { session } = over()
  for (const from of [json, Response.json(json), async () => json, async () => Response.json(json)]) {
    const error = (await thrownBy(session.signIn(from))) as Error
    expect(error).toBeInstanceOf(InvalidTokenError)
    expect(error.message).toContain(message)
    expect(error.message).toContain('Nobody was signed in')
    expect(error.message).not.toContain('canary')
  }
  expect(session.current.status).toBe('unauthenticated')
})

test.each([400, 401, 422, 500])('a login that is answered %d is refused, for every backend', async (status) => {
  for (const backend of [bearer({ refreshUrl }), cookieBackend()]) {
    const session = createSession({ backend, initial: { accessToken: 'old', refreshToken: 'r' }, storage: memory() })
    onTestFinished(session.dispose)
    const response = Response.json({ accessToken: 'new', errors: ['locked'] }, { status })
    for (const from of [response, async () => response]) {
      const error = (await thrownBy(session.signIn(from))) as SignInRefusedError
      expect(error).toMatchObject({ code: 'ERR_SIGN_IN_REFUSED', refusal: response })
      expect(error.refusal!.bodyUsed).toBe(false)
      expect(session.current).toMatchObject({ status: 'authenticated' })
      expect(await session.getToken()).toBe('old')
    }
  }
})

test('a login that is refused within a 200 is told by the rule for a refresh', async () => {
  const { session } = over({ isRefused: ({ success }) => success === false })
  const response = Response.json({ success: false })
  expect(await thrownBy(session.signIn(response))).toMatchObject({ code: 'ERR_SIGN_IN_REFUSED', refusal: response })
  expect(await response.json()).toEqual({ success: false })
  expect(await thrownBy(session.signIn({ success: false, accessToken: 'a' } as Json))).toBeInstanceOf(
    SignInRefusedError,
  )
  expect(session.current.status).toBe('unauthenticated')
})

test('a token in a header of the login, and no refresh at all, as with Rails and devise-jwt', async () => {
  const { session, sent } = over(
    {
      refreshUrl: null,
      signOutUrl: url('/users/sign_out'),
      signOut: { method: 'DELETE' },
      read: (_, response) => ({ accessToken: response?.headers.get('authorization')?.slice(7) }),
    },
    () => new Response(null, { status: 401 }),
  )
  await session.signIn(new Response(null, { headers: { authorization: 'Bearer abc' } }))
  expect(await session.getToken()).toBe('abc')
  await session.signOut()
  expect(sent.map(({ method, headers }) => [method, headers.get('authorization')])).toEqual([['DELETE', 'Bearer abc']])
  await session.signIn(new Response('{"user":1}', { headers: { authorization: 'Bearer abc' } }))
  expect((await session.fetch(url('/api'))).status).toBe(401)
  expect(session.current).toMatchObject({ status: 'unauthenticated', reason: 'expired' })
  expect(sent).toHaveLength(2)
})

test('body and headers know what is wanted, and what the app declares is taken', async () => {
  const { session, sent } = over(
    {
      accepts: ['organizationId'],
      body: ({ wanted, credentials }) => ({ tenant: wanted.organizationId, old: credentials?.accessToken }),
      headers: ({ wanted }) => ({ 'x-reason': wanted.reason }),
      answer: { organizationId: 'tenant' },
    },
    () => Response.json({ accessToken: 'next', tenant: 'acme' }),
  )
  await session.signIn({ accessToken: 'first', refreshToken: 'r' })
  expect((await session.refresh({ organizationId: 'acme' })).organizationId).toBe('acme')
  expect(await sent[0]!.json()).toEqual({ refreshToken: 'r', tenant: 'acme', old: 'first' })
  expect(sent[0]!.headers.get('x-reason')).toBe('switch')
  expect(await thrownBy(session.refresh({ data: { a: 1 } }))).toMatchObject({ option: 'data' })
  expect(sent).toHaveLength(1)
})

test('two apps of one server that tell themselves apart in the body have a session each', () => {
  const keyOf = (body: object) =>
    sharedKey('default', bearer({ refreshUrl: 'https://idp.example.test/', body: { ...body } }), undefined)
  expect(keyOf({ ClientId: 'a' })).not.toBe(keyOf({ ClientId: 'b' }))
  expect(keyOf({ client_id: 'a', mode: 'json' })).toBe(keyOf({ client_id: 'a' }))
  expect(bearer({ refreshUrl: null }).identity).toBeUndefined()
})

test.each<[method: string, path: string, isHeld: boolean]>([
  ['POST', '/session', false],
  ['DELETE', '/session', false],
  ['PATCH', '/session', true],
  ['GET', '/session', true],
  ['GET', '/me', true],
  ['PATCH', '/me', true],
])('%s %s on a dead token; held: %s', async (method, path, isHeld) => {
  const { session, sent } = over(
    {
      refreshUrl: url('/session'),
      signOutUrl: url('/session'),
      signOut: { method: 'DELETE' },
      userUrl: url('/me'),
    },
    ({ headers, url: to, method: how }) => {
      if (to.endsWith('/session') && how === 'POST') return Response.json({ accessToken: 'new' })
      return new Response(null, { status: headers.get('authorization') === 'Bearer new' ? 200 : 401 })
    },
  )
  await session.signIn({ accessToken: 'old', refreshToken: 'r' })
  const { status } = await session.fetch(url(path), { method })
  expect(status).toBe(isHeld || method === 'POST' ? 200 : 401)
  expect(sent.filter((each) => each.method === method && each.url === url(path))).toHaveLength(isHeld ? 2 : 1)
})
