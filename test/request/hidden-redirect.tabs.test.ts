// A session that is over for a gateway: it sends each request to a login page of another origin, which the browser hides behind
// the TypeError of an outage.

import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { type Tab, useTabs } from '../support/tabs.ts'

declare const Resesh: typeof import('../../src/global.ts')
declare const Expired: typeof import('../../src/expired.ts')

const world = useTabs()
let predicates: string

beforeAll(async () => {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('../../src/expired.ts', import.meta.url))],
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'Expired',
    target: 'es2022',
  })
  predicates = outputFiles[0]!.text
})

/** A login page, on an origin of its own: it knows nothing of CORS. What reached it is in `heard`. */
const loginPage = async () => {
  const heard: string[] = []
  const http = createServer((message, response) => {
    heard.push(JSON.stringify([message.method, message.url, message.rawHeaders]))
    response.writeHead(200, { 'content-type': 'text/html' }).end('Please sign in')
  })
  await new Promise<void>((done) => http.listen(0, '127.0.0.1', done))
  onTestFinished(() => {
    http.closeAllConnections()
    http.close()
  })
  return { heard, url: `http://127.0.0.1:${(http.address() as { port: number }).port}/login` }
}

interface Gateway {
  /** Whether it is down. */
  isDown: boolean
  /** Even fresh tokens are sent to the login page. */
  isClosed: boolean
  /** The API is on another origin than the page. */
  isElsewhere: boolean
}

/** A page whose API answers refusals with a redirect, and a session there that looks for those. Its token is dead. */
const gated = async (how: Partial<Gateway> = {}) => {
  const login = await loginPage()
  const each = await world()
  const asked: string[] = []
  const { handle } = each.server
  each.server.handle = async (request, host) => {
    const { pathname } = new URL(request.url)
    if (!pathname.startsWith('/api/') || request.method === 'OPTIONS') return handle(request, host)
    asked.push(request.method)
    if (how.isDown) return 'drop'
    const answer = (await handle(request, host)) as Response
    if (answer.status !== 401 && !how.isClosed) return answer
    const headers = new Headers(answer.headers)
    headers.set('location', login.url)
    return new Response(null, { status: 302, headers })
  }
  const [tab] = await each.open(1)
  await tab!.page.addScriptTag({ content: predicates })
  const api = how.isElsewhere ? each.origin.replace('127.0.0.1', 'localhost') : each.origin
  await tab!.run(async (inPage, at) => {
    const { bearer, createSession } = Resesh
    const { anyOf, hiddenRedirect, status } = Expired
    const session = createSession({
      name: 'gated',
      refreshAhead: 'never',
      backend: bearer({ refreshUrl: `${at}/auth/refresh` }),
      origins: [at],
      isExpired: anyOf(status(401), hiddenRedirect()),
    })
    const body = JSON.stringify({ username: 'ann', password: 'secret' })
    await session.signIn(await (await fetch('/auth/login', { method: 'POST', body })).json())
    inPage.session = session
  }, api)
  const token = await tab!.run(({ session }) => session.getToken())
  each.server.expireAccessTokens()
  /** What comes of each: a status, a type, or an error. */
  const ask = (method: string, count = 1) =>
    (tab as Tab).run(
      ({ session }, { at, verb, times }) =>
        Promise.all(
          Array.from({ length: times }, (_, nth) =>
            session.fetch(`${at}/api/${verb === 'POST' ? 'orders' : `items/${nth}`}`, { method: verb }).then(
              ({ status, type }) => (status ? `${status}` : type),
              ({ name }: Error) => name,
            ),
          ),
        ),
      { at: api, verb: method, times: count },
    )
  return { ...login, token: token!, ask, asked, server: each.server }
}

const count = (asked: readonly string[], method: string) => asked.filter((each) => each === method).length

test.each([
  ['the page’s own API', false],
  ['an API on another origin, whose redirect has its CORS headers', true],
])('%s: twenty requests, one probe, one refresh; no token reaches the login page', async (_, isElsewhere) => {
  const { ask, asked, heard, server, token } = await gated({ isElsewhere })
  expect(await ask('GET', 20)).toEqual(Array.from({ length: 20 }, () => '200'))
  expect([count(asked, 'HEAD'), count(asked, 'GET')]).toEqual([1, 40])
  expect(server.stats.refreshes).toBe(1)
  expect(heard.length).toBeGreaterThan(0)
  expect(heard.filter((each) => /authorization/i.test(each) || each.includes(token.slice(-20)))).toEqual([])
  expect(heard.filter((each) => each.startsWith('["HEAD"'))).toEqual([])
})

test('an outage is an outage: it rejects as ever, and nothing is refreshed', async () => {
  const how = { isDown: true }
  const { ask, asked, server } = await gated(how)
  expect(await ask('GET', 5)).toEqual(Array.from({ length: 5 }, () => 'TypeError'))
  expect(count(asked, 'GET')).toBe(5)
  expect(server.stats.refreshes).toBe(0)
  how.isDown = false
  expect(await ask('GET')).toEqual(['200'])
})

test('a login page that stays is handed back as the redirect it is, after one refresh', async () => {
  const { ask, asked, server } = await gated({ isClosed: true })
  expect(await ask('GET')).toEqual(['opaqueredirect'])
  expect(count(asked, 'GET')).toBe(2)
  expect(server.stats.refreshes).toBe(1)
})

test('an order is not sent twice: nobody knows whether it was accepted', async () => {
  const { ask, asked, server } = await gated()
  expect(await ask('POST')).toEqual(['TypeError'])
  expect(asked).toEqual(['POST'])
  expect(server.stats.refreshes).toBe(0)
})
