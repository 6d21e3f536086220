// Small inputs that must not get out of hand: an answer without end, a cookie that is no header, options of another type, a token
// that a handler has no business with.

import { inspect } from 'node:util'
import { format } from '@vitest/pretty-format'
import { type AnySessionError, createSession, InvalidOptionError, memory } from 'resesh'
import { bearer } from 'resesh/backends/bearer'
import { cookie } from 'resesh/backends/cookie'
import { signInRequired } from 'resesh/sign-in-required'
import { stepUp } from 'resesh/step-up'
import { expect, onTestFinished, test } from 'vitest'
import { over } from '../support/answering.ts'
import { bearerBackend, settled, setup, url } from '../support/session.ts'

test('cookie() reads no more of an endless answer than it may, from refreshUrl as from sessionUrl', async () => {
  let sent = 0
  const endless = () =>
    new Response(
      new ReadableStream({
        pull(controller) {
          sent += 2 ** 16
          if (sent > 2 ** 25) controller.error(new Error('read it all'))
          else controller.enqueue(new Uint8Array(2 ** 16).fill(32))
        },
      }),
    )
  for (const endlessUrl of ['/refresh', '/session']) {
    sent = 0
    const fetch = async (input: RequestInfo | URL) =>
      new Request(input).url.endsWith(endlessUrl) ? endless() : new Response('')
    const backend = cookie({ sessionUrl: url('/session'), refreshUrl: url('/refresh') })
    const { session } = await setup({ backend, initial: {}, platform: { fetch } })
    await expect(session.refresh()).rejects.toThrow('not with a JSON object')
    expect(sent).toBeLessThan(2 ** 22)
  }
})

test.each([
  ['%E2%9C%93', '%E2%9C%93'],
  ['a%0Ab', 'a%0Ab'],
  ['plain%20value', 'plain value'],
  ['%C3%BC', 'ü'],
])('a CSRF cookie %s is sent as %s', async (value, header) => {
  const sent: RequestInit[] = []
  const backend = cookie({ sessionUrl: url('/session'), csrf: { cookie: 'csrf', header: 'x-csrf' } })
  const { session } = await setup({
    backend,
    initial: { accessToken: 'a' },
    origins: [url('')],
    platform: {
      document: { cookie: `csrf=${value}` } as Document,
      fetch: async (_input, init) => (sent.push(init!), new Response('served')),
    },
  })
  expect(await (await session.fetch(url('/a'))).text()).toBe('served')
  const headers = new Headers(sent[0]!.headers)
  expect([headers.get('x-csrf'), headers.get('authorization'), sent[0]!.credentials]).toEqual([
    header,
    'Bearer a',
    'include',
  ])
})

test.each<[string, Record<string, unknown>]>([
  ['origins', { origins: [new URL('https://api.example.test')] }],
  ['origins', { origins: [() => true] }],
  ['origins', { origins: ['https://*.example.test'] }],
  ['origins', { origins: 'https://api.example.test' }],
  ['origins', { origins: [null] }],
  ['leeway', { leeway: '5' }],
  ['leeway', { leeway: NaN }],
  ['timeout', { timeout: new Date() }],
  ['replayWindow', { replayWindow: '1000' }],
])('the option %s of a wrong kind is an InvalidOptionError', (option, options) => {
  const make = () => createSession({ backend: bearerBackend(), storage: memory(), ...options })
  expect(make).toThrow(InvalidOptionError)
  expect(make).toThrow(option)
})

test.each([
  ['refreshUrl', () => bearer({ refreshUrl: new URL('https://a.test/r') as unknown as string })],
  ['sessionUrl', () => cookie({ sessionUrl: (() => '/s') as unknown as string })],
  ['signOutUrl', () => bearer({ refreshUrl: '/r', signOutUrl: new URL('https://a.test/o') as unknown as string })],
])('so is the %s of a backend', (option, make) => {
  expect(make).toThrow(InvalidOptionError)
  expect(make).toThrow(option)
})

test('no handler is shown a token of the session that the caller has set, not even once that is over', async () => {
  const shown: (string | null)[] = []
  const headers = { authorization: 'Bearer token-0', 'x-own': 'kept' }
  const demand = new Response(null, {
    status: 401,
    headers: { 'www-authenticate': 'Bearer error="insufficient_user_authentication"' },
  })
  const asked = await over(() => demand, {
    use: [
      stepUp(({ request }) => (shown.push(request.headers.get('authorization'), request.headers.get('x-own')), false)),
    ],
  })
  await asked.session.fetch(url('/a'), { headers })
  const ended = await setup({
    use: [
      signInRequired(
        ({ request }) => (shown.push(request.headers.get('authorization'), request.headers.get('x-own')), false),
      ),
    ],
  })
  const token = await ended.session.getToken()
  ended.server.revoke('ann')
  await ended.session.fetch(url('/api/me'), { headers: { ...headers, authorization: `Bearer ${token}` } })
  expect(shown).toEqual([null, 'kept', null, 'kept'])
})

test('a session that is printed, copied or compared shows no token', async () => {
  const { session } = await setup({
    initial: { accessToken: 'canary-1', refreshToken: 'canary-2', user: { id: 'ann' } },
  })
  const copy = { ...session }
  for (const shown of [session, copy]) {
    expect(inspect(shown, { depth: 10, getters: true })).not.toContain('canary')
    expect(format(shown)).not.toContain('canary')
    expect(JSON.stringify(shown)).not.toContain('canary')
  }
})

test("a list of origins that leaves out the page's own: its 401 is told once", async () => {
  const page = async (origins: string[]) => {
    const answer = (at: string) => Object.defineProperty(new Response(null, { status: 401 }), 'url', { value: at })
    const session = createSession({
      backend: bearer({ refreshUrl: '/auth/refresh' }),
      initial: { accessToken: 'a' },
      storage: memory(),
      origins,
      platform: {
        location: { origin: 'https://app.test', href: 'https://app.test/' } as Location,
        fetch: async (input) => answer(new URL(input as string, 'https://app.test').href),
      },
    })
    onTestFinished(session.dispose)
    await settled()
    const errors: AnySessionError[] = []
    session.on('error', ({ error }) => errors.push(error))
    return { session, errors }
  }
  const { session, errors } = await page(['https://api.test'])
  await session.fetch('https://elsewhere.test/a')
  await session.fetch('/api/me', { session: false })
  await settled()
  expect(errors).toEqual([])
  for (let nth = 0; nth < 3; nth++) expect((await session.fetch('/api/me')).status).toBe(401)
  await settled()
  expect(errors.map(({ message }) => message)).toEqual([expect.stringContaining('https://app.test')])
  const listed = await page(['https://api.test', 'https://app.test/v1/'])
  await listed.session.fetch('/other')
  await settled()
  expect(listed.errors).toEqual([])
})
