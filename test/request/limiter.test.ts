// Requests that wait for a refresh: in which order they set out, how many at a time, and how many may wait at all.

import { createSession, defineBackend, QueueFullError, SessionEndedError } from 'resesh'
import { expect, onTestFinished, test } from 'vitest'
import { createClock, defer, settled, thrownBy, url } from '../support/session.ts'

const MOST_OUT = 100
const MOST_HELD = 10_000

/** A session whose one refresh, and whose every answer, come when the test says so. */
const holding = async (life = 60) => {
  const clock = createClock()
  const refresh = defer<{ accessToken: string } | null>()
  const sent: { path: string; answer(status: number): void; fail(): void; token: string | null }[] = []
  const fetch: typeof globalThis.fetch = (input, init) => {
    const { promise, resolve, reject } = defer<Response>()
    const token = new Headers(init?.headers).get('authorization')
    sent.push({
      path: (input as string).slice(url('/').length),
      token,
      answer: (status) => resolve(new Response(null, { status })),
      fail: () => reject(new TypeError('fetch failed')),
    })
    init?.signal?.addEventListener('abort', () => reject(init.signal!.reason as Error))
    return promise
  }
  const session = createSession({
    backend: defineBackend({ refresh: () => refresh.promise }),
    initial: { accessToken: 'first', expiresInSeconds: life },
    origins: [url('')],
    refreshAhead: 'never',
    platform: { ...clock.platform, fetch },
  })
  onTestFinished(session.dispose)
  await clock.pass(61_000)
  const paths = () => sent.map(({ path }) => path)
  const send = (count: number, init?: RequestInit, from = 0) =>
    Array.from({ length: count }, (_, nth) => session.fetch(url(`/${from + nth}`), init))
  const release = async (answer: { accessToken: string } | null = { accessToken: 'second' }) => {
    refresh.resolve(answer)
    await settled()
  }
  /** Answers whatever is out, until nothing is. @returns how many were out at once, at most. */
  const serve = async (status = 200) => {
    let most = 0
    for (let done = sent.length ? 0 : NaN; done < sent.length;) {
      const out = sent.slice(done)
      most = Math.max(most, out.length)
      done = sent.length
      out.forEach(({ answer }) => answer(status))
      await settled()
    }
    return most
  }
  return { session, sent, paths, send, release, serve }
}

const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, nth) => String(from + nth))

test('those that were held set out in the order they came, a hundred at a time', async () => {
  const { send, paths, release, serve } = await holding()
  const { signal } = new AbortController()
  const answers = [...send(50), ...send(100, { signal }, 50), ...send(200, { method: 'POST', body: '{}' }, 150)]
  await release()
  expect(paths()).toEqual(numbers(MOST_OUT))
  expect(await serve()).toBe(MOST_OUT)
  expect(paths()).toEqual(numbers(350))
  expect((await Promise.all(answers)).every(({ ok }) => ok)).toBe(true)
})

test('those that met an expired session set out again in the order they came, a hundred at a time', async () => {
  const { session, send, sent, paths, release, serve } = await holding(3600)
  const answers = send(350)
  expect(sent).toHaveLength(350) // as many as the app wants: only who waited has to queue
  sent.splice(0).forEach(({ answer }) => answer(401))
  await settled()
  await release()
  expect(paths()).toEqual(numbers(MOST_OUT))
  expect(await serve()).toBe(MOST_OUT)
  expect(paths()).toEqual(numbers(350))
  expect((await Promise.all(answers)).every(({ ok }) => ok)).toBe(true)
  expect(await session.getToken()).toBe('second')
})

test('each answer lets one more set out, be it good or bad', async () => {
  const { send, sent, release, serve } = await holding()
  const answers = send(MOST_OUT + 4)
  const lost = thrownBy(answers[1]!)
  await release()
  sent[0]!.answer(200)
  await settled()
  expect(sent).toHaveLength(MOST_OUT + 1)
  sent[1]!.fail()
  await settled()
  expect(sent).toHaveLength(MOST_OUT + 2)
  sent[2]!.answer(500)
  await settled()
  expect(sent).toHaveLength(MOST_OUT + 3)
  await serve()
  expect(await lost).toEqual(new TypeError('fetch failed'))
  const outcomes = await Promise.allSettled(answers)
  expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(1)
})

test('one that did not wait does not queue behind those that did', async () => {
  const { session, send, paths, release, serve } = await holding()
  const answers = send(MOST_OUT + 50)
  await release()
  const late = session.fetch(url('/late'))
  expect(paths().at(-1)).toBe('late')
  await serve()
  expect((await Promise.all([late, ...answers])).every(({ ok }) => ok)).toBe(true)
})

test('an abort frees one that queues at once; it is never sent, and the others move up', async () => {
  const { session, send, paths, release, serve } = await holding()
  const caller = new AbortController()
  const before = send(MOST_OUT + 5)
  const leaving = thrownBy(session.fetch(url('/leaving'), { signal: caller.signal }))
  const after = send(MOST_OUT - 4, {}, MOST_OUT + 5)
  await release()
  caller.abort('gone')
  expect(await leaving).toBe('gone')
  expect(paths()).toEqual(numbers(MOST_OUT)) // nobody took a place that was not free
  expect(await serve()).toBe(MOST_OUT)
  expect(paths()).toEqual(numbers(2 * MOST_OUT + 1))
  expect((await Promise.all([...before, ...after])).every(({ ok }) => ok)).toBe(true)
})

test('an abort in the very moment of its turn costs no place', async () => {
  const { session, send, sent, paths, release } = await holding()
  const caller = new AbortController()
  void send(MOST_OUT)
  const leaving = thrownBy(session.fetch(url('/leaving'), { signal: caller.signal }))
  void send(1, {}, MOST_OUT)
  session.on('trace', ({ type }) => type === 'response' && caller.abort('gone'))
  await release()
  sent[0]!.answer(200)
  expect(await leaving).toBe('gone')
  await settled()
  expect(paths()).toEqual(numbers(MOST_OUT + 1))
})

test('an abort of one that is out lets the next one set out', async () => {
  const { session, send, paths, release } = await holding()
  const caller = new AbortController()
  const leaving = thrownBy(session.fetch(url('/leaving'), { signal: caller.signal }))
  void send(MOST_OUT)
  await release()
  expect(paths()).toHaveLength(MOST_OUT)
  caller.abort('gone')
  expect(await leaving).toBe('gone')
  await settled()
  expect(paths()).toHaveLength(MOST_OUT + 1)
})

test('a sign-out rejects those that queue, and they are never sent', async () => {
  const { session, send, paths, release, serve } = await holding()
  const answers = send(MOST_OUT + 20)
  const outcomes = Promise.allSettled(answers)
  await release()
  await session.signOut({ local: true })
  await serve()
  const rejected = (await outcomes).filter(({ status }) => status === 'rejected')
  expect(rejected).toHaveLength(20)
  expect((rejected[0] as PromiseRejectedResult).reason).toBeInstanceOf(SessionEndedError)
  expect(paths()).toEqual(numbers(MOST_OUT))
})

test('another user who signs in rejects those that queue, and they are never sent as the other', async () => {
  const { session, send, sent, release, serve } = await holding(3600)
  const answers = send(MOST_OUT + 20)
  const outcomes = Promise.allSettled(answers)
  sent.splice(0).forEach(({ answer }) => answer(401))
  await settled()
  await release()
  await session.signIn({ accessToken: 'of-another' })
  await serve()
  expect((await outcomes).slice(MOST_OUT).map(({ status }) => status)).toEqual(Array(20).fill('rejected'))
  expect(sent.filter(({ token }) => token === 'Bearer of-another')).toEqual([])
})

test('ten thousand may wait; the next one is told so at once, and not sent', async () => {
  const { send, session, paths, release, serve } = await holding()
  const answers = send(MOST_HELD)
  const error = await thrownBy(session.fetch(url('/one-too-many?secret'), { method: 'POST' }))
  expect(error).toBeInstanceOf(QueueFullError)
  expect(String(error)).toContain(`POST ${url('/one-too-many')}: not sent, since 10000 requests wait`)
  await release()
  await serve()
  expect((await Promise.all(answers)).every(({ ok }) => ok)).toBe(true)
  expect(paths()).toEqual(numbers(MOST_HELD))
  const next = session.fetch(url('/next'))
  await serve()
  expect((await next).ok).toBe(true)
})

const fits = defineBackend({ refresh: async () => null })

test('one too many while nobody knows who is signed in: nothing rejects behind anybody’s back', async () => {
  const clock = createClock()
  const backend = { ...fits, restore: () => new Promise<never>(() => {}) }
  const session = createSession({ backend, origins: [url('')], platform: clock.platform })
  onTestFinished(session.dispose)
  const unheard: unknown[] = []
  const hear = (reason: unknown) => unheard.push(reason)
  process.on('unhandledRejection', hear)
  onTestFinished(() => void process.off('unhandledRejection', hear))
  const all = Promise.allSettled(Array.from({ length: 10_001 }, () => session.fetch(url('/api'))))
  await clock.pass(10_001)
  expect((await all).at(-1)).toMatchObject({ reason: { code: 'ERR_QUEUE_FULL' } })
  await settled()
  expect(unheard).toEqual([])
})
