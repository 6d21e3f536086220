// The file for a script tag, as `npm run build` leaves it, in a page that knows nothing else: no module, no bundler.

import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type * as Global from '../../src/global.ts'
import { toNode } from '../servers/sample/node.ts'
import { createSampleServer, isSamplePath } from '../servers/sample/server.ts'
import { findBrowser } from '../setup/browser.mjs'

declare const Resesh: typeof Global

const script = new URL('../../dist/resesh.global.js', import.meta.url)
const html = '<!doctype html><title>plain</title><script src="/resesh.global.js"></script>'

const sample = createSampleServer()
let server: Server
let browser: Browser
let page: Page
let origin = ''
const errors: unknown[] = []

beforeAll(async () => {
  const code = await readFile(script)
  const answer = toNode(sample)
  server = createServer((request, response) => {
    const { url = '/' } = request
    if (isSamplePath(url)) return void answer(request, response)
    const isScript = url === '/resesh.global.js'
    response.writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html' })
    response.end(isScript ? code : html)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  browser = await chromium.launch({ executablePath: (await findBrowser()) ?? '' })
})
afterAll(async () => {
  await browser?.close()
  server?.closeAllConnections()
  await new Promise((done) => server?.close(done))
})
beforeEach(async () => {
  sample.reset()
  errors.length = 0
  page = await (await browser.newContext()).newPage()
  page.on('pageerror', (error) => errors.push(error))
  // The browser itself reports each 401; of the session nothing is to be heard.
  page.on('console', (message) => message.text().startsWith('Failed to load resource') || errors.push(message.text()))
  await page.goto(origin)
})
afterEach(async () => {
  await page.context().close()
  expect(errors).toEqual([])
})

test('is one global, and touches nothing else', async () => {
  const names = await page.evaluate(() => {
    const frame = document.body.appendChild(document.createElement('iframe'))
    const plain = new Set(Object.getOwnPropertyNames(frame.contentWindow!))
    return Object.getOwnPropertyNames(window).filter((name) => !plain.has(name) && !/^\d+$/.test(name))
  })
  expect(names).toEqual(['Resesh'])
  expect(await page.evaluate(() => Object.keys(Resesh))).toEqual(
    expect.arrayContaining(['createSession', 'defineBackend', 'bearer', 'cookie', 'oauth2', 'SessionError']),
  )
})

test('keeps a session alive from sign-in to sign-out', async () => {
  const found = await page.evaluate(async () => {
    const session = Resesh.createSession({
      backend: Resesh.bearer({ refreshUrl: '/auth/refresh', signOutUrl: '/auth/logout' }),
      initial: null,
    })
    const reasons: unknown[] = []
    session.on('change', ({ reason }) => reasons.push(reason))
    await session.signIn(async ({ fetch }) => {
      const body = JSON.stringify({ username: 'ann', password: 'secret' })
      const { accessToken, refreshToken, expiresIn, user } = await (
        await fetch('/auth/login', { method: 'POST', body })
      ).json()
      return { accessToken, refreshToken, expiresInSeconds: expiresIn, user }
    })
    await fetch('/sample/expire', { method: 'POST' })
    const all = await Promise.all(Array.from({ length: 20 }, (_, nth) => session.fetch(`/api/items/${nth}`)))
    const first = await session.getToken()
    const second = await session.getToken({ skipCache: true })
    const { name } = session.current.claims ?? {}
    await session.signOut()
    const { status } = await session.fetch('/api/me')
    session.dispose()
    return { ok: all.filter(({ ok }) => ok).length, reasons, isNew: first !== second, name, status }
  })
  expect(found).toEqual({
    ok: 20,
    reasons: ['signed-in', 'refreshed', 'refreshed', 'signed-out'],
    isNew: true,
    name: 'Ann',
    status: 401,
  })
  expect(sample.stats.refreshes).toBe(2)
  expect(sample.stats.thefts).toBe(0)
  expect(sample.sessions).toBe(0)
})

test('has errors that can be told apart', async () => {
  const code = await page.evaluate(() => {
    try {
      Resesh.createSession({ backend: Resesh.bearer({ refreshUrl: '/auth/refresh' }), leeway: -1 })
      return 'none'
    } catch (error) {
      return error instanceof Resesh.InvalidOptionError && error instanceof Resesh.SessionError && error.code
    }
  })
  expect(code).toBe('ERR_INVALID_OPTION')
})
