// Sockets and streams against ws, graphql-ws and socket.io as they ship: `openSocket`, `openEventSource`, and the recipes of the
// guide for clients that keep their own connection. Tokens live for two seconds.

import { fetchEventSource } from '@microsoft/fetch-event-source'
import { build } from 'esbuild'
import { createClient } from 'graphql-ws'
import { type Browser, chromium } from 'playwright-core'
import { createSession, type Session } from 'resesh'
import { bearer } from 'resesh/backends/bearer'
import { openEventSource } from 'resesh/event-source'
import { openSocket, type SocketOptions } from 'resesh/socket'
import { io } from 'socket.io-client'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { findBrowser } from '../../setup/browser.mjs'
import { args } from '../../support/tabs.ts'
import type { Controls } from './servers/sockets.ts'
import { useServer } from './support/server.ts'

const server = useServer<Controls>('sockets', { lifeSeconds: 2 })
const { control } = server
beforeEach(() => control.reset())

const logIn = (session: Session, user: string) =>
  session.signIn(({ fetch }) =>
    fetch(`${server.origin}/auth/login`, { method: 'POST', body: JSON.stringify({ user }) }),
  )

/** Ann is signed in. */
const open = async (): Promise<Session> => {
  const at = server.origin
  const session = createSession({
    backend: bearer({ refreshUrl: `${at}/auth/refresh`, signOutUrl: `${at}/auth/logout` }),
    origins: [at],
    refreshAhead: 'never',
    leeway: 300,
    platform: { WebSocket: WebSocket as unknown as typeof globalThis.WebSocket },
  })
  onTestFinished(session.dispose)
  await logIn(session, 'ann')
  return session
}

// Beside a page's own session: what a browser does by itself, such as being offline.
const inPage = `
  const session = Resesh.createSession({
    backend: Resesh.bearer({ refreshUrl: '/auth/refresh', signOutUrl: '/auth/logout' }),
    refreshAhead: 'never',
    leeway: 300,
  })
  const body = JSON.stringify({ user: 'ann' })
  globalThis.app = session.signIn(({ fetch }) => fetch('/auth/login', { method: 'POST', body })).then(() => ({
    session,
    socket: Resesh.openSocket(session, '/live', { protocols: (token) => ['access_token', token] }),
    source: Resesh.openEventSource(session, '/events'),
  }))
`

const until = (look: () => unknown) => vi.waitUntil(look, { timeout: 12_000, interval: 20 })
const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms))
const wired = async (kind: string, count: number) => {
  await until(async () => (await control.joined()).length >= count && (await control.living()) === 1)
  const joined = await control.joined()
  expect(joined.every((each) => each.startsWith(`${kind} ann `))).toBe(true)
  return joined
}
/** No token in any URL that reached the server: each has the three parts of a JWT. */
const expectCleanUrls = async () => expect((await control.urls()).join('\n')).not.toMatch(/eyJ|\w{20,}\.\w{20,}\./)

describe.each<[string, string, SocketOptions]>([
  ['protocol', '/live', { protocols: (token) => ['access_token', token] }],
  ['hello', '/hello', { hello: (token) => token }],
])('openSocket, the token as %s', (kind, path, options) => {
  test('it outlives two tokens, with one refresh each and no connection that is refused', async () => {
    const session = await open()
    const socket = openSocket(session, server.origin + path, options)
    const said: unknown[] = []
    socket.on('message', ({ data }) => said.push(data))
    const joined = await wired(kind, 3)
    expect(new Set(joined).size).toBe(3)
    expect(await control.refreshes()).toBe(2)
    expect(await control.refused()).toBe(0)
    expect(socket.send('one')).toBe(true)
    await until(() => said.includes('echo one'))
    expect(said.filter((each) => each === 'hello ann')).toHaveLength(3)
    await expectCleanUrls()
  })

  test('refused by the server, with twenty requests: one refresh', async () => {
    const session = await open()
    openSocket(session, server.origin + path, options)
    await wired(kind, 1)
    await control.expire()
    const answers = await Promise.all(Array.from({ length: 20 }, () => session.fetch(`${server.origin}/api/me`)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    await wired(kind, 2)
    expect(await control.refreshes()).toBe(1)
  })

  test('refused by the server, without a request: it comes back by itself', async () => {
    const session = await open()
    openSocket(session, server.origin + path, options)
    await wired(kind, 1)
    await control.expire()
    await wired(kind, 2)
    expect(await control.refreshes()).toBe(1)
  })

  test('a sign-out closes it, and another user has one of their own', async () => {
    const session = await open()
    const socket = openSocket(session, server.origin + path, options)
    await wired(kind, 1)
    await session.signOut()
    await until(async () => (await control.living()) === 0)
    await logIn(session, 'bob')
    await sleep(1000)
    expect([socket.state, (await control.joined()).length]).toEqual(['closed', 1])
    openSocket(session, server.origin + path, options)
    await until(async () => (await control.joined()).length === 2)
    expect((await control.joined())[1]).toMatch(`${kind} bob `)
  })
})

test('openEventSource outlives two tokens, and goes on from the last event', async () => {
  const session = await open()
  const source = openEventSource(session, `${server.origin}/events`)
  onTestFinished(() => source.close())
  const said: string[] = []
  source.addEventListener('message', ({ data }) => said.push(data as string))
  await wired('events', 3)
  await until(() => said.length >= 3)
  expect(said.slice(0, 3)).toEqual(['ann 1', 'ann 2', 'ann 3'])
  await session.signOut()
  await until(async () => (await control.living()) === 0)
  expect(source.readyState).toBe(source.CLOSED)
  await expectCleanUrls()
})

test('recipe: graphql-ws', async () => {
  const session = await open()
  let isRefused = false
  const client = createClient({
    url: `${server.origin.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    // Called for each connection.
    connectionParams: async () => ({ accessToken: await session.getToken({ skipCache: isRefused }) }),
    retryAttempts: Infinity,
    shouldRetry: () => session.current.status === 'authenticated',
    on: {
      connected: () => (isRefused = false),
      closed: (event) => (isRefused = (event as CloseEvent).code === 4403),
    },
  })
  onTestFinished(() => void client.dispose())
  const stop = session.on('change', ({ current, reason }) => {
    if (current.status !== 'authenticated' || reason === 'signed-in') void client.dispose()
  })
  onTestFinished(stop)
  let ticks = 0
  client.subscribe({ query: 'subscription { tick }' }, { next: () => ticks++, error: () => {}, complete: () => {} })
  await wired('graphql', 2)
  const seen = ticks
  await until(() => ticks > seen + 2)
  await control.expire()
  const { length } = await control.joined()
  await wired('graphql', length + 1)
  await session.signOut()
  await until(async () => (await control.living()) === 0)
  await sleep(500)
  expect(await control.living()).toBe(0)
  await expectCleanUrls()
})

test('recipe: socket.io', async () => {
  const session = await open()
  let isRefused = false
  const socket = io(server.origin, {
    // Called for each connection.
    auth: (send) =>
      void session.getToken({ skipCache: isRefused }).then(
        (token) => send({ token }),
        () => send({}),
      ),
  })
  onTestFinished(() => void socket.disconnect())
  // socket.io comes back by itself after a loss, not where the server said no, or closed the connection.
  const comeBack = () => {
    if (socket.active || session.current.status !== 'authenticated') return
    isRefused = true
    setTimeout(() => socket.connect(), 1000 + Math.random() * 2000)
  }
  socket.on('connect', () => (isRefused = false))
  socket.on('connect_error', comeBack)
  socket.on('disconnect', (reason) => {
    if (reason === 'io server disconnect') comeBack()
  })
  const stop = session.on('change', ({ current, reason }) => {
    if (current.status !== 'authenticated' || reason === 'signed-in') socket.disconnect()
  })
  onTestFinished(stop)
  await wired('socket.io', 2)
  await control.expire()
  await until(async () => (await control.joined()).length >= 3)
  await session.signOut()
  await until(async () => (await control.living()) === 0)
  await sleep(500)
  expect(await control.living()).toBe(0)
  await expectCleanUrls()
})

test('recipe: @microsoft/fetch-event-source', async () => {
  // It is written for pages only.
  vi.stubGlobal('window', globalThis)
  onTestFinished(() => void vi.unstubAllGlobals())
  vi.stubGlobal('document', { addEventListener() {}, removeEventListener() {} })
  const session = await open()
  const left = new AbortController()
  const stop = session.on('change', ({ current, reason }) => {
    if (current.status !== 'authenticated' || reason === 'signed-in') left.abort()
  })
  onTestFinished(stop)
  const said: string[] = []
  const done = fetchEventSource(`${server.origin}/events`, {
    fetch: session.fetch,
    signal: left.signal,
    openWhenHidden: true,
    onmessage: ({ data }) => void said.push(data),
    // Without this it is over when the server ends the stream.
    onclose: () => {
      throw new Error('The stream has ended: come back')
    },
    onerror: () => undefined,
  })
  await wired('events', 2)
  await until(() => said.length >= 2)
  expect(said.slice(0, 2)).toEqual(['ann 1', 'ann 2'])
  await session.signOut()
  await done
  await until(async () => (await control.living()) === 0)
})

describe('in Chromium', () => {
  let browser: Browser
  let script: string
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: (await findBrowser()) ?? '', args })
    const contents = `export * from './src/global.ts'\nexport * from './src/adapters/event-source.ts'`
    const { outputFiles } = await build({
      stdin: { contents, resolveDir: new URL('../../..', import.meta.url).pathname, loader: 'ts' },
      bundle: true,
      write: false,
      format: 'iife',
      globalName: 'Resesh',
      target: 'es2022',
      platform: 'browser',
    })
    script = outputFiles[0]!.text
  })
  afterAll(() => browser?.close())

  test('socket and stream outlive a token, a refusal and a time without network; a sign-out closes both', async () => {
    await control.put('/app.js', 'text/javascript', script)
    await control.put('/app', 'text/html', `<!doctype html><script src="/app.js"></script><script>${inPage}</script>`)
    const context = await browser.newContext()
    onTestFinished(() => context.close())
    const page = await context.newPage()
    await page.goto(`${server.origin}/app`)
    const states = () => page.evaluate('app.then(({ socket, source }) => [socket.state, source.readyState])')
    const bothCameBack = async () => {
      const { length } = await control.joined()
      await until(async () => {
        const since = (await control.joined()).slice(length)
        return ['protocol', 'events'].every((kind) => since.some((each) => each.startsWith(kind)))
      })
    }
    await until(async () => (await control.living()) === 2)
    await bothCameBack()
    await control.expire()
    await bothCameBack()
    await context.setOffline(true)
    await sleep(500)
    await context.setOffline(false)
    await bothCameBack()
    await until(async () => String(await states()) === 'open,1')
    await page.evaluate('app.then(({ session }) => session.signOut())')
    expect(await states()).toEqual(['closed', 2])
    await until(async () => (await control.living()) === 0)
    expect((await control.codes()).at(-1)).toBe(1000)
    await expectCleanUrls()
  })
})
