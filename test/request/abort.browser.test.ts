// An abort in a page, whatever its request is at.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { disposeAll, knownExpired, sample, serverExpired, signedIn, sleep } from '../support/page.ts'

beforeEach(() => sample.reset())
afterEach(disposeAll)

const many = (count: number, request: (nth: number) => Promise<Response>): Promise<Response[]> =>
  Promise.all(Array.from({ length: count }, (_, nth) => request(nth)))

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
