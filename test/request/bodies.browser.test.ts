// Every kind of body through an expired session, with the page's own fetch, and as a plain fetch sends it.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { disposeAll, knownExpired, login, sample, serverExpired } from '../support/page.ts'

beforeEach(() => sample.reset())
afterEach(disposeAll)

describe('a body', () => {
  interface Echo {
    method: string
    headers: Record<string, string>
    body: string
    size: number
    sha256: string
  }

  const bytes = (size: number): Uint8Array<ArrayBuffer> => {
    const filled = new Uint8Array(size)
    for (let i = 0; i < size; i++) filled[i] = (i * 31 + (i >> 8)) & 255
    return filled
  }
  const form = () => {
    const data = new FormData()
    data.append('name', 'Ann & Söhne')
    data.append('name', 'twice')
    data.append('file', new File([bytes(70_000)], 'naïve "name".bin', { type: 'application/x-thing' }))
    data.append('blob', new Blob(['text'], { type: 'text/css' }), 'style.css')
    return data
  }

  const bodies: [kind: string, make: () => BodyInit][] = [
    ['string', () => 'Ünïcode 🎂'],
    ['URLSearchParams', () => new URLSearchParams({ a: '1 & 2', b: 'ü' })],
    ['Blob', () => new Blob([bytes(100_000), 'tail'], { type: 'application/x-blob' })],
    ['File', () => new File([bytes(1 << 18)], 'big.bin', { type: 'application/octet-stream' })],
    ['ArrayBuffer', () => bytes(65_537).buffer],
    ['view of a part of a buffer', () => bytes(5000).subarray(1000, 2001)],
    ['DataView', () => new DataView(bytes(300).buffer, 17, 100)],
    ['FormData', form],
  ]
  const boundaryless = ({ headers, ...rest }: Echo) => {
    const { authorization: _ours, 'content-type': type = '', ...others } = headers
    return { ...rest, headers: { ...others, 'content-type': type.replace(/boundary=.*/, '') } }
  }
  const parts = async (body: BodyInit, headers: Record<string, string> = {}) => {
    const data = await new Response(body, { headers }).formData()
    const plain = async (value: FormDataEntryValue) =>
      typeof value === 'string' ? value : [value.name, value.type, [...new Uint8Array(await value.arrayBuffer())]]
    return Promise.all([...data].map(async ([name, value]) => [name, await plain(value)]))
  }
  const same = async (kind: string, ours: Echo, plain: Echo) => {
    if (kind !== 'FormData') return expect(boundaryless(ours)).toEqual(boundaryless(plain))
    const raw = Uint8Array.from(atob(ours.body), (char) => char.charCodeAt(0))
    expect(await parts(raw, { 'content-type': ours.headers['content-type']! })).toEqual(await parts(form()))
    expect({ ...boundaryless(ours), body: '', sha256: '' }).toEqual({ ...boundaryless(plain), body: '', sha256: '' })
  }
  const echoOf = async (answer: Promise<Response>) => (await (await answer).json()) as Echo

  describe.each([
    ['held', knownExpired],
    ['replayed', serverExpired],
  ])('of a request that is %s', (_, expired) => {
    test.each(bodies)('%s arrives byte for byte', async (kind, make) => {
      const session = await expired()
      const { accessToken } = await login()
      const send = (fetch: typeof window.fetch, headers: Record<string, string>) =>
        echoOf(fetch('/api/echo?x=1', { method: 'PUT', body: make(), headers: { 'x-own': 'mine', ...headers } }))
      await same(kind, await send(session.fetch, {}), await send(fetch, { authorization: `Bearer ${accessToken}` }))
    })

    test.each(bodies)('%s in a Request arrives byte for byte', async (kind, make) => {
      const session = await expired()
      const { accessToken } = await login()
      const request = (headers?: HeadersInit) =>
        new Request('/api/echo', { method: 'POST', body: make(), ...(headers && { headers }) })
      const ours = request()
      const echo = await echoOf(session.fetch(ours))
      expect(ours.bodyUsed).toBe(true)
      await same(kind, echo, await echoOf(fetch(request({ authorization: `Bearer ${accessToken}` }))))
    })
  })

  test('that the caller changes after the call arrives as it was', async () => {
    const session = await serverExpired()
    const params = new URLSearchParams({ a: '1' })
    const buffer = bytes(4)
    const answers = [
      session.fetch('/api/echo', { method: 'POST', body: params }),
      session.fetch('/api/echo', { method: 'POST', body: buffer }),
    ]
    params.set('a', '2')
    buffer.fill(0)
    const [first, second] = (await Promise.all(answers.map(echoOf))) as [Echo, Echo]
    expect(atob(first.body)).toBe('a=1')
    expect(second.body).toBe(btoa(String.fromCharCode(...bytes(4))))
  })
})
