// Nonsense from the app, from its backend or from its server: a typed error or the documented fallback, never a hang or a loop.

import {
  createSession,
  type Credentials,
  defineBackend,
  InvalidOptionError,
  InvalidTokenError,
  RefreshFailedError,
  RefreshTimeoutError,
  type SessionOptions,
} from 'resesh'
import { bearer } from 'resesh/backends/bearer'
import { cookie } from 'resesh/backends/cookie'
import { clerk } from 'resesh/backends/clerk'
import { fromTokenResponse, oauth2 } from 'resesh/backends/oauth2'
import { supertokensLegacy } from 'resesh/backends/supertokens'
import { workos, workosRoute } from 'resesh/backends/workos'
import { expect, onTestFinished, test } from 'vitest'
import {
  bearerBackend,
  cookieBackend,
  createClock,
  createWire,
  jwt,
  login,
  oauth2Backend,
  settled,
  setup,
  sharedStorage,
  thrownBy,
  url,
} from '../support/session.ts'

const day = 86_400_000

const fits = defineBackend({ refresh: async () => null })

/** Its refreshes give this; the first token is good for 60 s. */
const answering = async (answer: unknown, options: Partial<SessionOptions> = {}) => {
  const clock = createClock()
  let refreshes = 0
  const backend = defineBackend({
    async refresh() {
      refreshes++
      return answer as Credentials
    },
  })
  const initial = { accessToken: 'first', expiresInSeconds: 60 }
  const fetch = async () => new Response('served')
  const state = await setup(
    { backend, initial, origins: [url('')], ...options, platform: { fetch, ...options.platform } },
    { clock },
  )
  return { ...state, clock, refreshes: () => refreshes }
}

test.each<[string, string, object]>([
  ['no backend', 'backend', {}],
  ['a backend that cannot refresh', 'backend', { backend: { name: 'a', attach() {} } }],
  ['a relative origin', 'origins', { backend: fits, origins: ['/api'] }],
  ['an origin with a path', 'origins', { backend: fits, origins: ['https://a.test/api'] }],
  ['a path that is not written as browsers do', 'origins', { backend: fits, origins: ['https://a.test/v1/../v2/'] }],
  ['an origin with a query', 'origins', { backend: fits, origins: ['https://a.test/?a/'] }],
  ['an origin with a user name', 'origins', { backend: fits, origins: ['https://ann@a.test/'] }],
  ['a host in place of an origin', 'origins', { backend: fits, origins: ['a.test'] }],
  ['a wildcard in place of an origin', 'origins', { backend: fits, origins: ['*'] }],
  ['a wildcard in an origin', 'origins', { backend: fits, origins: ['https://*.a.test'] }],
  ['an origin that stands alone', 'origins', { backend: fits, origins: 'https://a.test' }],
  ['a storage that there is not', 'storage', { backend: fits, storage: 'sessionStorage' }],
  ['a misspelt replay', 'replay', { backend: fits, replay: 'always' }],
  ['a refreshAhead that is no word', 'refreshAhead', { backend: fits, refreshAhead: true }],
  ['a status that is no list', 'isExpired', { backend: fits, isExpired: 419 }],
  ['the origin that all sandboxed pages share', 'origins', { backend: fits, origins: ['null'] }],
  ['a negative leeway', 'leeway', { backend: fits, leeway: -1 }],
  ['a timeout that is not a number', 'timeout', { backend: fits, timeout: NaN }],
  ['a timeout without an end', 'timeout', { backend: fits, timeout: Infinity }],
  ['a negative replay window', 'replayWindow', { backend: fits, replayWindow: -1 }],
  // oxlint-disable-next-line unicorn/no-thenable
  ['a path that is none', 'refreshAfter', { backend: fits, refreshAfter: [{ path: 'me', then: 'reload' }] }],
])('%s is refused by the name of the option: %s', (_, option, options) => {
  const create = () => createSession(options as SessionOptions)
  expect(create).toThrow(InvalidOptionError)
  expect(create).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTION', option }))
})

test.each<[string, string, () => unknown]>([
  ['bearer', 'refreshUrl', () => bearer({ refreshURL: '/refresh' } as never)],
  ['bearer, without options', 'refreshUrl', () => bearer(undefined as never)],
  ['cookie', 'sessionUrl', () => cookie({} as never)],
  ['oauth2', 'clientId', () => oauth2({ tokenEndpoint: '/token' } as never)],
  ['workos', 'clientId', () => workos({} as never)],
  ['workosRoute', 'refreshUrl', () => workosRoute({} as never)],
  ['clerk', 'frontendApi', () => clerk({} as never)],
  ['supertokensLegacy', 'refreshUrl', () => supertokensLegacy({} as never)],
])('%s says that %s is missing', (_, option, create) => {
  expect(create).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTION', message: `${option} is missing` }))
})

test('an option that is undefined is left out', () => {
  const left = { origins: undefined, leeway: undefined, timeout: undefined, refreshAfter: undefined, name: undefined }
  expect(() => createSession({ backend: fits, ...left } as never).dispose()).not.toThrow()
})

test.each([-1, NaN])('a minValidity of %s is an invalid option', async (minValidity) => {
  const { session } = await setup()
  const error = await thrownBy(session.getToken({ minValidity }))
  expect(error).toBeInstanceOf(InvalidOptionError)
  expect((error as InvalidOptionError).option).toBe('minValidity')
})

test('a minValidity longer than any token lives does not refresh without an end', async () => {
  const { server, session } = await setup()
  await session.getToken({ minValidity: day })
  await session.getToken({ minValidity: day })
  expect(server.stats.refreshes).toBe(0)
})

test('a token that is no JWT is used as it is, and has no claims', async () => {
  const { server, session } = await setup({}, { knobs: { refreshFailures: ['opaque'] } })
  const state = await session.refresh()
  expect(state).toMatchObject({ status: 'authenticated', claims: null })
  expect((await session.fetch(url('/api/me'))).status).toBe(200)
  expect(server.stats.refreshes).toBe(1)
})

test.each(['a.b.c', '..', 'a..c', `x.${'!'.repeat(9)}.y`, `x.${Buffer.from('[1]').toString('base64url')}.y`, '🙂'])(
  'a token of the text %s never throws out of a getter',
  async (accessToken) => {
    const { session } = await setup({ initial: null })
    await session.signIn({ accessToken }).catch((error: unknown) => expect(error).toBeInstanceOf(InvalidTokenError))
    expect(session.current.claims === null || typeof session.current.claims === 'object').toBe(true)
  },
)

test('a payload that names __proto__ pollutes nothing', async () => {
  const payload = Buffer.from('{"__proto__":{"polluted":true},"sub":"a"}').toString('base64url')
  const { session } = await setup({ initial: { accessToken: `x.${payload}.y` } })
  expect(session.current.claims).toMatchObject({ sub: 'a' })
  expect({}).not.toHaveProperty('polluted')
})

test.each(['a\r\nx-evil: 1', 'a\0b', 'a b', 'tökén'])(
  'a login with the token %j is an InvalidTokenError',
  async (bad) => {
    const { session, states } = await setup()
    expect(await thrownBy(session.signIn({ accessToken: bad }))).toBeInstanceOf(InvalidTokenError)
    expect(states).toEqual([])
  },
)

test('credentials without a token are the backend’s own, at a login and after a refresh', async () => {
  const backend = defineBackend({
    attach: (headers, held) => headers.set('x-session', String(held?.data?.['id'])),
    refresh: async () => ({ data: { id: 'second' } }),
  })
  const wire = createWire(async () => new Response('served'))
  const { session } = await setup({ backend, initial: null, origins: [url('')], platform: { fetch: wire.fetch } })
  await session.signIn({ data: { id: 'first' } })
  await session.fetch(url('/api/me'))
  await session.refresh()
  await session.fetch(url('/api/me'))
  expect(wire.sent.map(({ headers }) => headers.get('x-session'))).toEqual(['first', 'second'])
})

test('a refresh that answers a token with control characters fails, and the session is kept', async () => {
  const { session, states } = await answering({ accessToken: 'a\r\nx-evil: 1' })
  const error = await thrownBy(session.refresh())
  expect(error).toBeInstanceOf(RefreshFailedError)
  expect((error as Error).cause).toBeInstanceOf(InvalidTokenError)
  expect(states).toEqual([])
})

test.each<[string, unknown]>([
  ['nothing', undefined],
  ['a number', 42],
  ['a text', 'text'],
  ['true', true],
  ['a list', []],
  ['an access token that is a number', { accessToken: 42 }],
  ['a refresh token that is a number', { refreshToken: 42 }],
])('a backend that answers %s has failed, and the session is kept', async (_, junk) => {
  const { session } = await answering(junk)
  expect(await thrownBy(session.refresh())).toBeInstanceOf(RefreshFailedError)
  expect(session.current.status).toBe('authenticated')
  expect(await session.getToken()).toBe('first')
})

test('a backend that throws before it returns a promise has failed, and the session is kept', async () => {
  const backend = defineBackend({
    refresh() {
      throw new Error('synchronous')
    },
  })
  const { session } = await setup({ backend, initial: { accessToken: 'first' } })
  expect(await thrownBy(session.refresh())).toMatchObject({
    code: 'ERR_REFRESH_FAILED',
    cause: new Error('synchronous'),
  })
  expect(session.current.status).toBe('authenticated')
})

test('a backend that throws what is no error has failed, and the session is kept', async () => {
  // oxlint-disable-next-line typescript/prefer-promise-reject-errors
  const backend = defineBackend({ refresh: () => Promise.reject<null>(undefined) })
  const { session } = await setup({ backend, initial: { accessToken: 'first' } })
  expect(await thrownBy(session.refresh())).toBeInstanceOf(RefreshFailedError)
  expect(session.current.status).toBe('authenticated')
})

test('a backend that never answers is a RefreshTimeoutError', async () => {
  const clock = createClock()
  const backend = defineBackend({ refresh: () => new Promise<null>(() => {}) })
  const { session } = await setup({ backend, initial: { accessToken: 'first' } }, { clock })
  const error = thrownBy(session.refresh())
  await clock.pass(10_000)
  expect(await error).toBeInstanceOf(RefreshTimeoutError)
})

test('a backend that never answers does not keep the next refresh from its turn', async () => {
  const clock = createClock()
  const answers = [new Promise<null>(() => {}), Promise.resolve({ accessToken: 'second' })]
  const backend = defineBackend({ refresh: () => answers.shift()! })
  const { session } = await setup({ backend, initial: { accessToken: 'first' } }, { clock })
  const error = thrownBy(session.refresh())
  await clock.pass(10_000)
  await error
  const next = session.refresh()
  await clock.pass(1_000)
  await next
  expect(await session.getToken()).toBe('second')
})

test('an answer of a refresh that goes on and on is read no further, and is a failure', async () => {
  const parts = ['{"accessToken":"', ...Array<string>(32).fill('a'.repeat(2 ** 20)), '"}']
  const endless = new ReadableStream({
    pull(controller) {
      controller.enqueue(new TextEncoder().encode(parts.shift()))
      if (!parts[0]) controller.close()
    },
  })
  const { session } = await setup({ platform: { fetch: async () => new Response(endless) } })
  expect(await thrownBy(session.refresh())).toBeInstanceOf(RefreshFailedError)
  expect(parts.length).toBeGreaterThan(24)
  expect(session.current.status).toBe('authenticated')
})

test('a page of HTML in place of the session leaves it unknown, not signed out', async () => {
  const clock = createClock()
  const wire = createWire(async () => new Response('<h1>Wi-Fi</h1>', { headers: { 'content-type': 'text/html' } }))
  const session = createSession({ backend: cookieBackend(), platform: { fetch: wire.fetch, ...clock.platform } })
  onTestFinished(session.dispose)
  await clock.pass(30_000)
  expect(session.current.status).toBe('loading')
  expect(wire.sent.length).toBeGreaterThan(1)
})

test('an access token that was dead on arrival is used until the server refuses it', async () => {
  const { server, session } = await setup({}, { knobs: { refreshFailures: ['past-exp'] } })
  await session.refresh()
  expect((await session.fetch(url('/api/me'))).status).toBe(200)
  expect(server.stats.refreshes).toBe(1)
})

test('an expiresAt that has passed does not refresh in a circle', async () => {
  const past = { accessToken: 'next', expiresAt: 1 }
  const { session, clock, refreshes } = await answering(past, { initial: past, refreshAhead: 'always' })
  await session.fetch(url('/api'))
  await clock.pass(day)
  expect(refreshes()).toBe(0)
})

test.each([undefined, NaN, -1, 0, '0', 'soon', null, 1e308, Infinity, -Infinity, {}])(
  'a lifetime of %s is none: used as it is, refreshed when refused',
  async (expiresInSeconds) => {
    const answer = { accessToken: 'next', expiresInSeconds }
    const { session, clock, refreshes } = await answering(answer, { refreshAhead: 'always' })
    await clock.pass(day)
    expect(refreshes()).toBe(1)
    expect((await session.fetch(url('/api'))).status).toBe(200)
    expect(session.current.expiresAt).toBeNull()
  },
)

test('a lifetime that is the text of a number counts as that number', async () => {
  const clock = createClock()
  const answer = { accessToken: 'next', expiresIn: '60' }
  const fetch = async () => Response.json(answer)
  const backend = bearer({ refreshUrl: url('/refresh') })
  const { session } = await setup({ backend, initial: { refreshToken: 'r' }, platform: { fetch } }, { clock })
  expect((await session.refresh()).expiresAt).toBe(clock.now() + 60_000)
})

test.each(['no-expiry', 'negative'] as const)(
  'over bearer a refresh with %s leaves the expiry unknown',
  async (shape) => {
    const { server, session } = await setup({}, { knobs: { refreshFailures: [shape] } })
    expect((await session.refresh()).expiresAt).toBeNull()
    expect((await session.fetch(url('/api/me'))).status).toBe(200)
    expect(server.stats.refreshes).toBe(1)
  },
)

test.each(['no-expiry', 'negative'] as const)(
  'over OAuth 2 a refresh with %s leaves the expiry unknown',
  async (shape) => {
    const { server, session } = await setup({ backend: oauth2Backend() }, { knobs: { refreshFailures: [shape] } })
    expect((await session.refresh()).expiresAt).toBeNull()
    expect((await session.fetch(url('/api/me'))).status).toBe(200)
    expect(server.stats.refreshes).toBe(1)
  },
)

test('a lifetime shorter than twice the leeway does not make every token spent', async () => {
  const clock = createClock()
  const { server, session } = await setup({}, { clock, knobs: { accessTokenLifeSeconds: 4 } })
  await session.fetch(url('/api/me'))
  await clock.pass(2_000)
  await session.fetch(url('/api/me'))
  expect(server.stats.refreshes).toBe(0)
})

test('a lifetime shorter than twice the leeway is refreshed ahead in step with it', async () => {
  const clock = createClock()
  const knobs = { accessTokenLifeSeconds: 4 }
  const { server } = await setup({ refreshAhead: 'always' }, { clock, knobs })
  await clock.pass(60_000)
  expect(server.stats.refreshes).toBeGreaterThanOrEqual(15)
  expect(server.stats.refreshes).toBeLessThanOrEqual(30)
})

test('a lifetime longer than a timer can hold is not refreshed at once', async () => {
  const month = { accessToken: 'next', expiresInSeconds: (30 * day) / 1000 }
  const { clock, refreshes } = await answering(month, { initial: month, refreshAhead: 'always' })
  await clock.pass(29 * day)
  expect(refreshes()).toBe(0)
  await clock.pass(day)
  expect(refreshes()).toBe(1)
})

test.each([1e9, 1e300, new Date(8.64e15).toUTCString()])(
  'a Retry-After of %s is cut down to minutes',
  async (retryAfter) => {
    const clock = createClock()
    const { server, session } = await setup({}, { clock, knobs: { refreshFailures: [{ status: 503, retryAfter }] } })
    await clock.pass(61_000)
    await session.getToken().catch(() => {})
    expect(session.current.stale).toBe(true)
    await clock.pass(250_000)
    expect(server.stats.refreshes).toBe(1)
    await clock.pass(350_000)
    expect(session.current.stale).toBe(false)
  },
)

test.each([-5, 'soon', '', 'NaN'])('a Retry-After of %j counts as none', async (retryAfter) => {
  const clock = createClock()
  const { session } = await setup({}, { clock, knobs: { refreshFailures: [{ status: 503, retryAfter }] } })
  await clock.pass(61_000)
  const response = session.fetch(url('/api/me'))
  await clock.pass(5_000)
  expect((await response).status).toBe(200)
})

test('a token response without an access token is a RefreshFailedError', () => {
  expect(() => fromTokenResponse({ token_type: 'Bearer' })).toThrow(RefreshFailedError)
})

test('an initial token that cannot stand in a header is refused before anything starts', () => {
  const backend = defineBackend({ refresh: async () => null })
  expect(() => createSession({ backend, initial: { accessToken: 'a\nb' } })).toThrow(InvalidTokenError)
})

test.each<[string, unknown]>([
  ['the JSON of a refusal', { error: 'wrong_password' }],
  ['another server’s names', { access_token: 'a', refresh_token: 'b' }],
  ['a token that is null', { accessToken: null }],
  ['a Response', new Response('{}')],
])('a login that gives %s signs nobody in', async (_, said) => {
  const { session, wire } = await setup({ initial: null })
  expect(await thrownBy(session.signIn(said as Credentials))).toBeInstanceOf(InvalidTokenError)
  expect(await thrownBy(session.signIn(async () => said as Credentials))).toBeInstanceOf(InvalidTokenError)
  expect(session.current.status).toBe('unauthenticated')
  expect(() => createSession({ backend: fits, initial: said as Credentials })).toThrow(InvalidTokenError)
  expect(wire.sent).toEqual([])
})

test('a refresh that brings no token has failed, and says so', async () => {
  const { session } = await answering({ access_token: 'other names' })
  expect(await thrownBy(session.refresh())).toMatchObject({
    code: 'ERR_REFRESH_FAILED',
    message: 'custom: a refresh without an accessToken',
  })
  expect(session.current).toMatchObject({ status: 'authenticated', reason: 'restored' })
})

test('a token of a megabyte is no reason to hang', async () => {
  const accessToken = jwt({ fill: 'a'.repeat(1_000_000) })
  const { session } = await setup({ initial: { accessToken } })
  expect(session.current.claims).toBeNull()
})

test('a session without a refresh token ends when its access token is refused', async () => {
  const { server, session } = await setup()
  const accessToken = (await session.getToken())!
  await session.signIn({ accessToken })
  server.expireAccessTokens()
  expect((await session.fetch(url('/api/me'))).status).toBe(401)
  expect(session.current).toMatchObject({ status: 'unauthenticated', reason: 'expired' })
})

test.each<[string, Partial<Credentials>]>([
  ['that live for a millisecond', { expiresInSeconds: 0.001 }],
  ['that all die at one time', { expiresAt: Date.UTC(2026, 0, 1) + 60_000 }],
])('tokens %s are not refreshed ahead in a circle', async (_, life) => {
  const token = { accessToken: 'next', ...life }
  const { clock, refreshes } = await answering(token, { initial: token, refreshAhead: 'always' })
  await clock.pass(5_000)
  expect(refreshes()).toBeLessThanOrEqual(5)
  await clock.pass(60_000)
  expect(refreshes()).toBeLessThanOrEqual(65)
})

test('a record that was cleared away, and begun anew by somebody else, is not read in a circle', async () => {
  const clock = createClock()
  const storage = sharedStorage()
  const { session, server } = await setup({ storage, refreshAhead: 'always' }, { clock })
  await session.signIn(await login(server))
  await session.signIn(await login(server))
  storage.text = null
  const two = await setup({ storage }, { clock, server })
  two.session.dispose()
  let reads = 0
  storage.getItem = async function () {
    if (++reads > 500) session.dispose()
    return this.text
  }
  await clock.pass(65_000)
  expect(reads).toBeLessThan(200)
})

test('a record that speaks of credentials which nobody has kept: a refresh says so', async () => {
  const storage = sharedStorage()
  const { session } = await setup({ storage })
  await session.refresh()
  storage.text = JSON.stringify({ ...JSON.parse(storage.text!), credentials: null })
  await expect(session.refresh()).rejects.toThrow('No credentials are stored')
})

test('a stored token that cannot stand in a header is nobody’s, and shows in no error', async () => {
  const storage = sharedStorage()
  const first = await setup({ storage })
  await first.session.refresh()
  first.session.dispose()
  const row = JSON.parse(storage.text!) as { credentials: Credentials }
  storage.text = JSON.stringify({ ...row, credentials: { ...row.credentials, accessToken: 'secret\nfragment' } })
  const platform = { fetch: async () => new Response('as nobody') }
  const again = createSession({ backend: bearerBackend(), storage, platform })
  onTestFinished(again.dispose)
  expect((await again.ready()).status).toBe('unauthenticated')
  expect(await (await again.fetch(url('/api/me'))).text()).toBe('as nobody')
})

test('a generation that no sign-in could be newer than is nobody’s', async () => {
  const storage = sharedStorage()
  const { session, server } = await setup({ storage })
  const { record } = JSON.parse(storage.text!)
  const version = { generation: Number.MAX_SAFE_INTEGER, revision: 0 }
  storage.text = JSON.stringify({ record: { ...record, version }, credentials: { accessToken: 'forged' } })
  await session.signIn(await login(server))
  await session.signOut()
  await session.signIn(await login(server))
  expect(session.current.status).toBe('authenticated')
  expect((await session.fetch(url('/api/me'))).status).toBe(200)
})

test('a page that was put away, disposed of and brought back: no request hangs', async () => {
  const away: ((event: Partial<PageTransitionEvent>) => void)[] = []
  const addEventListener = ((type: string, run: () => void) => type === 'pagehide' && away.push(run)) as never
  const { session } = await setup({ platform: { addEventListener } })
  for (const run of away) run({ type: 'pagehide', persisted: true })
  const request = session.fetch(url('/api/me'))
  session.dispose()
  await expect(request).rejects.toThrow('disposed')
})

test('a user that is no object is told from the next one', async () => {
  const { session } = await answering(null)
  for (const user of [1, 2, 'ann', 'bob', true] as never[]) {
    await session.signIn({ accessToken: 'a', user })
    expect(session.current.user).toBe(user)
  }
})

test('a cookie that is not encoded is copied as it is', async () => {
  const backend = cookie({ sessionUrl: url('/session'), csrf: { cookie: 'csrf', header: 'x-csrf' } })
  const document = { cookie: 'csrf=100%; csrf2=a', baseURI: url('/') } as Document
  const sent: (string | null)[] = []
  const fetch = async (_input: unknown, init?: RequestInit) => {
    sent.push(new Headers(init?.headers).get('x-csrf'))
    return new Response('served')
  }
  const { session } = await setup({ backend, initial: {}, platform: { document, fetch } })
  await session.fetch(url('/api'))
  expect(sent).toEqual(['100%'])
})

test('one too many while nobody knows who is signed in: nothing rejects behind anybody’s back', async () => {
  const clock = createClock()
  const backend = { ...fits, restore: () => new Promise<never>(() => {}) }
  const session = createSession({ backend, origins: [url('')], platform: clock.platform })
  onTestFinished(session.dispose)
  const unheard: unknown[] = []
  const hear = (reason: unknown) => unheard.push(reason)
  process.on('unhandledRejection', hear)
  onTestFinished(() => void process.off('unhandledRejection', hear))
  const all = Promise.allSettled(Array.from({ length: 10_001 }, () => session.fetch(url('/api'))))
  await clock.pass(10_001)
  expect((await all).at(-1)).toMatchObject({ reason: { code: 'ERR_QUEUE_FULL' } })
  await settled()
  expect(unheard).toEqual([])
})
