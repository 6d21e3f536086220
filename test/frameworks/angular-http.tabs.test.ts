// Angular's HttpClient over a session: its requests are held, sent again and refused as those of `session.fetch`.

import { beforeAll, describe, expect, test } from 'vitest'
import type { HttpPage } from './pages/angular-http.ts'
import { useSites } from './support/browser.ts'
import { bundle } from './support/bundle.ts'

declare const page: HttpPage

const site = useSites({ mayComplain: /NG02801/ }) // Angular recommends withFetch()
let script: string
beforeAll(async () => {
  script = await bundle(`import './pages/angular-http.ts'`)
})

const open = async (query: string) => {
  const { open: openPage, server } = await site({ script })
  const opened = await openPage()
  await opened.goto(opened.url() + query)
  await opened.waitForFunction('globalThis.page')
  await opened.evaluate(() => page.signIn())
  return { opened, server }
}

describe.each([
  ['XMLHttpRequest', '?'],
  ['fetch', '?fetch'],
])('over %s', (_, query) => {
  test('an expired session: one refresh, and every request is answered, with its own body and headers', async () => {
    const { opened, server } = await open(query)
    server.expireAccessTokens()
    const answers = await opened.evaluate(() =>
      Promise.all([page.get('/api/items/1'), page.get('/api/items/2'), page.post('/api/echo', { a: 1 })]),
    )
    expect(answers).toMatchObject([
      { item: 1 },
      { item: 2 },
      { method: 'POST', body: btoa('{"a":1}'), headers: { 'x-mine': 'kept', 'content-type': 'application/json' } },
    ])
    expect(server.stats).toMatchObject({ refreshes: 1, byStatus: { 401: 3 } })
  })

  test('what the server refuses is an HttpErrorResponse; what the session refuses is its own error', async () => {
    const { opened, server } = await open(query)
    expect(await opened.evaluate(() => page.get('/api/nowhere'))).toEqual(['HttpErrorResponse', 404])
    expect(await opened.evaluate(() => page.get('/api/refused'))).toEqual(['HttpErrorResponse', 401])
    server.knobs.apiFailures = ['drop-before']
    expect(await opened.evaluate(() => page.get('/api/me'))).toEqual(['HttpErrorResponse', 0])
    server.expireAccessTokens()
    server.knobs.refreshDelayMs = 500
    const held = opened.evaluate(() => page.get('/api/me'))
    await expect.poll(() => server.stats.refreshesInFlight).toBe(1)
    await opened.evaluate(() => page.session.signOut({ local: true }))
    expect(await held).toEqual(['SessionEndedError', expect.any(String)])
  })

  test('other things than JSON, progress, and a caller who leaves', async () => {
    const { opened } = await open(query)
    expect(await opened.evaluate(() => page.getText('/api/html'))).toContain('<!doctype html>')
    expect(await opened.evaluate(() => page.get('/api/empty'))).toBe(null)
    expect(await opened.evaluate(() => page.events('/api/echo', 'x'.repeat(1000)))).toEqual(
      expect.arrayContaining(['Sent', 'Response']),
    )
    const cancelled = opened.waitForEvent('requestfailed', (request) => request.url().includes('/api/slow'))
    await opened.evaluate(() => page.cancel('/api/slow?ms=60000'))
    expect((await cancelled).failure()?.errorText).toBe('net::ERR_ABORTED')
  })

  test('a predicate that reads the body of an answer finds it', async () => {
    const { opened, server } = await open(`${query}&graphql`)
    const refused = JSON.stringify({ errors: [{ message: 'no', extensions: { code: 'UNAUTHENTICATED' } }] })
    server.knobs.apiFailures = [{ status: 200, body: refused }]
    expect(await opened.evaluate(() => page.get('/api/items/7'))).toEqual({ item: 7 })
    expect(server.stats.refreshes).toBe(1)
  })

  test('a backend whose credentials must not follow a redirect is refused', async () => {
    const { opened } = await open(`${query}&own-header`)
    expect(await opened.evaluate(() => page.get('/api/me'))).toEqual([
      'TypeError',
      expect.stringContaining('redirects'),
    ])
  })
})
