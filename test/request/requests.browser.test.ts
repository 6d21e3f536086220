// What a page's requests go through when the session has expired, over the sample server on the page's own origin.

import { createSession } from 'resesh'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { disposeAll, knownExpired, login, sample, serverExpired, signedIn, sleep } from '../support/page.ts'

beforeEach(() => sample.reset())
afterEach(disposeAll)

const many = (count: number, request: (nth: number) => Promise<Response>): Promise<Response[]> =>
  Promise.all(Array.from({ length: count }, (_, nth) => request(nth)))

describe('a thousand requests at once', { timeout: 60_000 }, () => {
  test('of a session known to be expired: held, and sent once', async () => {
    const session = await knownExpired()
    const before = await sample.stats()
    const responses = await many(1000, (nth) => session.fetch(`/api/items/${nth}`))
    const after = await sample.stats()
    expect(responses.filter(({ ok }) => !ok)).toHaveLength(0)
    expect(after.refreshes).toBe(1)
    expect(after.requests - before.requests).toBe(1001)
    expect(await Promise.all(responses.map((response) => response.json()))).toEqual(
      responses.map((_, item) => ({ item })),
    )
  })

  // Chromium fails some of as many at once, as a plain fetch of each shows: `net::ERR_INSUFFICIENT_RESOURCES`.
  test('and four thousand: none lost', async () => {
    const session = await knownExpired()
    const responses = await many(4000, (nth) => session.fetch(`/api/items/${nth}`))
    expect(responses.filter(({ ok }) => !ok)).toHaveLength(0)
    expect((await sample.stats()).refreshes).toBe(1)
  })

  test('of whose expiry only the server knows: one refresh, and each sent twice at most', async () => {
    const session = await serverExpired()
    const before = await sample.stats()
    const responses = await many(1000, (nth) => session.fetch(`/api/items/${nth}`))
    const after = await sample.stats()
    expect(responses.filter(({ ok }) => !ok)).toHaveLength(0)
    expect(after.refreshes).toBe(1)
    expect(after.requests - before.requests).toBeLessThanOrEqual(2001)
    expect(after.thefts).toBe(0)
  })

  test('for orders: none lost, none doubled', async () => {
    const session = await serverExpired()
    const order = (id: number) =>
      session.fetch('/api/orders', { method: 'POST', body: JSON.stringify({ id: `order ${id}` }) })
    const responses = await many(50, order)
    expect(responses.every(({ status }) => status === 201)).toBe(true)
    expect(Object.values((await sample.stats()).orders)).toEqual(Array(50).fill(1))
  })
})

describe('an abort', () => {
  test.each([
    ['known to be expired', knownExpired],
    ['of whose expiry only the server knows', serverExpired],
  ])('of a request that waits, in a session %s, frees it at once; the others are served', async (_, expired) => {
    const session = await expired()
    await sample.knobs({ refreshDelayMs: 400 })
    const { stats } = await sample.state()
    const stop = new AbortController()
    const left = session.fetch('/api/items/1', { signal: stop.signal })
    const others = many(5, (nth) => session.fetch(`/api/items/${10 + nth}`))
    await sleep(150)
    stop.abort(new Error('never mind'))
    await expect(Promise.race([left, sleep(20)])).rejects.toThrow('never mind')
    expect((await others).every(({ ok }) => ok)).toBe(true)
    await sleep(50)
    const { byPath, refreshes } = await sample.stats()
    expect(refreshes).toBe(1)
    const sent = byPath['GET /api/items/1'] ?? 0
    expect(sent - (stats.byPath['GET /api/items/1'] ?? 0)).toBe(expired === knownExpired ? 0 : 1)
  })

  test('before the call sends nothing', async () => {
    const session = await signedIn()
    const { requests } = await sample.stats()
    await expect(session.fetch('/api/items/1', { signal: AbortSignal.abort() })).rejects.toThrow('aborted')
    expect((await sample.stats()).requests).toBe(requests)
  })

  test('by AbortSignal.timeout says so', async () => {
    const session = await knownExpired()
    await sample.knobs({ refreshDelayMs: 300 })
    const late = session.fetch('/api/items/1', { signal: AbortSignal.timeout(50) })
    await expect(late).rejects.toMatchObject({ name: 'TimeoutError' })
  })
})

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

describe('forced means fresh', () => {
  /** As another of the user's devices would. */
  const edit = async (name: string) => {
    const { accessToken } = await login()
    const headers = { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' }
    await fetch('/api/me', { method: 'PATCH', headers, body: JSON.stringify({ name }) })
  }

  test('while a slow refresh runs that has read the old claims already', async () => {
    const session = await serverExpired()
    await sample.knobs({ refreshDelayMs: 300 })
    const running = session.fetch('/api/me')
    await expect.poll(async () => (await sample.stats()).refreshesInFlight).toBe(1)
    await edit('Annabel')
    const tokens = await Promise.all(Array.from({ length: 100 }, () => session.getToken({ skipCache: true })))
    expect(new Set(tokens).size).toBe(1)
    expect(session.current.claims?.['name']).toBe('Annabel')
    expect(await session.getToken()).toBe(tokens[0])
    expect((await running).status).toBe(200)
    const { refreshes, maxRefreshesInFlight, thefts } = await sample.stats()
    expect({ refreshes, maxRefreshesInFlight, thefts }).toEqual({ refreshes: 2, maxRefreshesInFlight: 1, thefts: 0 })
  })

  test('reload() brings token and user, and one change event', async () => {
    const session = await signedIn()
    const changes: unknown[] = []
    session.on('change', ({ reason, changed }) => changes.push([reason, changed]))
    await edit('Annabel')
    const state = await session.reload()
    expect([state.user?.['name'], state.claims?.['name'], state.reason]).toEqual(['Annabel', 'Annabel', 'reloaded'])
    expect(changes).toHaveLength(1)
    expect(changes[0]).toEqual(['reloaded', expect.arrayContaining(['user', 'claims'])])
  })
})

describe('install()', () => {
  test("patches window.fetch for code that isn't ours, and its undo leaves no trace", async () => {
    const before = window.fetch
    const session = await serverExpired()
    const undo = session.install()
    expect(window.fetch).not.toBe(before)
    const responses = await many(20, (nth) => window.fetch(`/api/items/${nth}`))
    expect(responses.every(({ ok }) => ok)).toBe(true)
    expect((await sample.stats()).refreshes).toBe(1)
    undo()
    expect(window.fetch).toBe(before)
    expect((await window.fetch('/api/me')).status).toBe(401)
  })

  test('gives the real Response: a URL, a stream, the flags', async () => {
    const session = await signedIn()
    const undo = session.install()
    const response = await window.fetch('/api/me')
    undo()
    expect(response).toBeInstanceOf(Response)
    expect(response).toMatchObject({ url: new URL('/api/me', location.href).href, type: 'basic', redirected: false })
    expect(response.body).toBeInstanceOf(ReadableStream)
  })

  test('undone under a later wrapper passes through', async () => {
    const before = window.fetch
    const session = await signedIn()
    const undo = session.install()
    const ours = window.fetch
    const seen: unknown[] = []
    window.fetch = (input, init) => {
      seen.push(input)
      return ours(input, init)
    }
    expect((await window.fetch('/api/me')).status).toBe(200)
    undo()
    expect((await window.fetch('/api/me')).status).toBe(401)
    expect(seen).toHaveLength(2)
    window.fetch = before
  })
})

test('two sessions on one page share nothing', async () => {
  const session = await signedIn()
  const other = createSession({
    name: 'other',
    backend: { name: 'other', attach() {}, refresh: async () => null },
    initial: null,
  })
  expect((await session.fetch('/api/me')).status).toBe(200)
  expect((await other.fetch('/api/me')).status).toBe(401)
  expect(other.current.status).toBe('unauthenticated')
  other.dispose()
})
