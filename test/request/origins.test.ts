// Where a token may go: the session's origins, and nowhere else.

import { createSession, defineBackend } from 'resesh'
import { installFetch } from 'resesh/install-fetch'
import { expect, onTestFinished, test } from 'vitest'
import { over } from '../support/answering.ts'
import { bearerBackend, url } from '../support/session.ts'

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
  installFetch(session, target)
  expect((target.fetch as typeof fetch)('https://other.test/')).toBe(promise)
})

test('a request to another origin is sent before fetch returns', async () => {
  const { session, calls } = await over()
  const response = session.fetch('https://other.test/')
  expect(calls).toHaveLength(1)
  await response
})
