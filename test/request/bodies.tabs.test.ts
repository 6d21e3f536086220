// Every kind of body through an expired session, over real sockets: byte for byte, and accepted exactly once. Over HTTP/2 too,
// which a body that is streamed needs: https://developer.chrome.com/docs/capabilities/web-apis/fetch-streaming-requests

import { describe, expect, test } from 'vitest'
import { type InPage, type Tab, useTabs } from '../support/tabs.ts'

const start = useTabs()

interface Outcome {
  kind: string
  /** Status, or the name of what was thrown. */
  came: number | string
  protocol?: string
  isIntact?: boolean
}

/** Runs in the page: one request per kind, one after the other. Intact: what the server got is what was given. */
const sendBodies = async ({ session, sleep }: InPage, kinds: string[]): Promise<Outcome[]> => {
  const bytes = (size: number): Uint8Array<ArrayBuffer> => Uint8Array.from({ length: size }, (_, i) => (i * 31) & 255)
  const form = (): FormData => {
    const data = new FormData()
    data.append('name', 'Ann & Söhne\r\n')
    data.append('name', 'twice')
    data.append('file', new File([bytes(70_000)], 'naïve "name".bin', { type: 'application/x-thing' }))
    return data
  }
  const makes: Record<string, () => BodyInit> = {
    string: () => 'Ünïcode 🎂',
    URLSearchParams: () => new URLSearchParams({ a: '1 & 2', b: 'ü' }),
    Blob: () => new Blob([bytes(100_000), 'tail'], { type: 'application/x-blob' }),
    File: () => new File([bytes(1 << 18)], 'big.bin'),
    ArrayBuffer: () => bytes(65_537).buffer,
    view: () => bytes(5000).subarray(1000, 2001),
    DataView: () => new DataView(bytes(300).buffer, 17, 100),
    FormData: form,
    // Slow, and of many pieces.
    ReadableStream: () => {
      let left = 20
      return new ReadableStream<Uint8Array>({
        async pull(controller) {
          await sleep(1)
          if (left-- > 0) controller.enqueue(bytes(10_000 + left))
          else controller.close()
        },
      })
    },
  }
  const read = async (body: BodyInit, headers: HeadersInit = {}): Promise<string> => {
    const response = new Response(body, { headers })
    if (!response.headers.get('content-type')?.startsWith('multipart'))
      return [...new Uint8Array(await response.arrayBuffer())].join()
    const parts = [...(await response.formData())].map(async ([name, value]) =>
      typeof value === 'string' ? [name, value] : [name, value.name, value.type, await read(await value.arrayBuffer())],
    )
    return JSON.stringify(await Promise.all(parts))
  }
  const outcomes: Outcome[] = []
  for (const kind of kinds) {
    const [, isRequest, name] = /^(Request of )?(.+)$/.exec(kind)!
    const make = makes[name!]!
    const init = { method: 'POST', body: make(), duplex: 'half' } as RequestInit
    try {
      const response = await (isRequest
        ? session.fetch(new Request('/api/echo', init))
        : session.fetch('/api/echo', init))
      const { body, headers } = await response.json()
      const got = Uint8Array.from(atob(body), (char) => char.charCodeAt(0))
      const type = headers['content-type'] as string | undefined
      const [entry] = performance.getEntriesByName(response.url).slice(-1) as PerformanceResourceTiming[]
      outcomes.push({
        kind,
        came: response.status,
        protocol: entry!.nextHopProtocol,
        isIntact: (await read(got, type ? { 'content-type': type } : {})) === (await read(make())),
      })
    } catch (error) {
      outcomes.push({ kind, came: (error as Error).name })
    }
  }
  return outcomes
}

const KINDS = ['string', 'URLSearchParams', 'Blob', 'File', 'ArrayBuffer', 'view', 'DataView', 'FormData']
const ALL = KINDS.flatMap((kind) => [kind, `Request of ${kind}`])

const LIFE = 100 // ms

describe.each([
  ['HTTP/1.1', 'http/1.1', false],
  ['HTTP/2', 'h2', true],
])('over %s', (_, protocol, http2) => {
  const signedIn = async () => {
    const world = await start({ http2 })
    const [tab] = (await world.open(1)) as [Tab]
    /** How often a body was taken by the server, and how often it was refused. */
    const echoes = () => {
      const all = world.server.log.filter(({ path }) => path === '/api/echo')
      const count = (code: number) => all.filter(({ status }) => status === code).length
      return { accepted: count(200), refused: count(401) }
    }
    const refused = async () => {
      await tab.run(({ signIn }) => signIn())
      world.server.expireAccessTokens()
    }
    const spent = async () => {
      await tab.run(({ signIn }, lifeSeconds) => signIn({ lifeSeconds }), LIFE / 1000)
      world.server.expireAccessTokens()
      await tab.run(({ sleep }, life) => sleep(life), LIFE)
    }
    return { ...world, tab, echoes, refused, spent }
  }

  test('each kind of body that met an expired session arrives whole, and is accepted once', async () => {
    const { tab, refused, echoes } = await signedIn()
    for (const kind of ALL) {
      await refused()
      const before = echoes()
      expect(await tab.run(sendBodies, [kind])).toEqual([{ kind, came: 200, protocol, isIntact: true }])
      expect({ kind, ...echoes() }).toEqual({ kind, accepted: before.accepted + 1, refused: before.refused + 1 })
    }
  })

  test('each kind of body that was held arrives whole, and is sent once', async () => {
    const { tab, spent, echoes } = await signedIn()
    for (const kind of ALL) {
      await spent()
      const before = echoes()
      expect(await tab.run(sendBodies, [kind])).toEqual([{ kind, came: 200, protocol, isIntact: true }])
      expect({ kind, ...echoes() }).toEqual({ kind, accepted: before.accepted + 1, refused: 0 })
    }
  })

  test('fifty orders posted at once on a dead token: none lost, none doubled', async () => {
    const { tab, refused, server } = await signedIn()
    await refused()
    const statuses = await tab.run(({ session }) =>
      Promise.all(
        Array.from({ length: 50 }, async (_each, id) => {
          const init = { method: 'POST', body: JSON.stringify({ id: `order ${id}` }) }
          return (await session.fetch('/api/orders', init)).status
        }),
      ),
    )
    expect(statuses).toEqual(Array(50).fill(201))
    expect(Object.values(server.stats.orders)).toEqual(Array(50).fill(1))
    expect(server.stats.refreshes).toBe(1)
  })

  if (http2) {
    test('a stream that was held arrives whole, and is sent once', async () => {
      const { tab, spent, echoes } = await signedIn()
      for (const kind of ['ReadableStream', 'Request of ReadableStream']) {
        await spent()
        const before = echoes()
        expect(await tab.run(sendBodies, [kind])).toEqual([{ kind, came: 200, protocol, isIntact: true }])
        expect(echoes()).toEqual({ accepted: before.accepted + 1, refused: 0 })
      }
    })

    test.each(['ReadableStream', 'Request of ReadableStream'])(
      'a %s that met an expired session arrives whole',
      async (kind) => {
        const { tab, refused, echoes } = await signedIn()
        await refused()
        expect(await tab.run(sendBodies, [kind])).toEqual([{ kind, came: 200, protocol, isIntact: true }])
        expect(echoes()).toEqual({ accepted: 1, refused: 1 })
      },
    )
  } else {
    test('a stream is what the browser says: a TypeError, and the server hears nothing', async () => {
      const { tab, refused, echoes } = await signedIn()
      await refused()
      expect(await tab.run(sendBodies, ['ReadableStream'])).toEqual([{ kind: 'ReadableStream', came: 'TypeError' }])
      expect(echoes()).toEqual({ accepted: 0, refused: 0 })
    })
  }
})
