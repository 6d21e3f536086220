// Every kind of body through an expired session, with Node's own fetch over a real socket: byte for byte, accepted exactly once.

import { createSession, ReplayError } from 'resesh'
import { bearer } from 'resesh/backends/bearer'
import { expect, onTestFinished, test } from 'vitest'
import { listen } from '../servers/sample/node.ts'
import { createSampleServer } from '../servers/sample/server.ts'
import { login, thrownBy } from '../support/session.ts'

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

test.each(once)('%s that met an expired session is a ReplayError, and was accepted by nobody', async (_, make) => {
  const { send, statuses } = await setup(false)
  const error = await thrownBy(send(make()))
  expect(error).toBeInstanceOf(ReplayError)
  expect((error as ReplayError).response!.status).toBe(401)
  expect(statuses()).toEqual([401])
})

test.each(once)('%s in a Request can be sent twice, since that can be cloned', async (_, make) => {
  const { session, request, statuses } = await setup(false)
  await expectIntact(await session.fetch(request(make())), make)
  expect(statuses()).toEqual([401, 200])
})
