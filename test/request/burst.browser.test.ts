// What a page's thousand requests go through when the session has expired, over the sample server on the page's own origin.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { disposeAll, knownExpired, sample, serverExpired } from '../support/page.ts'

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
