// No credential leaves for another origin: msw plays that origin, and shows what reached it.

import { http, HttpResponse } from 'msw'
import { setupWorker } from 'msw/browser'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { disposeAll, sample, serverExpired, signedIn } from '../support/page.ts'

const FOREIGN = 'https://elsewhere.test'
const reached: string[] = []
let status = 200

const record = async ({ request }: { request: Request }) => {
  reached.push([request.url, ...[...request.headers].flat(), await request.clone().text()].join('\n'))
  return HttpResponse.json({ from: 'elsewhere' }, { status, headers: { 'access-control-allow-origin': '*' } })
}
const worker = setupWorker(
  http.all(`${FOREIGN}/*`, record),
  http.all(FOREIGN.replace('https', 'http') + '/*', record),
  http.get('/api/away', () => HttpResponse.redirect(`${FOREIGN}/landing`, 302)),
)

beforeAll(() => worker.start({ quiet: true, onUnhandledRequest: 'bypass' }))
afterAll(async () => {
  worker.stop()
  for (const registration of await navigator.serviceWorker.getRegistrations()) await registration.unregister()
})
beforeEach(() => {
  reached.length = 0
  status = 200
  return sample.reset()
})
afterEach(disposeAll)

test.each([
  ['a GET', () => [`${FOREIGN}/a`, {}]],
  ['a POST', () => [`${FOREIGN}/a`, { method: 'POST', body: 'text' }]],
  ['a URL', () => [new URL(`${FOREIGN}/a`), {}]],
  ['a Request', () => [new Request(`${FOREIGN}/a`), {}]],
  ['a URL without a scheme', () => ['//elsewhere.test/a', {}]],
  ['backslashes', () => ['\\\\elsewhere.test\\a', {}]],
  ['a tab between the slashes', () => ['/\t/elsewhere.test/a', {}]],
  ['white space and capitals', () => [' HTTPS://ELSEWHERE.TEST/a', {}]],
] as [string, () => [RequestInfo | URL, RequestInit]][])('%s to another origin has no token', async (_, request) => {
  const session = await signedIn()
  const token = (await session.getToken())!
  await session.fetch(...request())
  expect(reached).toHaveLength(1)
  expect(reached[0]).not.toContain('authorization')
  expect(reached[0]).not.toContain(token.slice(-20))
})

test("another origin's 401 is its own: no refresh, no second request", async () => {
  const session = await serverExpired()
  status = 401
  const response = await session.fetch(`${FOREIGN}/a`)
  expect(response.status).toBe(401)
  expect(reached).toHaveLength(1)
  expect((await sample.stats()).refreshes).toBe(0)
})

test('a redirect to another origin takes no token along', async () => {
  const session = await signedIn()
  const token = (await session.getToken())!
  const response = await session.fetch('/api/away')
  expect(response.redirected).toBe(true)
  expect(reached).toHaveLength(1)
  expect(reached[0]).not.toContain(token.slice(-20))
})

test('an origin on the list gets the token, and only there', async () => {
  const session = await signedIn({ origins: [FOREIGN] })
  const token = (await session.getToken())!
  await session.fetch(`${FOREIGN}/a`)
  expect(reached[0]).toContain(token)
  expect((await session.fetch('/api/me')).status).toBe(401)
})
