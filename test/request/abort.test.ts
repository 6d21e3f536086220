// Whoever aborts is free at once, whatever the request waits for, and its signal keeps nothing.

import { getEventListeners } from 'node:events'
import { defineBackend } from 'resesh'
import { expect, test } from 'vitest'
import { createClock, createWire, jwt, settled, setup, thrownBy, url } from '../support/session.ts'
import { holding } from './holding.ts'

test('an abort frees a request that waits for its replay, before the refresh ends', async () => {
  const state = await setup()
  const caller = new AbortController()
  const { release, responses } = await holding(state, [url('/api/items/1'), { signal: caller.signal }])
  caller.abort(new Error('gone'))
  expect(await thrownBy(responses[0]!)).toEqual(new Error('gone')) // nothing was released yet
  release()
})

test('an aborted request that waited is never sent again, and the others are served', async () => {
  const state = await setup()
  const caller = new AbortController()
  const { release, responses } = await holding(
    state,
    [url('/api/items/1'), { signal: caller.signal }],
    [url('/api/items/2')],
  )
  caller.abort()
  release()
  expect((await responses[1]!).status).toBe(200)
  await settled()
  expect(state.wire.to('/api/items/1')).toHaveLength(1)
})

test('an aborted request that was held unsent never reaches the server, and the others are served', async () => {
  const clock = createClock()
  const { session, wire } = await setup({}, { clock })
  await clock.pass(61_000)
  const refresh = wire.hold('/auth/refresh')
  const caller = new AbortController()
  const leaving = thrownBy(session.fetch(url('/api/items/1'), { signal: caller.signal }))
  const staying = session.fetch(url('/api/items/2'))
  await refresh.arrived
  caller.abort('gone')
  expect(await leaving).toBe('gone')
  refresh.release()
  expect((await staying).status).toBe(200)
  await settled()
  expect(wire.to('/api/items/1')).toEqual([])
})

test('an abort frees a request that waits to learn who is signed in', async () => {
  const restore = () => new Promise<never>(() => {})
  const backend = { ...defineBackend({ refresh: async () => null }), restore }
  const { session, wire } = await setup({ backend, initial: undefined as never, origins: [url('')] })
  const caller = new AbortController()
  const leaving = thrownBy(session.fetch(url('/api/me'), { signal: caller.signal }))
  caller.abort('gone')
  expect(await leaving).toBe('gone')
  expect(wire.sent).toEqual([])
})

test('an abort frees a request that waits out a failure', async () => {
  const clock = createClock()
  const { server, session } = await setup({}, { clock, knobs: { refreshFailures: [{ status: 503, retryAfter: 5 }] } })
  await clock.pass(61_000)
  const caller = new AbortController()
  const leaving = thrownBy(session.fetch(url('/api/me'), { signal: caller.signal }))
  await settled()
  expect(server.stats.refreshes).toBe(1)
  caller.abort('gone')
  expect(await leaving).toBe('gone')
})

test.each(['text', null, 0, new Error('mine')])('an abort hands over its reason as it is: %s', async (reason) => {
  const state = await setup()
  const caller = new AbortController()
  const { release, responses } = await holding(state, [url('/api/me'), { signal: caller.signal }])
  caller.abort(reason)
  expect(await thrownBy(responses[0]!)).toBe(reason)
  release()
})

test('an abort without a reason is an AbortError', async () => {
  const state = await setup()
  const caller = new AbortController()
  const { release, responses } = await holding(state, [url('/api/me'), { signal: caller.signal }])
  caller.abort()
  expect(await thrownBy(responses[0]!)).toMatchObject({ name: 'AbortError' })
  release()
})

test('a timeout signal that fires while the request waits is a TimeoutError', async () => {
  const state = await setup()
  const { release, responses } = await holding(state, [url('/api/me'), { signal: AbortSignal.timeout(20) }])
  expect(await thrownBy(responses[0]!)).toMatchObject({ name: 'TimeoutError' })
  release()
})

test("a Request's own signal frees it too", async () => {
  const state = await setup()
  const caller = new AbortController()
  const { release, responses } = await holding(state, [new Request(url('/api/me'), { signal: caller.signal })])
  caller.abort('gone')
  expect(await thrownBy(responses[0]!)).toBe('gone')
  release()
})

test('a request that was aborted before the call is rejected, and starts no refresh', async () => {
  const clock = createClock()
  const { server, session, wire } = await setup({}, { clock })
  await clock.pass(61_000)
  const error = await thrownBy(session.fetch(url('/api/me'), { signal: AbortSignal.abort('gone') }))
  expect(error).toBe('gone')
  await settled()
  expect(wire.to('/api/me')).toEqual([])
  expect(server.stats.refreshes).toBe(0)
})

test('a million requests with one long-lived signal never add more to it than one listener', async () => {
  const { signal } = new AbortController()
  const changes = { added: 0, removed: 0 }
  const { addEventListener, removeEventListener } = signal
  Object.assign(signal, {
    addEventListener: (...args: Parameters<typeof addEventListener>) => {
      changes.added++
      addEventListener.apply(signal, args)
    },
    removeEventListener: (...args: Parameters<typeof removeEventListener>) => {
      changes.removed++
      removeEventListener.apply(signal, args)
    },
  })
  let token = 0
  const backend = defineBackend({ refresh: async () => ({ accessToken: `token-${++token}` }) })
  const answer = new Response('served')
  const fetch: typeof globalThis.fetch = async (_input, init) =>
    (init!.headers as Headers).get('authorization') === `Bearer token-${token}`
      ? answer
      : new Response(null, { status: 401 })
  const { session } = await setup({
    backend,
    initial: { accessToken: 'token-0' },
    origins: [url('')],
    platform: { fetch },
  })
  let served = 0
  for (let wave = 1; wave <= 100; wave++) {
    for (let nth = 0; nth < 9_999; nth++) void session.fetch(url('/api'), { signal }).then(() => served++)
    await settled()
    expect(changes).toEqual({ added: wave - 1, removed: wave - 1 })
    token++ // and each ten thousandth waits for a refresh
    const { ok } = await session.fetch(url('/api'), { signal })
    if (ok) served++
    await settled()
    expect(changes).toEqual({ added: wave, removed: wave })
  }
  expect(served).toBe(1_000_000)
  expect(getEventListeners(signal, 'abort')).toEqual([])
}, 120_000)

test('ten thousand held requests with one long-lived signal leave no listener behind', async () => {
  const clock = createClock()
  const { signal } = new AbortController()
  const refresh = createWire(async () => new Response())
  const held = refresh.hold('/')
  const backend = defineBackend({
    async refresh(_credentials, io) {
      await io.fetch(url('/'))
      return { accessToken: jwt({}) }
    },
  })
  const fetch: typeof globalThis.fetch = async (input, init) =>
    input === url('/') ? refresh.fetch(input, init) : new Response('served')
  const { session } = await setup(
    { backend, initial: { accessToken: 'first', expiresInSeconds: 60 }, origins: [url('')], platform: { fetch } },
    { clock },
  )
  await clock.pass(61_000)
  const requests = Array.from({ length: 10_000 }, () => session.fetch(url('/api'), { signal }))
  await held.arrived
  expect(getEventListeners(signal, 'abort')).toHaveLength(1) // one for them all
  held.release()
  await Promise.all(requests)
  expect(getEventListeners(signal, 'abort')).toEqual([])
})
