// A replay sends the same thing again, only after an expired response.

import { defineBackend, ReplayError, type SessionRequestInit } from 'resesh'
import { describe, expect, test } from 'vitest'
import { createClock, setup, thrownBy, url } from '../support/session.ts'
import { holding } from './holding.ts'

interface Echo {
  method: string
  path: string
  headers: Record<string, string>
  bytes: Buffer
}

const echoOf = async (response: Response): Promise<Echo> => {
  expect(response.status).toBe(200)
  const { body, ...rest } = await response.json()
  return { ...rest, bytes: Buffer.from(body, 'base64') }
}

/** Sent, refused, sent again: what the server got the second time. */
const replayed = async (init: SessionRequestInit | Request, change = () => {}): Promise<Echo> => {
  const { server, session, wire } = await setup()
  server.expireAccessTokens()
  const response = init instanceof Request ? session.fetch(init) : session.fetch(url('/api/echo'), init)
  change()
  const echo = await echoOf(await response)
  expect(wire.to('/api/echo')).toHaveLength(2)
  return echo
}

test('a string is replayed as it was', async () => {
  expect((await replayed({ method: 'POST', body: 'naïve ☃' })).bytes.toString()).toBe('naïve ☃')
})

test('URLSearchParams are replayed as they were when fetch was called', async () => {
  const body = new URLSearchParams({ a: '1' })
  const echo = await replayed({ method: 'POST', body }, () => body.set('a', '2'))
  expect(echo.bytes.toString()).toBe('a=1')
  expect(echo.headers['content-type']).toBe('application/x-www-form-urlencoded;charset=UTF-8')
})

test('FormData is replayed part by part, as it was when fetch was called', async () => {
  const body = new FormData()
  body.append('name', 'Ann')
  body.append('file', new File(['\0\u0001'], 'a.bin', { type: 'application/x-a' }))
  const { bytes, headers } = await replayed({ method: 'POST', body }, () => body.set('name', 'Bob'))
  const parts = await new Response(new Uint8Array(bytes), { headers }).formData()
  const file = parts.get('file') as File
  expect(parts.get('name')).toBe('Ann')
  expect([file.name, file.type, await file.text()]).toEqual(['a.bin', 'application/x-a', '\0\u0001'])
})

test('a Blob is replayed with its bytes and type', async () => {
  const body = new Blob([new Uint8Array([0, 255, 10])], { type: 'image/x-a' })
  const echo = await replayed({ method: 'POST', body })
  expect([...echo.bytes]).toEqual([0, 255, 10])
  expect(echo.headers['content-type']).toBe('image/x-a')
})

test('an ArrayBuffer is replayed as it was when fetch was called', async () => {
  const bytes = new Uint8Array([1, 2, 3])
  const echo = await replayed({ method: 'POST', body: bytes.buffer }, () => bytes.fill(9))
  expect([...echo.bytes]).toEqual([1, 2, 3])
})

test('a view of a buffer is replayed as it was when fetch was called, and nothing beside it', async () => {
  const bytes = new Uint8Array([0, 1, 2, 3, 4])
  const echo = await replayed({ method: 'POST', body: bytes.subarray(1, 4) }, () => bytes.fill(9))
  expect([...echo.bytes]).toEqual([1, 2, 3])
})

test('a DataView is replayed as it was when fetch was called', async () => {
  const { buffer } = new Uint16Array([1, 2])
  const echo = await replayed({ method: 'POST', body: new DataView(buffer, 2) }, () => new Uint8Array(buffer).fill(9))
  expect([...echo.bytes]).toEqual([2, 0])
})

test('a Request is replayed with its method, headers and body', async () => {
  const request = new Request(url('/api/echo?a=1'), { method: 'PUT', headers: { 'x-a': 'b' }, body: 'text' })
  const { method, path, headers, bytes } = await replayed(request)
  expect({ method, path, body: bytes.toString(), 'x-a': headers['x-a'] }).toEqual({
    method: 'PUT',
    path: '/api/echo?a=1',
    body: 'text',
    'x-a': 'b',
  })
})

test('a Request counts as used, as after a plain fetch', async () => {
  const request = new Request(url('/api/echo'), { method: 'POST', body: 'text' })
  await replayed(request)
  expect(request.bodyUsed).toBe(true)
})

test('a Request whose body is a stream can be replayed, since it can be cloned', async () => {
  const body = new Blob(['streamed']).stream()
  const request = new Request(url('/api/echo'), { method: 'POST', body, duplex: 'half' } as RequestInit)
  expect((await replayed(request)).bytes.toString()).toBe('streamed')
})

test('what the caller adds to a Request is replayed too', async () => {
  const { server, session } = await setup()
  server.expireAccessTokens()
  const request = new Request(url('/api/echo'), { method: 'POST', body: 'of the request' })
  const echo = await echoOf(await session.fetch(request, { body: 'of the call', headers: { 'x-a': 'b' } }))
  expect([echo.bytes.toString(), echo.headers['x-a']]).toEqual(['of the call', 'b'])
})

test('headers are replayed as they were when fetch was called', async () => {
  const headers = new Headers({ 'x-a': 'then' })
  const echo = await replayed({ headers }, () => headers.set('x-a', 'now'))
  expect(echo.headers['x-a']).toBe('then')
})

test('a URL object that the caller changes meanwhile does not redirect the replay', async () => {
  const state = await setup()
  const target = new URL(url('/api/echo'))
  const { release, responses } = await holding(state, [target])
  target.href = 'https://evil.test/'
  release()
  await responses[0]
  expect(state.wire.sent.map((sent) => new URL(sent.url).host)).not.toContain('evil.test')
})

test('a replay is the same call but for the credentials', async () => {
  const { server, session, wire } = await setup()
  server.expireAccessTokens()
  const init = {
    method: 'POST',
    body: '{}',
    cache: 'no-cache',
    credentials: 'omit',
    mode: 'cors',
    redirect: 'manual',
    referrer: 'about:client',
    referrerPolicy: 'origin',
    integrity: '',
    priority: 'high',
    signal: new AbortController().signal,
  } satisfies RequestInit
  await session.fetch(url('/api/echo'), { ...init, headers: { 'x-a': 'b' } })
  const [first, second] = wire.to('/api/echo').map(({ args }) => args[1])
  expect(first).toMatchObject(init)
  expect({ ...second, headers: null }).toEqual({ ...first, headers: null })
  expect([...new Headers(second!.headers)].filter(([name]) => name !== 'authorization')).toEqual([['x-a', 'b']])
})

test('a stream that met an expired session is sent again, whole', async () => {
  const { server, session, wire } = await setup()
  server.expireAccessTokens()
  const body = new Blob(['streamed']).stream()
  const response = await session.fetch(url('/api/echo'), { method: 'POST', body, duplex: 'half' } as RequestInit)
  expect((await echoOf(response)).bytes.toString()).toBe('streamed')
  expect(wire.to('/api/echo')).toHaveLength(2)
})

test('a stream that is too long to keep is a ReplayError, with the unread response', async () => {
  const { server, session, wire } = await setup()
  server.expireAccessTokens()
  const body = new Blob([new Uint8Array(64 * 2 ** 20 + 1)]).stream()
  const error = await thrownBy(session.fetch(url('/api/echo'), { method: 'POST', body, duplex: 'half' } as RequestInit))
  expect(error).toBeInstanceOf(ReplayError)
  expect(await (error as ReplayError).refusal!.json()).toEqual({ error: 'invalid_token' })
  expect(wire.to('/api/echo')).toHaveLength(1)
})

test('a stream waits for the refresh of a token known to be spent, and is sent once', async () => {
  const clock = createClock()
  const { session, wire } = await setup({}, { clock })
  await clock.pass(61_000)
  const body = new Blob(['streamed']).stream()
  const response = await session.fetch(url('/api/echo'), { method: 'POST', body, duplex: 'half' } as RequestInit)
  expect((await echoOf(response)).bytes.toString()).toBe('streamed')
  expect(wire.to('/api/echo')).toHaveLength(1)
})

test('a body that can be read only once, such as a generator, is sent again as well', async () => {
  const { server, session } = await setup()
  server.expireAccessTokens()
  const body = (async function* () {
    yield new Uint8Array([1])
  })()
  const init = { method: 'POST', body, duplex: 'half' } as unknown as RequestInit
  expect([...(await echoOf(await session.fetch(url('/api/echo'), init))).bytes]).toEqual([1])
})

test('a generator that waited for the refresh arrives whole, and once', async () => {
  const clock = createClock()
  const { session, wire } = await setup({}, { clock })
  await clock.pass(61_000)
  const body = (async function* () {
    yield new Uint8Array([0, 255])
    yield new Uint8Array([7])
  })()
  const init = { method: 'POST', body, duplex: 'half' } as unknown as RequestInit
  expect([...(await echoOf(await session.fetch(url('/api/echo'), init))).bytes]).toEqual([0, 255, 7])
  expect(wire.to('/api/echo')).toHaveLength(1)
})

test('a stream does not set out with a token that could die on its way; a string does', async () => {
  const clock = createClock()
  const { server, session } = await setup({}, { clock })
  await clock.pass(45_000)
  const send = (body: BodyInit) =>
    session.fetch(url('/api/echo'), { method: 'POST', body, duplex: 'half' } as RequestInit)
  await echoOf(await send('at once'))
  expect(server.stats.refreshes).toBe(0)
  expect((await echoOf(await send(new Blob(['streamed']).stream()))).bytes.toString()).toBe('streamed')
  expect(server.stats.refreshes).toBe(1)
})

describe('what is copied', () => {
  const MOST = 64 * 2 ** 20

  /** Refuses the first token. Nothing is read: only what fetch was given counts. */
  const over = async (live = 'second') => {
    const given: { body: unknown; status: number }[] = []
    const backend = defineBackend({ refresh: async () => ({ accessToken: live }) })
    const fetch: typeof globalThis.fetch = async (input, init) => {
      init?.signal?.throwIfAborted()
      const status = new Headers(init?.headers).get('authorization') === 'Bearer second' ? 200 : 401
      given.push({ body: init?.body ?? input, status })
      return new Response(null, { status })
    }
    const { session } = await setup({
      backend,
      initial: { accessToken: 'first' },
      origins: [url('')],
      platform: { fetch },
    })
    const send = (body: BodyInit, init?: RequestInit) => session.fetch(url('/a'), { method: 'POST', body, ...init })
    const bodies = () => given.map(({ body }) => body)
    return { session, given, send, bodies }
  }

  test.each([
    ['a string', 'text'],
    ['a Blob', new Blob(['text'])],
  ])('%s is not', async (_, body) => {
    const { send, bodies } = await over()
    expect((await send(body)).status).toBe(200)
    expect(bodies().map((given) => given === body)).toEqual([true, true])
  })

  test('the files of a FormData are not', async () => {
    const { send, bodies } = await over()
    const body = new FormData()
    body.append('file', new File(['text'], 'a.txt'))
    await send(body)
    expect(bodies().map((given) => (given as FormData).get('file') === body.get('file'))).toEqual([true, true])
  })

  test('a Request without a body is not', async () => {
    const { session, bodies } = await over()
    const request = new Request(url('/a'))
    await session.fetch(request)
    expect(bodies().map((given) => given === request)).toEqual([true, true])
  })

  test('a buffer is, once for all its sendings', async () => {
    const { send, bodies } = await over()
    const body = new Uint8Array([1, 2])
    await send(body)
    const [first, second] = bodies()
    expect([first, first !== body, second === first]).toEqual([body, true, true])
  })

  test('a buffer of more than 64 MiB is not: it is sent as it is, once', async () => {
    const { send, given } = await over()
    const body = new ArrayBuffer(MOST + 1)
    const error = await thrownBy(send(body))
    expect(error).toBeInstanceOf(ReplayError)
    expect((error as ReplayError).refusal!.status).toBe(401)
    expect(given).toEqual([{ body: expect.anything(), status: 401 }])
    expect(given[0]!.body === body).toBe(true)
  })

  test('no more than 64 MiB are at a time', async () => {
    const { send } = await over()
    const half = new Uint8Array(MOST / 2)
    const outcomes = await Promise.allSettled([send(half), send(half), send(half.subarray(0, 1))])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
  })

  test('what failed or was aborted counts no more either', async () => {
    const { send } = await over('third')
    const all = new Uint8Array(MOST)
    expect(await thrownBy(send(all, { signal: AbortSignal.abort('gone') }))).toBe('gone')
    expect(await thrownBy(send(all, { headers: { 'x-a': '\n\0' } }))).toBeInstanceOf(TypeError)
    const response = await send(all)
    expect(response.status).toBe(401) // its own refusal, not a ReplayError: it was sent again
  })
})

test('a network error is not replayed', async () => {
  const { session, wire } = await setup({}, { knobs: { apiFailures: ['drop-before'] } })
  expect(await thrownBy(session.fetch(url('/api/orders'), { method: 'POST', body: '{}' }))).toEqual(
    new TypeError('fetch failed'),
  )
  expect(wire.sent).toHaveLength(1)
})

test('a network error in the middle of a replay is not replayed', async () => {
  const state = await setup()
  const { release, responses } = await holding(state, [url('/api/orders'), { method: 'POST', body: '{"id":1}' }])
  state.server.knobs.apiFailures = ['drop-after'] // executed, and nobody hears of it
  release()
  expect(await thrownBy(responses[0]!)).toEqual(new TypeError('fetch failed'))
  expect(state.server.stats.orders).toEqual({ 1: 1 })
})

test('an answer of 500 is not replayed', async () => {
  const { session, wire } = await setup({}, { knobs: { apiFailures: [500] } })
  expect((await session.fetch(url('/api/me'))).status).toBe(500)
  expect(wire.sent).toHaveLength(1)
})

test('an order that met an expired session is accepted exactly once', async () => {
  const { server, session } = await setup()
  server.expireAccessTokens()
  const response = await session.fetch(url('/api/orders'), { method: 'POST', body: '{"id":7}' })
  expect(response.status).toBe(201)
  expect(server.stats.orders).toEqual({ 7: 1 })
})

test("with replay 'idempotent' a POST gets its own 401", async () => {
  const { server, session, wire } = await setup({ replay: 'idempotent' })
  server.expireAccessTokens()
  expect((await session.fetch(url('/api/echo'), { method: 'POST', body: 'a' })).status).toBe(401)
  expect(wire.to('/api/echo')).toHaveLength(1)
})

test("with replay 'idempotent' a PUT is replayed", async () => {
  const { server, session } = await setup({ replay: 'idempotent' })
  server.expireAccessTokens()
  expect((await session.fetch(url('/api/echo'), { method: 'PUT', body: 'a' })).status).toBe(200)
})

test("with replay 'idempotent' a POST with an idempotency key is replayed", async () => {
  const { server, session } = await setup({ replay: 'idempotent' })
  server.expireAccessTokens()
  const response = await session.fetch(url('/api/echo'), { method: 'POST', session: { idempotencyKey: 'k' } })
  expect(response.status).toBe(200)
})

test("with replay 'idempotent' a POST whose idempotency key was set as a header, by a library say, is replayed", async () => {
  const { server, session, wire } = await setup({ replay: 'idempotent' })
  server.expireAccessTokens()
  const headers = { 'Idempotency-Key': 'of-a-library' }
  expect((await session.fetch(url('/api/echo'), { method: 'POST', headers })).status).toBe(200)
  expect(wire.to('/api/echo').map((sent) => sent.headers.get('idempotency-key'))).toEqual(Array(2).fill('of-a-library'))
})

test("with replay 'never' a GET gets its own 401", async () => {
  const { server, session, wire } = await setup({ replay: 'never' })
  server.expireAccessTokens()
  expect((await session.fetch(url('/api/echo'))).status).toBe(401)
  expect(wire.to('/api/echo')).toHaveLength(1)
})

test('a request may allow a replay that the session does not', async () => {
  const { server, session } = await setup({ replay: 'never' })
  server.expireAccessTokens()
  expect((await session.fetch(url('/api/echo'), { session: { replay: 'auto' } })).status).toBe(200)
})

test('a request may forbid a replay that the session allows', async () => {
  const { server, session } = await setup()
  server.expireAccessTokens()
  expect((await session.fetch(url('/api/echo'), { session: { replay: 'never' } })).status).toBe(401)
})

test('a request that may not be replayed still brings the next one a new token', async () => {
  const { server, session, wire } = await setup({ replay: 'never' })
  server.expireAccessTokens()
  await session.fetch(url('/api/echo'))
  await expect.poll(() => session.getToken()).not.toBe(wire.sent[0]!.headers.get('authorization')!.slice(7))
  expect((await session.fetch(url('/api/echo'))).status).toBe(200)
  expect(server.stats.refreshes).toBe(1)
})

test('the idempotency key is the same at both sendings', async () => {
  const { server, session, wire } = await setup()
  server.expireAccessTokens()
  await session.fetch(url('/api/echo'), { method: 'POST', session: { idempotencyKey: 'key-1' } })
  expect(wire.to('/api/echo').map(({ headers }) => headers.get('idempotency-key'))).toEqual(['key-1', 'key-1'])
})

test.each(['items', '/items', '?page=2'])(
  '%s is sent to where it was meant, whatever the base is by then',
  async (path) => {
    const document = { baseURI: url('/app/') }
    const clock = createClock()
    const platform = { document: document as Document, location: { origin: url('') } as Location }
    const { session, wire } = await setup({ platform }, { clock })
    await clock.pass(61_000)
    const refresh = wire.hold('/auth/refresh')
    const response = session.fetch(path)
    await refresh.arrived
    document.baseURI = 'https://evil.test/'
    refresh.release()
    await response
    expect(wire.sent.at(-1)!.url).toBe(new URL(path, url('/app/')).href)
  },
)

test('a Request keeps its referrer and referrer policy', async () => {
  const { session, wire } = await setup()
  const request = new Request(url('/api/me'), { referrer: '', referrerPolicy: 'no-referrer' })
  await session.fetch(request)
  const sent = new Request(...wire.sent[0]!.args)
  expect([sent.referrer, sent.referrerPolicy]).toEqual([request.referrer, 'no-referrer'])
})

test('a Request in place of the options says how, as with fetch', async () => {
  const { session, wire } = await setup()
  const how = new Request(url('/elsewhere'), { method: 'PATCH', headers: { 'x-a': 'b' }, body: '{}' })
  await session.fetch(url('/api/me'), how)
  const [{ method, path, headers, text }] = wire.sent as [(typeof wire.sent)[number]]
  expect([method, path, headers.get('x-a'), await text()]).toEqual(['PATCH', '/api/me', 'b', '{}'])
})

test('headers may be any list of pairs', async () => {
  const { session, wire } = await setup()
  await session.fetch(url('/api/me'), { headers: new Map([['x-a', 'b']]) as unknown as HeadersInit })
  expect(wire.sent[0]!.headers.get('x-a')).toBe('b')
})

test('a signal that is undefined leaves that of the Request', async () => {
  const clock = createClock()
  const { session, wire } = await setup({}, { clock })
  await clock.pass(61_000)
  const refresh = wire.hold('/auth/refresh')
  const stop = new AbortController()
  const request = new Request(url('/api/me'), { signal: stop.signal })
  const error = thrownBy(session.fetch(request, { signal: undefined } as never))
  await refresh.arrived
  stop.abort('enough')
  expect(await error).toBe('enough')
})

test('nothing at all in place of a URL is no reason to throw at once', async () => {
  const { session } = await setup()
  const response = session.fetch(undefined as never)
  await expect(response).rejects.toThrow()
})
