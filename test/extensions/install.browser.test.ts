// The opt-in patch of the page's own fetch.

import { installFetch } from 'resesh/install-fetch'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { disposeAll, sample, serverExpired, signedIn } from '../support/page.ts'

beforeEach(() => sample.reset())
afterEach(disposeAll)

const many = (count: number, request: (nth: number) => Promise<Response>): Promise<Response[]> =>
  Promise.all(Array.from({ length: count }, (_, nth) => request(nth)))

describe('install()', () => {
  test("patches window.fetch for code that isn't ours, and its undo leaves no trace", async () => {
    const before = window.fetch
    const session = await serverExpired()
    const undo = installFetch(session)
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
    const undo = installFetch(session)
    const response = await window.fetch('/api/me')
    undo()
    expect(response).toBeInstanceOf(Response)
    expect(response).toMatchObject({ url: new URL('/api/me', location.href).href, type: 'basic', redirected: false })
    expect(response.body).toBeInstanceOf(ReadableStream)
  })

  test('undone under a later wrapper passes through', async () => {
    const before = window.fetch
    const session = await signedIn()
    const undo = installFetch(session)
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
