// "Expired" in its costumes: each predicate alone, put together, and what it leaves to the caller.

import { array, assert, constantFrom, property } from 'fast-check'
import { betterAuth } from 'resesh/backends/better-auth'
import {
  anyOf,
  bearerChallenge,
  graphql,
  hiddenRedirect,
  type IsExpired,
  landedOn,
  opaqueRedirect,
  problem,
  status,
} from 'resesh/expired'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { challengeOf } from '../../src/request/www-authenticate.ts'
import { createSampleServer } from '../servers/sample/server.ts'
import { createWire, fetchOf, settled, setup, thrownBy, url } from '../support/session.ts'

const request = { url: url('/api/me'), method: 'GET', headers: new Headers() }
const says = async (expired: IsExpired, response: Response) => expired(response, request)

const json = (body: unknown, init: ResponseInit = {}, type = 'application/json') =>
  new Response(JSON.stringify(body), { ...init, headers: { 'content-type': type } })
const challenged = (challenge: string, code = 401) =>
  new Response('no', { status: code, headers: { 'www-authenticate': challenge } })
const unauthenticated = { errors: [{ message: 'no', extensions: { code: 'UNAUTHENTICATED' } }] }

/** A response that tells how much of it was asked for. */
const watched = (text: string, type: string, headers: Record<string, string> = {}) => {
  let pulled = 0
  const bytes = new TextEncoder().encode(text)
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const chunk = bytes.subarray(pulled, pulled + 1024)
        pulled += chunk.length
        if (chunk.length) controller.enqueue(chunk)
        else controller.close()
      },
    },
    { highWaterMark: 0 },
  )
  return { response: new Response(body, { headers: { 'content-type': type, ...headers } }), pulled: () => pulled }
}

test('status: one of the list', async () => {
  const expired = status(401, 419, 440, 498)
  for (const code of [401, 419, 440, 498]) expect(await says(expired, new Response(null, { status: code }))).toBe(true)
  for (const code of [200, 403, 500]) expect(await says(expired, new Response(null, { status: code }))).toBe(false)
})

describe('bearerChallenge', () => {
  test.each([
    ['a bare 401', new Response(null, { status: 401 }), true],
    ['a challenge that names nothing', challenged('Bearer realm="api"'), true],
    ['invalid_token', challenged('Bearer realm="api", error="invalid_token", error_description="expired"'), true],
    ['an unquoted error', challenged('Bearer error=invalid_token'), true],
    ['a scheme in small letters, after another', challenged('Basic realm="a, b", bearer error="invalid_token"'), true],
    ['DPoP', challenged('DPoP error="invalid_token", algs="ES256"'), true],
    ['insufficient_scope', challenged('Bearer error="insufficient_scope", scope="admin"'), false],
    ['insufficient_user_authentication', challenged('Bearer error="insufficient_user_authentication"'), false],
    ['a DPoP nonce', challenged('DPoP error="use_dpop_nonce"'), false],
    ['a 403', challenged('Bearer error="invalid_token"', 403), false],
    ['a 200', new Response('fine'), false],
  ])('%s', async (_, response, expected) => {
    expect(await says(bearerChallenge, response)).toBe(expected)
  })

  test('a challenge is read with its quotes and escapes, and the first of a name counts', () => {
    const found = challengeOf(
      challenged(String.raw`Bearer realm="a \"b\", c=d" , ERROR = "x",error="y", __proto__="z"`),
    )
    expect(Object.entries(found!)).toEqual([
      ['realm', 'a "b", c=d'],
      ['error', 'x'],
      ['__proto__', 'z'],
    ])
    expect(challengeOf(challenged('Basic realm="the bearer of news"'))).toBe(undefined)
  })

  const piece = constantFrom('Bearer', 'dpop', 'error', '=', '"', '\\', ',', ' ', '\t', '-', 'a', '\\"', '="', 'é')

  test('no header throws', () => {
    assert(
      property(array(piece, { maxLength: 60 }), (pieces) => {
        challengeOf(challenged(`Bearer ${pieces.join('')}`))
      }),
      { numRuns: 2_000 },
    )
  })

  test('the time to read a hostile header is linear', () => {
    assert(
      property(array(piece, { minLength: 1, maxLength: 6 }), piece, (pieces, end) => {
        const unit = pieces.join('')
        const response = challenged(`Bearer ${unit.repeat(Math.ceil(65_000 / unit.length))}${end}`)
        const start = performance.now()
        challengeOf(response)
        expect(performance.now() - start).toBeLessThan(2000) // quadratic: many seconds
      }),
      {
        numRuns: 100,
        examples: [
          [['a'], 'a'],
          [['"'], '"'],
          [[' '], ' '],
          [['error', '="'], '"'],
          [[',', ' '], '='],
        ],
      },
    )
  }, 60_000)
})

describe('problem', () => {
  const expired = problem('https://api.test/expired', 'about:expired')
  const type = 'application/problem+json; charset=utf-8'

  test('one of its types', async () => {
    expect(await says(expired, json({ type: 'about:expired' }, { status: 403 }, type))).toBe(true)
    expect(await says(expired, json({ type: 'about:blank' }, { status: 403 }, type))).toBe(false)
  })

  test.each([
    ['plain JSON', json({ type: 'about:expired' })],
    ['an array', json([1], {}, type)],
    ['nothing', new Response(null, { headers: { 'content-type': type } })],
    ['broken JSON', new Response('{"type":', { headers: { 'content-type': type } })],
    ['a type that is no string', json({ type: ['about:expired'] }, {}, type)],
  ])('not %s', async (_, response) => {
    expect(await says(expired, response)).toBe(false)
  })
})

describe('graphql', () => {
  test('UNAUTHENTICATED inside a 200, or the codes it is given', async () => {
    expect(await says(graphql(), json(unauthenticated))).toBe(true)
    expect(await says(graphql(), json(unauthenticated, {}, 'application/graphql-response+json'))).toBe(true)
    expect(await says(graphql('FORBIDDEN', 'UNAUTHENTICATED'), json(unauthenticated))).toBe(true)
    expect(await says(graphql('FORBIDDEN'), json(unauthenticated))).toBe(false)
  })

  test.each([[{ data: {} }], [{ errors: null }], [{ errors: [null, 1, { extensions: null }] }], [null], ['text']])(
    'not %j',
    async (body) => {
      expect(await says(graphql(), json(body))).toBe(false)
    },
  )

  test('the body stays for the caller', async () => {
    const response = json(unauthenticated)
    await says(graphql(), response)
    expect(response.bodyUsed).toBe(false)
    expect(await response.json()).toEqual(unauthenticated)
  })

  test('a body that is no JSON is not read', async () => {
    const { response, pulled } = watched(JSON.stringify(unauthenticated), 'text/event-stream')
    expect(await says(graphql(), response)).toBe(false)
    expect(pulled()).toBe(0)
  })

  test('a body whose length says more than 64 KiB is not read', async () => {
    const { response, pulled } = watched('{}', 'application/json', { 'content-length': '65537' })
    expect(await says(graphql(), response)).toBe(false)
    expect(pulled()).toBe(0)
  })

  test('of a long body without a length no more than 64 KiB is read, and the caller gets all of it', async () => {
    const text = JSON.stringify({ ...unauthenticated, data: 'x'.repeat(500_000) })
    const { response, pulled } = watched(text, 'application/json')
    expect(await says(graphql(), response)).toBe(false)
    expect(pulled()).toBeLessThan(80_000)
    expect(await response.text()).toBe(text)
  })

  test('a body of exactly 64 KiB is read', async () => {
    const short = JSON.stringify({ ...unauthenticated, data: '' })
    const text = JSON.stringify({ ...unauthenticated, data: 'x'.repeat(65_536 - short.length) })
    expect(await says(graphql(), watched(text, 'application/json').response)).toBe(true)
  })
})

// The one wait in real time: nothing but the clock tells a body without an end from a slow one.
test('a body that breaks off or never ends keeps nobody waiting, and throws behind nobody’s back', async () => {
  const thrown = vi.fn()
  const places = ['unhandledRejection', 'uncaughtException'] as const // Node throws what a listener's promise rejects with
  for (const place of places) process.on(place, thrown)
  onTestFinished(() => places.forEach((place) => process.off(place, thrown)))
  const answer = (body: ReadableStream, type = 'application/json', code = 200) =>
    new Response(body, { status: code, headers: { 'content-type': type } })
  const broken = answer(new ReadableStream({ start: (controller) => controller.error(new TypeError('terminated')) }))
  const stepUp: IsExpired = async (...asked) => !!(await betterAuth().stepUp!(...asked))
  const said = [
    says(graphql(), broken),
    says(graphql(), answer(new ReadableStream())),
    says(problem('about:expired'), answer(new ReadableStream(), 'application/problem+json', 401)),
    says(stepUp, answer(new ReadableStream(), 'text/event-stream', 403)),
  ]
  expect(await Promise.all(said)).toEqual([false, false, false, false])
  await settled()
  expect(thrown).not.toHaveBeenCalled()
  await expect(broken.text()).rejects.toThrow('terminated') // its caller finds out
}, 60_000)

describe('redirects', () => {
  const at = (place: string, redirected = true) =>
    Object.defineProperties(new Response('page'), { url: { value: place }, redirected: { value: redirected } })

  test('one that was not followed', async () => {
    const opaque = Object.defineProperty(new Response(), 'type', { value: 'opaqueredirect' })
    expect(await says(opaqueRedirect, opaque)).toBe(true)
    expect(await says(opaqueRedirect, new Response())).toBe(false)
  })

  test('one that landed on a login page, whatever is asked there', async () => {
    const expired = landedOn('/login', 'https://id.test/signin')
    expect(await says(expired, at('https://app.test/login?next=%2F'))).toBe(true)
    expect(await says(expired, at('https://id.test/signin#top'))).toBe(true)
    expect(await says(expired, at('https://evil.test/signin'))).toBe(false)
    expect(await says(expired, at('https://app.test/login/help'))).toBe(false)
    expect(await says(expired, at('https://app.test/login', false))).toBe(false) // the app asked for that page
  })
})

// Over real redirects: hidden-redirect.tabs.test.ts.
describe('a hidden redirect', () => {
  const error = new TypeError('Failed to fetch')
  const opaque = Object.defineProperty(new Response(), 'type', { value: 'opaqueredirect' })

  /** Each GET fails as in an outage; a probe gets this answer. */
  const failing = async (probed: () => Promise<Response>) => {
    const server = createSampleServer()
    const wire = createWire(async (...args) => {
      const asked = new Request(...args)
      if (asked.method === 'HEAD') return probed()
      if (asked.method === 'GET') throw error
      return fetchOf(server)(asked)
    })
    const { session } = await setup({ isExpired: hiddenRedirect(), platform: { fetch: wire.fetch } }, { server })
    return { session, server, probes: () => wire.sent.filter(({ method }) => method === 'HEAD') }
  }

  test('alone it says what opaqueRedirect says', async () => {
    expect(await says(hiddenRedirect(), opaque)).toBe(true)
    expect(await says(hiddenRedirect(), new Response(null, { status: 401 }))).toBe(false)
  })

  test.each([
    ['is answered', async () => new Response(null, { status: 404 })],
    [
      'fails as well',
      async () => {
        throw new TypeError('another')
      },
    ],
  ])('where the probe %s, the request rejects with its own error, and nothing is refreshed', async (_, probed) => {
    const { session, server, probes } = await failing(probed)
    expect(await thrownBy(session.fetch(url('/api/me')))).toBe(error)
    expect([probes().length, server.stats.refreshes]).toEqual([1, 0])
    // Its word is about what was sent before it.
    expect(await thrownBy(session.fetch(new Request(url('/api/me'))))).toBe(error)
    expect(probes()).toHaveLength(2)
  })

  test('the probe is the request’s URL and headers, and stays there', async () => {
    const { session, probes } = await failing(async () => opaque)
    const token = await session.getToken()
    await session.fetch(url('/api/me?a=b'), { headers: { 'x-a': 'b' }, credentials: 'include' })
    const [{ headers, url: asked, args } = expect.unreachable('no probe')] = probes()
    expect([asked, headers.get('x-a'), headers.get('authorization')]).toEqual([
      url('/api/me?a=b'),
      'b',
      `Bearer ${token}`,
    ])
    expect(args[1]).toMatchObject({ redirect: 'manual', credentials: 'include', cache: 'no-store' })
  })

  test('an abort frees whoever waits for the probe', async () => {
    const { session, probes } = await failing(() => new Promise(() => {}))
    const caller = new AbortController()
    const leaving = thrownBy(session.fetch(url('/api/me'), { signal: caller.signal }))
    await settled()
    expect(probes()).toHaveLength(1)
    caller.abort('gone')
    expect(await leaving).toBe('gone')
  })

  test('what is no failure of the network is not probed', async () => {
    const { session, probes } = await failing(async () => opaque)
    const gone = new DOMException('gone', 'AbortError')
    const caller = AbortSignal.abort(gone)
    expect(await thrownBy(session.fetch(url('/api/me'), { signal: caller }))).toBe(gone)
    expect(probes()).toEqual([])
  })
})

describe('put together, for a session', () => {
  const isExpired = anyOf(status(419), bearerChallenge, graphql())

  test('the first that says so decides; the others are not asked', async () => {
    const unasked: IsExpired = () => expect.unreachable('asked')
    expect(await says(anyOf(status(419), unasked), new Response(null, { status: 419 }))).toBe(true)
    expect(await says(anyOf(), new Response(null, { status: 401 }))).toBe(false)
  })

  /** The first answer of /api/me is this one, the others are the server's. */
  const answering = async (first: Response) => {
    const server = createSampleServer()
    const answers = [first]
    const wire = createWire(async (...args) => {
      const asked = new Request(...args)
      return (asked.url === url('/api/me') && answers.shift()) || fetchOf(server)(asked)
    })
    const { session } = await setup({ isExpired, platform: { fetch: wire.fetch } }, { server })
    const response = await session.fetch(url('/api/me'))
    return { response, refreshes: server.stats.refreshes, sends: wire.to('/api/me').length }
  }

  test.each([
    ['a status', new Response(null, { status: 419 })],
    ['a challenge', challenged('Bearer error="invalid_token"')],
    ['a code in a 200', json(unauthenticated)],
  ])('%s is cured by one refresh', async (_, first) => {
    const { response, ...counts } = await answering(first)
    expect(await response.json()).toMatchObject({ name: 'Ann' })
    expect(counts).toEqual({ refreshes: 1, sends: 2 })
  })

  test.each([
    ['insufficient_scope', challenged('Bearer error="insufficient_scope", scope="admin"'), 'no'],
    ['a GraphQL answer', json({ data: { me: 1 } }), '{"data":{"me":1}}'],
  ])('%s passes through, as it is', async (_, first, text) => {
    const { response, ...counts } = await answering(first)
    expect(response).toBe(first)
    expect(await response.text()).toBe(text)
    expect(counts).toEqual({ refreshes: 0, sends: 1 })
  })
})
