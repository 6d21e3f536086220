// Answers to a refresh and to a login that nobody expects: what they mean, and that nothing is lost by them.

import { createSession, InvalidTokenError, type Json, RefreshFailedError, type Session } from 'resesh'
import { bearer, type BearerOptions } from 'resesh/backends/bearer'
import { betterAuth } from 'resesh/backends/better-auth'
import { cookie } from 'resesh/backends/cookie'
import { oauth2 } from 'resesh/backends/oauth2'
import { supertokens } from 'resesh/backends/supertokens'
import { workos } from 'resesh/backends/workos'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { jwt, thrownBy, url } from '../support/session.ts'

const backends = {
  bearer: (options: Partial<BearerOptions> = {}) => bearer({ refreshUrl: url('/refresh'), ...options }),
  oauth2: () => oauth2({ tokenEndpoint: url('/token'), clientId: 'spa' }),
  workos: () => workos({ clientId: 'client_1', devMode: true }),
  'better-auth': () => betterAuth({ baseUrl: url('/auth'), bearer: true }),
  supertokens: () => supertokens({ baseUrl: url('/auth'), mode: 'header' }),
}

const over = (backend: object, answer: () => Response, initial: object | null = null): Session => {
  const session = createSession({ backend: backend as never, initial, platform: { fetch: async () => answer() } })
  onTestFinished(session.dispose)
  return session
}

const held = { accessToken: 'old', refreshToken: 'r', user: { id: 1 } }
const refreshed = async (answer: () => Response, options: Partial<BearerOptions> = {}) => {
  const session = over(backends.bearer(options), answer, held)
  return {
    session,
    error: await session.refresh().then(
      () => null,
      (thrown: unknown) => thrown,
    ),
  }
}
const said = (json: unknown) => () => Response.json(json)

afterEach(() => vi.unstubAllEnvs())

test.each<[what: string, answer: () => Response]>([
  ['a list', said([])],
  ['a list of tokens', said([{ accessToken: 'new' }])],
  ['null', said(null)],
  ['a text', said('new')],
  ['a number', said(5)],
  ['nothing', () => new Response('')],
  ['204', () => new Response(null, { status: 204 })],
  ['2 MB', said({ accessToken: 'new', more: 'x'.repeat(2 ** 21) })],
  ['an error within a 200', said({ error: 'invalid_grant' })],
  ['a token that is a number', said({ accessToken: 123 })],
  ['a token that is an object', said({ accessToken: { value: 'new' } })],
  ['a token with a space within', said({ accessToken: 'a b' })],
  ['a token with a newline within', said({ accessToken: 'a\nb' })],
  ['a refresh token with a space within', said({ accessToken: 'new', refreshToken: 'a b' })],
  ...[402, 404, 409, 410, 419, 422, 429, 440, 498, 500].map((status): [string, () => Response] => [
    `${status}, with a token`,
    () => Response.json({ accessToken: 'new' }, { status }),
  ]),
])('a refresh that is answered with %s is no refresh: the session is kept, with its token', async (_, answer) => {
  const { session, error } = await refreshed(answer)
  expect(error).toBeInstanceOf(RefreshFailedError)
  expect((error as Error).message).toContain('The session is kept')
  expect([session.current.status, session.current.user, await session.getToken()]).toEqual([
    'authenticated',
    { id: 1 },
    'old',
  ])
})

test.each([400, 401, 403])('%d is the end, whatever its body is', async (status) => {
  for (const body of ['', '[]', '"expired"', 'null', '{"accessToken":"new"}', '<p>no</p>']) {
    const { session } = await refreshed(() => new Response(body, { status }))
    expect(session.current).toMatchObject({ status: 'unauthenticated', reason: 'expired' })
  }
})

test.each<[what: string, token: string]>([
  ['the whole value of the header', 'Bearer new'],
  ['in lower case', 'bearer new'],
  ['a newline behind it', 'new\n'],
])('a token with %s is taken', async (_, accessToken) => {
  expect(await (await refreshed(said({ accessToken }))).session.getToken()).toBe('new')
})

test('what a server writes as null is left out', async () => {
  const { session } = await refreshed(said({ accessToken: 'new', refreshToken: null, user: null, expiresIn: null }))
  expect([session.current.user, session.current.expiresAt]).toEqual([{ id: 1 }, null])
  expect((await session.refresh()).status).toBe('authenticated') // the refresh token is still there
})

test('an answer for another user keeps nothing of the first', async () => {
  const { session } = await refreshed(said({ accessToken: 'new', refreshToken: 'r2', user: { id: 2 } }))
  expect(session.current.user).toEqual({ id: 2 })
})

test('an organization that is a number is a text', async () => {
  const { session } = await refreshed(said({ accessToken: 'new', tenant: 5 }), { answer: { organizationId: 'tenant' } })
  expect(session.current.organizationId).toBe('5')
})

test.each<[what: string, lifetime: Json, seconds: number | null]>([
  ['a number in a text', { expiresIn: '900' }, 900],
  ['as RFC 6749 has it', { expires_in: 900 }, 900],
  ['the own name first', { expiresIn: 60, expires_in: 900 }, 60],
  ['a time span in words', { expiresIn: '15m' }, null],
  ['true', { expiresIn: true }, null],
  ['a list', { expiresIn: [5] }, null],
  ['an object', { expiresIn: {} }, null],
  ['nothing', { expiresIn: '' }, null],
  ['zero', { expiresIn: 0 }, null],
  ['less than nothing', { expiresIn: -1 }, null],
  ['for ever', { expiresIn: '1e999' }, null],
])('a lifetime: %s', async (_, lifetime, seconds) => {
  const { session } = await refreshed(said({ accessToken: 'opaque', ...lifetime }))
  const { expiresAt } = session.current
  if (seconds === null) return expect(expiresAt).toBeNull()
  return expect(Math.abs(expiresAt! - Date.now() - seconds * 1000)).toBeLessThan(5000)
})

const WHEN = Date.UTC(2030, 0, 1, 0, 10)
test.each<[what: string, expiresAt: unknown, isRead: boolean]>([
  ['ISO 8601', '2030-01-01T00:10:00Z', true],
  ['with an offset', '2030-01-01T02:10:00+02:00', true],
  ['without a zone, as Python', '2030-01-01T00:10:00.000000', true],
  ['without a zone, as SQL', '2030-01-01 00:10:00', true],
  ['without seconds', '2030-01-01T00:10', true],
  ['as HTTP', 'Tue, 01 Jan 2030 00:10:00 GMT', true],
  ['seconds', WHEN / 1000, true],
  ['seconds in a text', String(WHEN / 1000), true],
  ['ms', WHEN, true],
  ['µs', WHEN * 1e3, true],
  ['ns', WHEN * 1e6, true],
  ['true', true, false],
  ['a list', [WHEN], false],
  ['an object', { seconds: WHEN / 1000 }, false],
  ['a word', 'never', false],
  ['nothing', ' ', false],
  ['zero', 0, false],
  ['less than nothing', '-5', false],
  ['infinity', 'Infinity', false],
])('a date: %s, wherever the user is', async (_, expiresAt, isRead) => {
  for (const zone of ['Asia/Tokyo', 'America/Los_Angeles']) {
    vi.stubEnv('TZ', zone)
    const date = new Date().toUTCString()
    const { session } = await refreshed(() =>
      Response.json({ accessToken: 'opaque', expiresAt }, { headers: { date } }),
    )
    const found = session.current.expiresAt
    if (isRead) expect(Math.abs(found! - WHEN)).toBeLessThan(5000)
    else expect(found).toBeNull()
  }
})

test('names that lead nowhere are missing, and read the rest', async () => {
  const answer = { accessToken: 'data.tokens.access', user: 'data.user.profile', expiresInMs: 'data.life.ms' }
  for (const data of [null, 'text', [], 5, {}, { tokens: null }]) {
    const { error } = await refreshed(said({ data }), { answer })
    expect(error).toMatchObject({ message: expect.stringContaining('no "data.tokens.access"') })
  }
  const { session } = await refreshed(said({ data: { tokens: { access: 'new' } } }), { answer })
  expect([await session.getToken(), session.current.user]).toEqual(['new', { id: 1 }])
})

test.each<[option: string, options: object, message: string]>([
  ['a place that there is not', { refreshTokenIn: 'cookies' }, 'refreshTokenIn must be one of body, header, cookie'],
  ['a format that there is not', { bodyFormat: 'urlencoded' }, 'bodyFormat must be one of json, form'],
  ['a method in lower case', { method: 'patch' }, 'method must be one of GET'],
  ['the same of the sign-out', { signOut: { method: 'delete' } }, 'signOut.method must be one of GET'],
  ['an unknown option of the sign-out', { signOut: { metod: 'GET' } }, 'did you mean signOut.method?'],
  ['one status', { isRefused: 401 }, 'isRefused must be a list of statuses'],
  ['statuses in texts', { isRefused: ['401'] }, 'isRefused must be a list of statuses'],
])('%s is refused at once', (_, options, message) => {
  expect(() => backends.bearer(options)).toThrow(message)
})

describe.each(Object.entries(backends))('%s: signIn', (name, create) => {
  test.each<[what: string, from: unknown]>([
    ['null', null],
    ['an empty text', ''],
    ['a token alone', 'token'],
    ['a list', []],
    ['a function that answers false', async () => false],
    ['a function that answers with a text', async () => 'token'],
    ['an error within a 200', () => Response.json({ error: 'locked', status: 'WRONG_CREDENTIALS_ERROR' })],
    ['null within a 200', () => Response.json(null)],
    ['a 204', () => new Response(null, { status: 204 })],
    ['a page', () => new Response('<p>', { headers: { 'content-type': 'text/html' } })],
    ['a promise of an error', Promise.resolve(Response.json({ error: 'locked' }))],
  ])('over %s signs nobody in, and nobody out', async (what, from) => {
    const session = over(create(), () => new Response(null, { status: 500 }), held)
    // WorkOS is asked, with what is held, where an answer says nothing at all.
    const isAsked = name === 'workos' && what === 'a 204'
    expect(await thrownBy(session.signIn(from as never))).toBeInstanceOf(
      isAsked ? RefreshFailedError : InvalidTokenError,
    )
    expect([session.current.status, await session.getToken()]).toEqual(['authenticated', 'old'])
  })

  test('takes what the login route answered: the response, a promise of it, a function', async () => {
    const accessToken = jwt({ sub: 'ann' })
    const front = btoa(JSON.stringify({ uid: 'ann', ate: Date.now() + 1e6, up: { sub: 'ann' } }))
    const bodies: Record<string, [body: object, headers?: HeadersInit]> = {
      bearer: [{ accessToken, refreshToken: 'r', user: { id: 'ann' } }],
      oauth2: [{ access_token: accessToken, token_type: 'Bearer', id_token: jwt({ sub: 'ann' }), expires_in: 60 }],
      workos: [{ access_token: accessToken, refresh_token: 'r', user: { id: 'ann' } }],
      'better-auth': [{ token: 'unsigned', user: { id: 'ann' } }, { 'set-auth-token': accessToken }],
      supertokens: [
        { status: 'OK' },
        { 'st-access-token': accessToken, 'st-refresh-token': 'r', 'front-token': front },
      ],
    }
    const answer = () => Response.json(bodies[name]![0], { headers: bodies[name]![1] ?? {} })
    for (const from of [answer(), Promise.resolve(answer()), () => Promise.resolve(answer())]) {
      const session = over(create(), () => new Response(null, { status: 500 }))
      const { status, user } = await session.signIn(from)
      expect([status, user?.['id'] ?? user?.['sub']]).toEqual(['authenticated', 'ann'])
      expect(await session.getToken()).toBe(accessToken)
    }
  })
})

test('with a cookie, a login that says nothing of the session is followed by a look; one that does is taken', async () => {
  for (const from of [{ ok: true }, { access_token: 'x' }, {}, Promise.resolve(undefined), [] as never]) {
    const session = over(cookie({ sessionUrl: url('/me') }), said({ user: { id: 'ann' } }))
    const signing = session.signIn(from)
    if (Array.isArray(from)) expect(await thrownBy(signing)).toBeInstanceOf(InvalidTokenError)
    else expect(await signing).toMatchObject({ status: 'authenticated', user: { id: 'ann' } })
  }
  const session = over(cookie({ sessionUrl: url('/me') }), () => new Response(null, { status: 500 }))
  expect((await session.signIn({ user: { id: 'bob' } })).user).toEqual({ id: 'bob' })
})

test('a login whose promise rejects leaves the session as it is', async () => {
  const session = over(backends.bearer(), () => new Response(), held)
  expect(await thrownBy(session.signIn(Promise.reject(new TypeError('fetch failed'))))).toBeInstanceOf(TypeError)
  expect(await session.getToken()).toBe('old')
})
