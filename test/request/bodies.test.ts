// Every kind of body through an expired session, with Node's own fetch over a real socket: byte for byte, accepted exactly once.

import { createSession, ReplayError } from 'resesh'
import { bearer } from 'resesh/backends/bearer'
import { describe, expect, onTestFinished, test } from 'vitest'
import { listen } from '../servers/sample/node.ts'
import { createSampleServer } from '../servers/sample/server.ts'
import { over } from '../support/answering.ts'
import { login, settled, thrownBy, url } from '../support/session.ts'

const bytes = (size: number): Uint8Array<ArrayBuffer> => Uint8Array.from({ length: size }, (_, i) => (i * 31) & 255)
const form = () => {
  const data = new FormData()
  data.append('name', 'Ann & Söhne')
  data.append('name', 'twice')
  data.append('file', new File([bytes(70_000)], 'naïve.bin', { type: 'application/x-thing' }))
  return data
}
const pieces = async function* () {
  for (let nth = 0; nth < 20; nth++) yield bytes(10_000 + nth)
}

const many: [kind: string, make: () => BodyInit][] = [
  ['a string', () => 'Ünïcode 🎂'],
  ['URLSearchParams', () => new URLSearchParams({ a: '1 & 2', b: 'ü' })],
  ['a Blob', () => new Blob([bytes(100_000), 'tail'], { type: 'application/x-blob' })],
  ['a File', () => new File([bytes(1 << 18)], 'big.bin')],
  ['an ArrayBuffer', () => bytes(65_537).buffer],
  ['a view', () => bytes(5000).subarray(1000, 2001)],
  ['a DataView', () => new DataView(bytes(300).buffer, 17, 100)],
  ['a FormData', form],
]
const once: [kind: string, make: () => BodyInit][] = [
  ['a ReadableStream', () => new Blob([bytes(200_000)]).stream()],
  ['an async iterator', () => pieces() as unknown as BodyInit],
]

const LIFE = 20 // ms

const setup = async (isSpent: boolean) => {
  const server = createSampleServer()
  const { origin, close } = await listen(server)
  onTestFinished(close)
  const initial = await login(server)
  const session = createSession({
    backend: bearer({ refreshUrl: `${origin}/auth/refresh` }),
    initial: isSpent ? { ...initial, expiresInSeconds: LIFE / 1000 } : initial,
  })
  onTestFinished(session.dispose)
  server.expireAccessTokens()
  if (isSpent) await new Promise((done) => setTimeout(done, LIFE))
  const request = (body: BodyInit) =>
    new Request(`${origin}/api/echo`, { method: 'POST', body, duplex: 'half' } as RequestInit)
  const send = (body: BodyInit) =>
    session.fetch(`${origin}/api/echo`, { method: 'POST', body, duplex: 'half' } as RequestInit)
  const statuses = () => server.log.filter(({ path }) => path === '/api/echo').map(({ status }) => status)
  return { session, request, send, statuses }
}

const read = async (body: BodyInit, headers: HeadersInit = {}): Promise<unknown> => {
  const response = new Response(body, { headers })
  if (!response.headers.get('content-type')?.startsWith('multipart'))
    return Buffer.from(await response.arrayBuffer()).toString('hex')
  const parts = [...(await response.formData())].map(async ([name, value]) =>
    typeof value === 'string' ? [name, value] : [name, value.name, value.type, await read(await value.arrayBuffer())],
  )
  return Promise.all(parts)
}

const expectIntact = async (response: Response, make: () => BodyInit) => {
  expect(response.status).toBe(200)
  const { body, headers } = await response.json()
  const type = headers['content-type'] as string | undefined
  expect(await read(Buffer.from(body, 'base64'), type ? { 'content-type': type } : {})).toEqual(await read(make()))
}

test.each(many)('%s that met an expired session arrives whole, and is accepted once', async (_, make) => {
  const { send, statuses } = await setup(false)
  await expectIntact(await send(make()), make)
  expect(statuses()).toEqual([401, 200])
  const other = await setup(false)
  await expectIntact(await other.session.fetch(other.request(make())), make)
  expect(other.statuses()).toEqual([401, 200])
})

test.each([...many, ...once])('%s that was held arrives whole, and is sent once', async (_, make) => {
  const { send, statuses } = await setup(true)
  await expectIntact(await send(make()), make)
  expect(statuses()).toEqual([200])
})

test.each(once)('%s that met an expired session arrives whole, and is accepted once', async (_, make) => {
  const { send, statuses } = await setup(false)
  await expectIntact(await send(make()), make)
  expect(statuses()).toEqual([401, 200])
})

test.each(once)('%s in a Request arrives whole as well', async (_, make) => {
  const { session, request, statuses } = await setup(false)
  await expectIntact(await session.fetch(request(make())), make)
  expect(statuses()).toEqual([401, 200])
})

const MOST = 64 * 2 ** 20

/** So many bytes in pieces of 1 MiB; what became of it is told. */
const long = (size: number) => {
  const state = { pulled: 0, cancelled: undefined as unknown }
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (state.pulled >= size) return controller.close()
        const piece = Math.min(2 ** 20, size - state.pulled)
        state.pulled += piece
        controller.enqueue(new Uint8Array(piece))
      },
      cancel: (reason) => void (state.cancelled = reason ?? 'cancelled'),
    },
    { highWaterMark: 0 },
  )
  return { state, stream }
}

/** A transport that reads each body to its end, and refuses the first token. */
const reading = async () => {
  const lengths: number[] = []
  const state = await over((token) => new Response(null, { status: token === 'Bearer token-1' ? 200 : 401 }), {
    platform: {
      async fetch(input, init) {
        const request = new Request(input, init)
        lengths.push((await request.arrayBuffer()).byteLength)
        return new Response('refused', {
          status: request.headers.get('authorization') === 'Bearer token-1' ? 200 : 401,
        })
      },
    },
  })
  const given = (body: BodyInit, rest: RequestInit = {}) =>
    ({ method: 'POST', body, duplex: 'half', ...rest }) as RequestInit
  const send = (body: BodyInit, rest?: RequestInit) => state.session.fetch(url('/a'), given(body, rest))
  const request = (body: BodyInit) => state.session.fetch(new Request(url('/a'), given(body)))
  return { ...state, send, request, lengths }
}

describe('the cap', () => {
  test.each(['send', 'request'] as const)(
    'a stream that is longer is sent once, by %s: a ReplayError with the refusal',
    async (way) => {
      const tools = await reading()
      const error = await thrownBy(tools[way](long(MOST + 1).stream))
      expect(error).toBeInstanceOf(ReplayError)
      expect(await (error as ReplayError).refusal!.text()).toBe('refused')
      expect(tools.lengths).toEqual([MOST + 1])
    },
  )

  test.each(['send', 'request'] as const)('what a stream took of it is given back, by %s', async (way) => {
    const tools = await reading()
    for (let nth = 0; nth < 3; nth++) expect((await tools[way](long(MOST / 2).stream)).status).toBe(200)
    expect(await thrownBy(tools[way](long(MOST + 1).stream)).catch(() => null)).toBeNull()
    await tools.session.signIn({ accessToken: 'again' })
    expect((await tools[way](long(MOST).stream)).status).toBe(401)
    expect(tools.lengths.at(-1)).toBe(MOST)
  })
})

test('a stream is read no faster than it is sent, and is whole all the same after an early refusal', async () => {
  const { state, stream } = long(8 * 2 ** 20)
  let pulledAtRefusal = 0
  const lengths: number[] = []
  const { session } = await over(undefined, {
    platform: {
      async fetch(input, init) {
        const request = new Request(input, init)
        if (request.headers.get('authorization') !== 'Bearer token-1') {
          const reader = request.body!.getReader()
          await reader.read()
          pulledAtRefusal = state.pulled
          await reader.cancel('refused early')
          return new Response(null, { status: 401 })
        }
        lengths.push((await request.arrayBuffer()).byteLength)
        return new Response('served')
      },
    },
  })
  const response = await session.fetch(url('/a'), { method: 'POST', body: stream, duplex: 'half' } as RequestInit)
  expect(response.status).toBe(200)
  expect(lengths).toEqual([8 * 2 ** 20])
  expect(pulledAtRefusal).toBeLessThanOrEqual(2 * 2 ** 20)
  expect(state.cancelled).toBeUndefined()
})

test('a stream whose sender gives up is cancelled, sent or not', async () => {
  const sent = long(Infinity)
  const caller = new AbortController()
  const hanging: typeof fetch = async (input, init) => {
    const request = new Request(input, init)
    const reader = request.body!.getReader()
    await reader.read()
    caller.abort('enough')
    await reader.cancel(request.signal.reason)
    throw request.signal.reason
  }
  const { session } = await over(undefined, { platform: { fetch: hanging } })
  const init = { method: 'POST', duplex: 'half' } as RequestInit
  expect(await thrownBy(session.fetch(url('/a'), { ...init, body: sent.stream, signal: caller.signal }))).toBe('enough')
  await settled()
  expect(sent.state.cancelled).toBeDefined()
  const unsent = long(Infinity)
  expect(
    await thrownBy(session.fetch(url('/a'), { ...init, body: unsent.stream, signal: AbortSignal.abort('no') })),
  ).toBe('no')
  await settled()
  expect(unsent.state).toEqual({ pulled: 0, cancelled: expect.anything() })
})

test('a stream that breaks off is the failure of its request, as with plain fetch', async () => {
  const broken = new ReadableStream({ pull: (controller) => controller.error(new Error('the disk is gone')) })
  const { send } = await reading()
  await expect(send(broken)).rejects.toThrow()
})
