// A ky instance over a session: the newest ky, and the oldest that is promised.

import ky2 from 'ky'
import ky1 from 'ky-1'
import { createKy } from 'resesh/ky'
import { describe, expect, test, vi } from 'vitest'
import { setup, thrownBy, url } from '../support/session.ts'

test('createKy reads JSON through an expired session, with one refresh', async () => {
  const { server, session } = await setup()
  const api = createKy(session, { prefix: url('/api') })
  server.expireAccessTokens()
  expect(await api.get('me').json()).toMatchObject({ name: 'Ann' })
  expect(server.stats.refreshes).toBe(1)
})

describe('createKy over ky 1, which npm installs on Node 20', () => {
  test.each(['prefix', 'baseUrl'])('refuses %s, which ky 1 would ignore in silence', async (name) => {
    vi.resetModules()
    vi.doMock('ky', () => import('ky-1'))
    const { createKy: overKy1 } = await import('resesh/ky')
    const { session, wire } = await setup()
    expect(() => overKy1(session, { [name]: url('/api') })).toThrow(/ky 1 is installed: use `prefixUrl`/)
    await overKy1(session, { prefixUrl: url('/api') } as object).get('me')
    expect(wire.sent[0]!.path).toBe('/api/me')
    vi.doUnmock('ky')
  })
})

test('createKy keeps the other options', async () => {
  const { session, wire } = await setup()
  await createKy(session, { headers: { 'x-a': 'b' } }).get(url('/api/me'))
  expect(wire.sent[0]!.headers.get('x-a')).toBe('b')
})

describe.each([
  ['2', ky2],
  ['1', ky1 as unknown as typeof ky2],
])('ky %s', (_, ky) => {
  test('a hundred requests that only the server knows to be expired: one refresh, no failure', async () => {
    const { server, session } = await setup()
    const api = ky.create({ fetch: session.fetch })
    server.expireAccessTokens()
    const all = await Promise.all(Array.from({ length: 100 }, (_each, i) => api.get(url(`/api/items/${i}`)).json()))
    expect(all).toHaveLength(100)
    expect(server.stats.refreshes).toBe(1)
  })

  test('a JSON body is replayed as it was', async () => {
    const { server, session } = await setup()
    const api = ky.create({ fetch: session.fetch })
    server.expireAccessTokens()
    const { body } = await api.post(url('/api/echo'), { json: { a: 1 } }).json<{ body: string }>()
    expect(Buffer.from(body, 'base64').toString()).toBe('{"a":1}')
  })

  test('its own retries never see the expired session', async () => {
    const { server, session, wire } = await setup()
    const retries: unknown[] = []
    const beforeRetry = [(state: unknown) => void retries.push(state)]
    const api = ky.create({ fetch: session.fetch, retry: { limit: 2, statusCodes: [401] }, hooks: { beforeRetry } })
    server.expireAccessTokens()
    await api.get(url('/api/me'))
    expect(retries).toEqual([])
    expect(wire.to('/api/me')).toHaveLength(2)
  })

  test('a 401 that is the word of the server is its HTTPError', async () => {
    const { session } = await setup()
    const api = ky.create({ fetch: session.fetch, retry: 0 })
    expect(await thrownBy(api.get(url('/api/refused')).json())).toMatchObject({
      name: 'HTTPError',
      response: { status: 401 },
    })
  })

  test('an abort reaches a request that waits', async () => {
    const { server, session, wire } = await setup()
    const api = ky.create({ fetch: session.fetch, retry: 0 })
    server.expireAccessTokens()
    const refresh = wire.hold('/auth/refresh')
    const caller = new AbortController()
    const leaving = thrownBy(api.get(url('/api/me'), { signal: caller.signal }).json())
    await refresh.arrived
    caller.abort(new Error('gone'))
    expect(await leaving).toEqual(new Error('gone'))
    refresh.release()
  })
})
