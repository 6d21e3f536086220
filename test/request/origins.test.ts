// Where a token may go, and where it never turns up.

import { createSession, defineBackend, type Events, type SessionOptions } from 'resesh'
import { cookie } from 'resesh/backends/cookie'
import { expect, onTestFinished, test } from 'vitest'
import { createSampleServer } from '../servers/sample/server.ts'
import {
  bearerBackend,
  createClock,
  createWire,
  evenChance,
  fetchOf,
  login,
  settled,
  setup,
  thrownBy,
  url,
} from '../support/session.ts'

type Args = [input: RequestInfo | URL, init?: RequestInit]

/** Signed in, over a transport that answers everything and keeps its arguments. */
const over = async (
  answer: (token: string | null) => Response = () => new Response('served'),
  options: Partial<SessionOptions> = {},
) => {
  const calls: Args[] = []
  let refreshes = 0
  const backend = defineBackend({
    async refresh() {
      return { accessToken: `token-${++refreshes}` }
    },
  })
  const fetch = async (...args: Args) => {
    calls.push(args)
    return answer(new Headers(args[1]?.headers).get('authorization'))
  }
  const initial = { accessToken: 'token-0' }
  const { session } = await setup({
    backend,
    initial,
    origins: [url('')],
    ...options,
    platform: { fetch, ...options.platform },
  })
  const tokens = () => calls.map(([, init]) => new Headers(init?.headers).get('authorization'))
  return { session, calls, tokens, refreshes: () => refreshes }
}

const location = { href: 'https://api.example.test/app/', origin: 'https://api.example.test' } as Location

test.each([
  ['another origin', 'https://evil.test/'],
  ['a host that begins like ours', 'https://api.example.test.evil.test/'],
  ['a host that ends like ours', 'https://evil-api.example.test/'],
  ['a subdomain of ours', 'https://a.api.example.test/'],
  ['the domain above ours', 'https://example.test/'],
  ['another scheme', 'http://api.example.test/'],
  ['another port', 'https://api.example.test:8443/'],
  ['ours as a user name', 'https://api.example.test@evil.test/'],
  ['ours as user name and password', 'https://api.example.test:443@evil.test/'],
  ['ours as a path', 'https://evil.test/https://api.example.test/'],
  ['ours as a query', 'https://evil.test?https://api.example.test/'],
  ['ours as a fragment', 'https://evil.test#https://api.example.test/'],
  ['a URL without a scheme', '//evil.test/'],
  ['backslashes in place of slashes', '\\\\evil.test\\'],
  ['a slash and a backslash', '/\\evil.test/'],
  ['a tab between the slashes', '/\t/evil.test/'],
  ['a newline between the slashes', '/\n/evil.test/'],
  ['a tab inside the host', 'https://api.example.test\t.evil.test/'],
  ['a newline before the at sign', 'https://api.example.test\n@evil.test/'],
  ['a scheme with a tab inside', 'ht\ttps://evil.test/'],
  ['white space before it', ' \n https://evil.test/'],
  ['one slash after the scheme of another', 'http:/evil.test/'],
  ['three slashes', 'https:///evil.test/'],
  ['an upper-case scheme', 'HTTPS://evil.test/'],
  ['a dot at the end of our host', 'https://api.example.test./'],
  ['a full-width dot', 'https://api.example.test。evil.test/'],
  ['an IPv6 host', 'https://[::1]/'],
  ['a blob of ours', 'blob:https://api.example.test/5b6d'],
  ['data', 'data:text/plain,https://api.example.test/'],
  ['an extension', 'chrome-extension://api.example.test/'],
  ['nothing that is a URL', 'https://'],
])('no token goes to %s', async (_, input) => {
  const { session, calls, tokens } = await over(undefined, { platform: { location } })
  await session.fetch(input)
  expect(tokens()).toEqual([null])
  expect(calls[0]![0]).toBe(input)
})

test.each([
  ['a string', url('/a')],
  ['a URL', new URL(url('/a'))],
  ['a Request', new Request(url('/a'))],
  ['an upper-case scheme and host', 'HTTPS://API.EXAMPLE.TEST/a'],
  ['the default port', 'https://api.example.test:443/a'],
  ['a path', '/a'],
  ['a relative path', 'a?b#c'],
  ['a query', '?b'],
  ['white space around it', '  https://api.example.test/a '],
  ['a user name of its own', 'https://api.example.test\\@evil.test/'],
])('the token goes to the own origin given as %s', async (_, input) => {
  const { session, tokens } = await over(undefined, { platform: { location } })
  await session.fetch(input)
  expect(tokens()).toEqual(['Bearer token-0'])
})

test.each([
  ['below it', 'https://api.example.test/v1/a', true],
  ['its very beginning', '/v1/?a', true],
  ['relative, below it', '../v1/a', true],
  ['on a way that leads back to it', '/v2/../v1/a', true],
  ['beside it', '/v2/a', false],
  ['without the slash', '/v1', false],
  ['with a longer name', '/v1a', false],
  ['in other letters', '/V1/a', false],
  ['on a way out of it', '/v1/../v2', false],
  ['on a way out of it, in code', '/v1/%2E%2e/v2', false],
  ['on a way out of it, with backslashes', '/v1\\..\\v2', false],
  ['on a way out of it, with a tab', '/v1/.\t./v2', false],
  ['on another host', 'https://evil.test/v1/', false],
  ['in a query', '/?/v1/', false],
  ['of another origin on the list', 'https://other.test/', true],
])('where a path is allowed, the token goes there and not beside it: %s', async (_, input, isAllowed) => {
  const origins = ['https://api.example.test/v1/', 'https://other.test']
  const { session, calls, tokens } = await over(undefined, { origins, platform: { location } })
  await session.fetch('/v1/seen') // a look at the origin tells nothing about the path
  await session.fetch(input)
  expect(tokens().at(-1)).toBe(isAllowed ? 'Bearer token-0' : null)
  if (!isAllowed) expect(calls.at(-1)![0]).toBe(input)
})

test('a slash at the end of an origin changes nothing', async () => {
  const { session, tokens } = await over(undefined, { origins: [url('/')] })
  for (const path of ['', '/', '/a']) await session.fetch(url(path))
  expect(tokens()).toEqual(Array(3).fill('Bearer token-0'))
})

test('a look at one origin tells nothing about the next', async () => {
  const { session, tokens } = await over()
  for (const host of ['api.example.test', 'evil.test', 'api.example.test', 'evil.test'])
    await session.fetch(`https://${host}/`)
  expect(tokens().map(Boolean)).toEqual([true, false, true, false])
})

test('by default the token goes to the page and to the backend, and nowhere else', async () => {
  const tokens: (string | null)[] = []
  const session = createSession({
    backend: bearerBackend(),
    initial: { accessToken: 'token-0' },
    platform: {
      location: { href: 'https://page.test/', origin: 'https://page.test' } as Location,
      async fetch(_input, init) {
        tokens.push(new Headers(init?.headers).get('authorization'))
        return new Response()
      },
    },
  })
  onTestFinished(session.dispose)
  await session.fetch('/a')
  await session.fetch(url('/a'))
  await session.fetch('https://other.test/a')
  expect(tokens).toEqual(['Bearer token-0', 'Bearer token-0', null])
})

test('a 401 of another origin starts nothing and is handed back as it is', async () => {
  const answer = new Response(null, { status: 401 })
  const { session, calls, refreshes } = await over(() => answer)
  expect(await session.fetch('https://other.test/')).toBe(answer)
  expect(calls).toHaveLength(1)
  expect(refreshes()).toBe(0)
})

test('what a redirect to another origin answers starts nothing, and signs nobody in', async () => {
  const evil = { value: 'https://evil.test/' }
  const answer = Object.defineProperties(new Response(null, { status: 401 }), {
    url: evil,
    redirected: { value: true },
  })
  let seen = 0
  const backend = { ...defineBackend({ refresh: async () => null }), observe: () => void seen++ }
  const { session, calls } = await over(() => answer, { backend })
  expect(await session.fetch(url('/go'))).toBe(answer)
  expect([calls.length, seen, session.current.status]).toEqual([1, 0, 'authenticated'])
})

test('a request to another origin gets through with the same arguments', async () => {
  const { session, calls } = await over()
  const input = new URL('https://other.test/')
  const init = { method: 'POST', body: new FormData() }
  await session.fetch(input, init)
  expect(calls[0]![0]).toBe(input)
  expect(calls[0]![1]).toBe(init)
})

test('a request to another origin without options gets through without options', async () => {
  const { session, calls } = await over()
  await session.fetch('https://other.test/')
  expect(calls[0]![1]).toBeUndefined()
})

test('what comes of a request to another origin is the very promise that fetch gave', async () => {
  const promise = Promise.resolve(new Response())
  const { session } = await over(undefined, { platform: { fetch: () => promise } })
  const target = { fetch: () => promise }
  expect(session.fetch('https://other.test/')).toBe(promise)
  session.install(target)
  expect((target.fetch as typeof fetch)('https://other.test/')).toBe(promise)
})

test('a request to another origin is sent before fetch returns', async () => {
  const { session, calls } = await over()
  const response = session.fetch('https://other.test/')
  expect(calls).toHaveLength(1)
  await response
})

test('a request with a good token is sent before fetch returns', async () => {
  const { session, calls } = await over()
  const response = session.fetch(url('/a'))
  expect(calls).toHaveLength(1)
  await response
})

test('a response is the very one that fetch gave, its body unread', async () => {
  const answer = new Response('served')
  const { session } = await over(() => answer)
  const response = await session.fetch(url('/a'))
  expect(response).toBe(answer)
  expect(response.bodyUsed).toBe(false)
})

test("the caller's own headers object is not written to", async () => {
  const { session } = await over()
  const headers = new Headers()
  await session.fetch(url('/a'), { headers })
  expect([...headers]).toEqual([])
})

test("the caller's own Authorization is left alone, and its 401 handed back", async () => {
  const { session, tokens, refreshes } = await over(() => new Response(null, { status: 401 }))
  const response = await session.fetch(url('/a'), { headers: { authorization: 'Basic of-my-own' } })
  expect(response.status).toBe(401)
  expect(tokens()).toEqual(['Basic of-my-own'])
  expect(refreshes()).toBe(0)
})

test("the caller's own Authorization does not wait for a refresh", async () => {
  const clock = createClock()
  const { session, wire } = await setup({}, { clock })
  await clock.pass(61_000)
  const headers = { authorization: 'Basic of-my-own' }
  expect((await session.fetch(url('/api/me'), { headers })).status).toBe(401)
  expect(wire.sent).toHaveLength(1)
})

test("a caller's own Authorization that is an old token of ours is renewed", async () => {
  const { session, tokens } = await over()
  await session.refresh()
  await session.fetch(url('/a'), { headers: { authorization: 'Bearer token-0' } })
  expect(tokens()).toEqual(['Bearer token-1'])
})

test("a caller's own Authorization that is our token of now takes part in a refresh", async () => {
  const { session } = await over((token) => new Response(null, { status: token === 'Bearer token-1' ? 200 : 401 }))
  const headers = { authorization: `Bearer ${await session.getToken()}` }
  expect((await session.fetch(url('/a'), { headers })).status).toBe(200)
})

test('an old token of one user is not renewed into one of the next', async () => {
  const { session, tokens } = await over()
  await session.signIn({ accessToken: 'of-somebody-else' })
  await session.fetch(url('/a'), { headers: { authorization: 'Bearer token-0' } })
  expect(tokens()).toEqual(['Bearer token-0'])
})

test('the backend is handed the plain fetch: its calls are neither held nor given a token', async () => {
  const { session, tokens } = await over(undefined, {
    backend: defineBackend({
      async refresh(_credentials, { fetch }) {
        await fetch(url('/refresh'))
        return { accessToken: 'token-1' }
      },
    }),
  })
  await session.refresh()
  expect(tokens()).toEqual([null])
})

// Everything that can be read of a session from outside, while all goes wrong that can.
test('no token turns up in an error, a trace, a change or the state', async () => {
  const clock = createClock()
  const server = createSampleServer({ now: clock.now })
  const secrets = new Set<string>()
  const wire = createWire(fetchOf(server))
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const response = await wire.fetch(input, init)
    const said = await response.clone().text()
    for (const [, secret] of said.matchAll(/"(?:access|refresh)Token":"([^"]+)"/g)) secrets.add(secret!)
    return response
  }
  const credentials = await login(server)
  secrets.add(credentials.accessToken).add(credentials.refreshToken)
  const session = createSession({
    backend: bearerBackend(),
    initial: credentials,
    refreshAhead: 'always',
    platform: { ...clock.platform, fetch, Math: evenChance },
  })
  onTestFinished(session.dispose)
  const seen: unknown[] = []
  const look = (what: unknown) => {
    const { message, stack, cause, ...rest } = Object(what) as Error
    seen.push(message, stack, String(what), JSON.stringify(what), JSON.stringify(rest))
    if (cause) look(cause)
  }
  for (const name of ['change', 'error', 'step-up', 'trace'] as const)
    session.on(name, (event: Events[typeof name]) => {
      look(event)
      Object.values(event).forEach(look)
      if (name === 'change') throw new Error('broken listener')
    })
  const call = async (work: Promise<unknown>) => {
    void work.then((value) => look(value instanceof Response ? value.url : ''), look)
    await clock.pass(20_000)
  }

  for (const fault of [500, 503, 'drop-before', 'html', 'empty', 'opaque', 'past-exp'] as const) {
    server.knobs.refreshFailures = [fault]
    server.expireAccessTokens()
    await call(session.fetch(url('/api/me?q=1')))
    await call(session.refresh())
    await clock.pass(60_000)
  }
  const body = new Blob(['streamed']).stream()
  server.expireAccessTokens()
  await call(session.fetch(url('/api/echo'), { method: 'POST', body, duplex: 'half' } as RequestInit))
  await call(session.signIn({ accessToken: `${credentials.accessToken}\n` }))
  const refresh = wire.hold('/auth/refresh')
  server.expireAccessTokens()
  await call(session.fetch(url('/api/me')))
  refresh.release()
  await call(session.reload())
  await call(session.signOut())
  await call(session.refresh({ ensureSignedIn: true }))
  seen.push(JSON.stringify(session.current))

  const text = seen.join('\n')
  // The middle of a JWT is its claims, which a state may show; the signature and the random part of a refresh token may not.
  const parts = [...secrets].map((secret) => secret.split('.').at(-1)!)
  expect(parts.length).toBeGreaterThan(5)
  expect(seen.length).toBeGreaterThan(100)
  expect(parts.filter((part) => text.includes(part))).toEqual([])
})

test('a message names method and URL, without what was asked there', async () => {
  const clock = createClock()
  const backend = { ...defineBackend({ refresh: async () => null }), restore: () => new Promise<never>(() => {}) }
  const session = createSession({ backend, origins: [url('')], platform: clock.platform })
  onTestFinished(session.dispose)
  const error = thrownBy(session.fetch(url('/api/me?code=secret#secret'), { method: 'DELETE' }))
  await clock.pass(10_000)
  expect(String(await error)).toContain(`DELETE ${url('/api/me')}`)
  expect(String(await error)).not.toContain('secret')
})

test('no token that the app puts in a query turns up in a trace', async () => {
  const { session } = await over()
  const traces: unknown[] = []
  session.on('trace', (trace) => traces.push(trace))
  await session.fetch(url(`/events?access_token=${await session.getToken()}`))
  expect(traces).toContainEqual(expect.objectContaining({ type: 'send', url: url('/events') }))
  expect(JSON.stringify(traces)).not.toContain('token-0')
})

test('the request of a step-up shows the headers of its caller, not what was attached', async () => {
  const challenge = { 'www-authenticate': 'Bearer error="insufficient_user_authentication"' }
  const { session } = await over(() => new Response(null, { status: 401, headers: challenge }))
  const seen: [string, string][] = []
  session.on('step-up', ({ request, reject }) => {
    seen.push(...request.headers)
    reject()
  })
  await session.fetch(url('/a'), { headers: { 'x-a': 'b' } })
  expect(seen).toEqual([['x-a', 'b']])
})

test("a message about a backend's own call names no query", async () => {
  const answer = Object.defineProperty(new Response(null, { status: 500 }), 'url', { value: url('/s?key=secret') })
  const backend = cookie({ sessionUrl: url('/s?key=secret') })
  const { session } = await over(() => answer, { backend, initial: null })
  const error = await thrownBy(session.signIn())
  expect(String(error)).toContain(url('/s'))
  expect(String(error)).not.toContain('secret')
})

test('a session works where there is no page at all', async () => {
  const server = createSampleServer()
  const platform = {
    fetch: fetchOf(server),
    document: null,
    navigator: null,
    location: null,
    performance: null,
    addEventListener: null,
    localStorage: null,
    indexedDB: null,
    BroadcastChannel: null,
  }
  const session = createSession({ backend: bearerBackend(), platform })
  onTestFinished(session.dispose)
  expect((await session.ready()).status).toBe('unauthenticated')
  await session.signIn(await login(server))
  server.expireAccessTokens()
  expect((await session.fetch(url('/api/me'))).status).toBe(200)
  await session.signOut()
  expect(server.sessions).toBe(0)
})

test('making a session and taking it down touches nothing global', async () => {
  const names = () => Object.getOwnPropertyNames(globalThis).toSorted()
  const { fetch } = globalThis
  const before = names()
  const { session } = await over()
  await session.fetch(url('/a'))
  session.dispose()
  await settled()
  expect(names()).toEqual(before)
  expect(globalThis.fetch).toBe(fetch)
})

test('every method works without its session', async () => {
  const { session } = await over()
  const { fetch, getToken, refresh, reload, ready, signOut, on, subscribe } = session
  expect((await fetch(url('/a'))).status).toBe(200)
  expect(await getToken()).toBe('token-0')
  expect((await refresh()).status).toBe('authenticated')
  expect((await reload()).status).toBe('authenticated')
  expect((await ready()).status).toBe('authenticated')
  on('change', () => {})()
  subscribe(() => {})()
  expect((await signOut()).status).toBe('unauthenticated')
})

test('two sessions share nothing', async () => {
  const one = await over()
  const two = await over(undefined, { initial: { accessToken: 'of-two' }, name: 'two' })
  await one.session.refresh()
  expect(await two.session.getToken()).toBe('of-two')
})
