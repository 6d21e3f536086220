// Server-sent events of a session, over both versions of the package that it is built on.

import type { Json, SessionOptions } from 'resesh'
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { createSampleServer } from '../servers/sample/server.ts'
import { createPage } from '../support/listening-page.ts'
import { createClock, login, ORIGIN, settled, setup, url } from '../support/session.ts'

const minute = 60_000
interface Stream {
  readonly headers: Headers
  readonly url: string
  say(text: string): void
  drop(): void
  end(): void
  readonly isLeft: boolean
}

describe.each([4, 5])('eventsource %i', (number) => {
  beforeEach(() => {
    vi.resetModules()
    if (number === 5) vi.doMock('eventsource', () => import('eventsource-5'))
    onTestFinished(() => vi.doUnmock('eventsource'))
    // The package has its own timer for the pause before it comes back.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
  })

  /** Ann is signed in, and her stream is being opened. `answers` are what the next connections meet in place of a stream. */
  const start = async (options: Partial<SessionOptions> = {}, lifeSeconds = 86_400) => {
    const { openEventSource } = await import('../../src/adapters/event-source.ts')
    const { EventSource } = await import('eventsource')
    const isFive = EventSource === (await import('eventsource-5')).EventSource
    expect(isFive).toBe(number === 5)
    const [clock, page] = [createClock(), createPage()]
    const knobs = { accessTokenLifeSeconds: lifeSeconds, sessionLifeSeconds: 30 * 86_400 }
    const server = createSampleServer({ now: clock.now, knobs })
    const streams: Stream[] = []
    const answers: (Response | 'drop')[] = []
    const state = await setup({ refreshAhead: 'never', ...options, platform: page.platform }, { server, clock })
    const handle = server.handle
    server.handle = async (request, host) => {
      if (!request.url.startsWith(url('/api/events'))) return handle(request, host)
      const me = await handle(new Request(url('/api/me'), { headers: request.headers }))
      if (me === 'drop' || !me.ok) return me
      return answers.shift() ?? open(request)
    }

    function open({ headers, url: to, signal }: Request) {
      const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
      const writer = writable.getWriter()
      let isLeft = false
      signal.addEventListener('abort', () => (isLeft = true))
      streams.push({
        headers,
        url: to,
        say: (text) => void writer.write(new TextEncoder().encode(text)).catch(() => {}),
        drop: () => void writer.abort(new TypeError('network error')).catch(() => {}),
        end: () => void writer.close().catch(() => {}),
        get isLeft() {
          return isLeft
        },
      })
      return new Response(readable, { headers: { 'content-type': 'text/event-stream' } })
    }

    const listen = () => {
      const source = openEventSource(state.session, url('/api/events'))
      onTestFinished(() => source.close())
      const heard: Json[] = []
      source.addEventListener('open', () => heard.push({ event: 'open' }))
      source.addEventListener('message', ({ data }) => heard.push({ event: 'message', data: data as unknown }))
      source.addEventListener('error', ({ code, message }) => heard.push({ event: 'error', code, message }))
      return { source, heard }
    }

    /** Time passes, for the session and for the package. */
    const pass = async (ms: number) => {
      for (let left = ms; left > 0; left -= 500) {
        vi.advanceTimersByTime(500)
        await clock.pass(500)
      }
    }
    const opened = listen()
    await settled()
    return { ...state, ...opened, clock, page, server, streams, answers, listen, pass }
  }

  const bearerOf = ({ headers }: Stream) => headers.get('authorization')

  test('it opens with the credentials of the session, in a header, and tells events', async () => {
    const { session, streams, heard } = await start()
    streams[0]!.say('data: one\n\ndata: two\n\n')
    await settled()
    expect(heard).toEqual([{ event: 'open' }, { event: 'message', data: 'one' }, { event: 'message', data: 'two' }])
    expect(streams).toMatchObject([{ url: url('/api/events') }])
    expect(bearerOf(streams[0]!)).toBe(`Bearer ${await session.getToken()}`)
  })

  test('after an expiry it refreshes first; refused by the server, it shares the refresh of the requests', async () => {
    const { session, server, clock, streams, listen, wire } = await start({}, 300)
    await clock.pass(301_000)
    listen()
    await settled()
    expect(server.stats.refreshes).toBe(1)
    expect(wire.to('/api/events')).toHaveLength(2)
    server.expireAccessTokens()
    listen()
    const answers = await Promise.all([session.fetch(url('/api/me')), session.fetch(url('/api/me'))])
    await settled()
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
    expect(server.stats.refreshes).toBe(2)
    expect(streams).toHaveLength(3)
  })

  test('a loss: it comes back from the last event, with the token of then', async () => {
    const { session, streams, heard, pass, source } = await start()
    streams[0]!.say('id: 7\ndata: one\n\n')
    await settled()
    await session.refresh()
    streams[0]!.drop()
    await pass(10_000)
    expect(source.readyState).toBe(source.OPEN)
    expect(streams[1]!.headers.get('last-event-id')).toBe('7')
    expect(bearerOf(streams[1]!)).toBe(`Bearer ${await session.getToken()}`)
    expect(heard).toMatchObject([{ event: 'open' }, { event: 'message' }, { event: 'error' }, { event: 'open' }])
  })

  test('a server that fails is asked again, after growing pauses', async () => {
    const { answers, streams, pass, source, wire } = await start()
    answers.push(...[503, 429, 500, 502].map((status) => new Response('', { status })), 'drop')
    streams[0]!.drop()
    await pass(5 * minute)
    expect(source.readyState).toBe(source.OPEN)
    expect(wire.to('/api/events')).toHaveLength(7)
  })

  test('a server that ends each stream at once is not asked all the time', async () => {
    const { streams, pass, wire } = await start()
    for (let nth = 0; nth < 600; nth++) {
      streams.at(-1)!.end()
      await pass(1_000)
    }
    expect(wire.to('/api/events').length).toBeGreaterThan(5)
    expect(wire.to('/api/events').length).toBeLessThan(25)
  })

  test('a refusal closes it, and is told with its status', async () => {
    const { answers, listen, pass, streams, wire } = await start()
    answers.push(new Response('', { status: 403 }))
    const { source, heard } = listen()
    await settled()
    expect(source.readyState).toBe(source.CLOSED)
    expect(heard).toMatchObject([{ event: 'error', code: 403 }])
    await pass(minute)
    expect([wire.to('/api/events').length, streams.length]).toEqual([2, 1])
  })

  test('offline it waits, and comes back with the network', async () => {
    const { page, streams, pass, source, wire } = await start()
    page.goOffline()
    streams[0]!.drop()
    await pass(10 * minute)
    expect(wire.to('/api/events')).toHaveLength(1)
    page.comeBack()
    await pass(5_000)
    expect([source.readyState, streams.length]).toEqual([source.OPEN, 2])
  })

  test('after a sleep, and after a time without network, the connection is made anew', async () => {
    const { page, clock, streams, pass, source, server } = await start({}, 300)
    clock.setWall(clock.now() + 60 * minute)
    page.dispatch('visibilitychange')
    await pass(5_000)
    expect([source.readyState, streams.length, server.stats.refreshes]).toEqual([source.OPEN, 2, 1])
    expect(streams[0]!.isLeft).toBe(true)
    page.goOffline()
    page.comeBack()
    await pass(5_000)
    expect([source.readyState, streams.length]).toEqual([source.OPEN, 3])
    expect(streams[1]!.isLeft).toBe(true)
  })

  test.each(['a sign-out', 'the end by the server', 'another user', 'dispose'])(
    '%s closes it for good',
    async (how) => {
      const { session, server, streams, pass, source, heard } = await start()
      if (how === 'a sign-out') await session.signOut()
      if (how === 'another user') await session.signIn(await login(server, 'bob'))
      if (how === 'dispose') session.dispose()
      if (how === 'the end by the server') {
        server.revoke('ann')
        await session.fetch(url('/api/me'))
      }
      expect(source.readyState).toBe(source.CLOSED)
      streams[0]!.say('data: for nobody\n\n')
      if (how === 'a sign-out') await session.signIn(await login(server, 'ann'))
      await pass(minute)
      expect([source.readyState, streams.length, streams[0]!.isLeft]).toEqual([source.CLOSED, 1, true])
      expect(heard).toEqual([{ event: 'open' }])
    },
  )

  test('another user who signs in while it waits to come back closes it', async () => {
    const { session, server, streams, pass, source } = await start()
    streams[0]!.drop()
    await settled()
    await session.signIn(await login(server, 'bob'))
    await pass(minute)
    expect([source.readyState, streams.length]).toEqual([source.CLOSED, 1])
  })

  test('with nobody signed in it waits, and opens as the first who signs in', async () => {
    const { session, server, streams, listen, pass, wire } = await start()
    await session.signOut()
    const { source } = listen()
    await pass(10 * minute)
    expect([source.readyState, wire.to('/api/events').length]).toEqual([source.CONNECTING, 1])
    await session.signIn(await login(server, 'bob'))
    await settled()
    expect(source.readyState).toBe(source.OPEN)
    expect(bearerOf(streams[1]!)).toBe(`Bearer ${await session.getToken()}`)
  })

  test('close() leaves no timer, and nothing that listens', async () => {
    const { source, clock, pass, streams } = await start()
    source.close()
    await settled()
    expect([clock.waiting, streams[0]!.isLeft]).toEqual([0, true])
    await pass(minute)
    expect(streams).toHaveLength(1)
  })

  test('the token is in no URL, error or event', async () => {
    const { session, heard, streams, answers, pass, wire } = await start()
    answers.push(new Response('', { status: 503 }))
    streams[0]!.drop()
    await pass(minute)
    const token = (await session.getToken())!
    expect(heard.length).toBeGreaterThan(2)
    expect(JSON.stringify(heard) + wire.sent.map((each) => each.url).join()).not.toContain(token)
    expect(wire.sent.every((each) => each.url.startsWith(ORIGIN))).toBe(true)
  })
})
