// Tabs of a real browser: pages with the script-tag file, opened on a sample server of their own. A new server is a new
// origin, so that no test finds another's storage, locks or messages. Beside it: answers held on the wire, and tabs that freeze.

import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createSecureServer } from 'node:http2'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import type {
  Backend,
  Extension,
  Platform,
  Session,
  SessionOptions,
  SessionRequestInit,
  SessionStorage,
  State,
} from 'resesh'
import { bearer as bearerBackend } from 'resesh/backends/bearer'
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest'
import { sharedKey } from '../../src/runtime/shared-key.ts'
import { toNode } from '../servers/sample/node.ts'
import { createSampleServer, isSamplePath, type Knobs, type SampleServer } from '../servers/sample/server.ts'
import { findBrowser } from '../setup/browser.mjs'
import { selfSigned } from './certificate.ts'
import { defer } from './session.ts'

declare const Resesh: typeof import('../../src/global.ts')

/** `cookie`: only the server knows of an expiry; `mediated`: an access token beside the cookie. */
export type Kind = 'bearer' | 'cookie' | 'mediated'

/** A session option by value, or a function of the page that makes it there, of `Resesh`. */
export interface PageOptions {
  kind?: Kind
  /** In place of one for the sample server. */
  backend?: (api: string) => Backend
  /** Where the server is, if not where the page is. */
  api?: string
  session?: Partial<Omit<SessionOptions, 'backend' | 'platform' | 'storage' | 'use'>>
  platform?: () => Platform
  storage?: () => SessionStorage
  use?: () => Extension[]
}

/** A change as it was heard, at that time. */
export interface Heard {
  status: State['status']
  reason: State['reason']
  source: string
  name: unknown
}

/** Per outcome of a request, how many had it: a status, or the name of what was thrown. */
export type Tally = Record<string, number>

/** What every page has as `tab`. */
export interface InPage {
  session: Session
  heard: Heard[]
  traces: string[]
  /** Codes of what the `error` event told. */
  errors: string[]
  /** What came over the channel of the session, as it came. */
  messages: unknown[]
  signIn(how?: { user?: string; lifeSeconds?: number }): Promise<State>
  /** That many requests at once, each its own item. A 200 with another's answer counts as `wrong`. */
  fire(count: number, how?: { at?: number; path?: string; init?: SessionRequestInit }): Promise<Tally>
  /** Room for what a test starts here and looks at later. */
  later: Record<string, Promise<unknown>>
  sleep(ms: number): Promise<void>
}

export interface Tab {
  readonly page: Page
  run<T, A = undefined>(work: (tab: InPage, arg: A) => T | Promise<T>, arg?: A): Promise<T>
  close(): Promise<void>
}

/** One request that reached the server, and whose credentials it carried. */
export interface Sent {
  method: string
  path: string
  user: string | undefined
  /** It did, and nobody waits for its answer any more. */
  isLeft: boolean
}

/** A request kept back: from the server, or its answer from the page. */
export interface Held {
  readonly arrived: Promise<void>
  release(): void
}

export interface World {
  readonly server: SampleServer
  readonly sent: readonly Sent[]
  readonly origin: string
  readonly port: number
  /** Under which a session of the kind `bearer` is stored, locked and talked of. */
  readonly key: string
  readonly context: BrowserContext
  open(count: number, options?: PageOptions): Promise<Tab[]>
  /** The URL of a page with these options, to open in other ways than `open`. */
  page(options?: PageOptions): string
  /** The tab in a page that came into being in another way. */
  tabIn(page: Page): Promise<Tab>
  /** The next request to this path waits before the server hears of it. */
  holdRequest(path: string): Held
  /** The server does its work for the next request to this path, and its answer waits. */
  holdAnswer(path: string): Held
}

export interface WorldOptions {
  knobs?: Partial<Knobs>
  /** False: no cookie that the server sets is kept. */
  cookies?: boolean
  /** HTTP/2, which browsers speak over TLS only. */
  http2?: boolean
}

export const args = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--host-resolver-rules=MAP *.test 127.0.0.1',
]

/** Runs in the page. */
function boot(
  { kind = 'bearer', api = '', session: options = {} }: PageOptions,
  platform?: Platform,
  storage?: SessionStorage,
  use?: Extension[],
  given?: Backend,
): void {
  const { bearer, cookie, createSession } = Resesh
  const guard = { 'x-bff': '1' }
  const backend =
    given ??
    (kind === 'bearer'
      ? bearer({ refreshUrl: `${api}/auth/refresh`, signOutUrl: `${api}/auth/logout`, userUrl: `${api}/auth/user` })
      : cookie({
          sessionUrl: `${api}/bff/session`,
          refreshUrl: `${api}/bff/refresh`,
          signOutUrl: `${api}/bff/logout`,
          headers: guard,
        }))
  const session = createSession({
    backend,
    refreshAhead: 'never',
    ...options,
    ...(platform && { platform }),
    ...(storage && { storage }),
    ...(use && { use }),
  })
  const tab: InPage = {
    session,
    heard: [],
    traces: [],
    errors: [],
    messages: [],
    later: {},
    sleep: (ms) => new Promise((done) => setTimeout(done, ms)),
    signIn: ({ user: username = 'ann', lifeSeconds } = {}) =>
      session.signIn(async ({ fetch }) => {
        const response = await fetch(`${api}/${kind === 'bearer' ? 'auth' : 'bff'}/login`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...guard },
          body: JSON.stringify({ username, password: 'secret' }),
        })
        const { accessToken, refreshToken, expiresIn, user } = await response.json()
        return kind === 'bearer'
          ? { accessToken, refreshToken, expiresInSeconds: lifeSeconds ?? expiresIn, user }
          : undefined
      }),
    async fire(count, { at = 0, path = '/api/items/', init } = {}) {
      while (Date.now() < at) await tab.sleep(at - Date.now())
      const outcomes = await Promise.all(
        Array.from({ length: count }, (_, item) =>
          session.fetch(`${api}${path}${path.endsWith('/') ? item : ''}`, init).then(
            async (response) => {
              if (response.status !== 200 || !path.endsWith('/items/')) return `${response.status}`
              return (await response.json()).item === item ? '200' : 'wrong'
            },
            (error: Error) => error.name,
          ),
        ),
      )
      const tally: Tally = {}
      for (const outcome of outcomes) tally[outcome] = (tally[outcome] ?? 0) + 1
      return tally
    },
  }
  session.on('change', ({ current: { status, reason, user }, source }) =>
    tab.heard.push({ status, reason, source, name: user?.['name'] }),
  )
  session.on('trace', ({ type }) => tab.traces.push(type))
  session.on('error', ({ error: { code } }: { error: { code?: string } }) => tab.errors.push(code!))
  Object.assign(globalThis, { tab })
}

/** Runs in a worker: each message is a number of requests to send, and is answered with what came of them. */
function answerAll(): void {
  const { tab } = globalThis as unknown as { tab: InPage }
  globalThis.onmessage = async ({ data }: MessageEvent<number>) => {
    const tally = await tab.fire(data)
    const { status, user } = tab.session.current
    globalThis.postMessage({ tally, status, name: user?.['name'], errors: tab.errors })
  }
}

let built: Promise<string> | undefined

/** As the package's own build, from the source as it stands. */
export const globalBuild = (): Promise<string> =>
  (built ??= build({
    entryPoints: [fileURLToPath(new URL('../../src/global.ts', import.meta.url))],
    bundle: true,
    write: false,
    minify: true,
    format: 'iife',
    globalName: 'Resesh',
    target: 'es2022',
    platform: 'browser',
  }).then(({ outputFiles }) => outputFiles[0]!.text))

const call = (work: (() => unknown) | undefined): string => (work ? `(${String(work)})()` : 'undefined')

/** What a page, a worker or a frame runs to have a `tab`. */
export const bootCode = ({ platform, storage, use, backend, ...options }: PageOptions = {}): string =>
  `(${String(boot)})(${JSON.stringify(options)}, ${call(platform)}, ${call(storage)}, ${call(use)}, ${backend ? `(${String(backend)})('${options.api ?? ''}')` : 'undefined'})`

const userOf = ({ headers }: IncomingMessage): string | undefined => {
  const token = /^Bearer [^.]*\.([^.]+)\./.exec(headers.authorization ?? '')?.[1]
  if (token) return JSON.parse(Buffer.from(token, 'base64url').toString()).sub
  // Of a cookie, the number of its session: `s1`, `s2`.
  return /sample_session=(s\d+)/.exec(headers.cookie ?? '')?.[1]
}

interface Gate extends Held {
  readonly path: string
  readonly isAnswer: boolean
  arrive(): void
  readonly opened: Promise<void>
}

async function serve({
  knobs = {},
  cookies = true,
  http2 = false,
}: WorldOptions): Promise<
  Pick<World, 'server' | 'sent' | 'origin' | 'port' | 'key' | 'page' | 'holdRequest' | 'holdAnswer'>
> {
  const server = createSampleServer({ knobs })
  const sent: Sent[] = []
  const gates: Gate[] = []
  const pages: string[] = []
  const script = await globalBuild()

  const pass = async (path: string, isAnswer: boolean): Promise<void> => {
    const place = gates.findIndex((gate) => gate.path === path && gate.isAnswer === isAnswer)
    const [gate] = place < 0 ? [] : gates.splice(place, 1)
    gate?.arrive()
    await gate?.opened
  }
  const gated = toNode({
    async handle(request: Request) {
      const { pathname } = new URL(request.url)
      await pass(pathname, false)
      if (request.signal.aborted) return 'drop'
      const answer = await server.handle(request)
      if (answer !== 'drop' && !cookies) answer.headers.delete('set-cookie')
      await pass(pathname, true)
      return answer
    },
  })

  const handle = (message: IncomingMessage, response: ServerResponse): void => {
    const { method = '', url = '' } = message
    const [path = '', query = ''] = url.split('?')
    // A sandboxed frame has no origin of its own to allow.
    if (message.headers.origin === 'null') response.setHeader('access-control-allow-origin', 'null')
    if (isSamplePath(path)) {
      const entry: Sent = { method, path, user: userOf(message), isLeft: false }
      if (!path.startsWith('/sample/') && method !== 'OPTIONS') sent.push(entry)
      response.once('close', () => (entry.isLeft = !response.writableFinished))
      void gated(message, response)
      return
    }
    const [type, body] =
      path === '/resesh.js'
        ? ['text/javascript', script]
        : path === '/worker.js'
          ? ['text/javascript', `importScripts('/resesh.js'); ${pages[Number(query)]!}; (${String(answerAll)})()`]
          : path === '/page'
            ? [
                'text/html',
                `<!doctype html><script src="/resesh.js"></script><script>${pages[Number(query)]!}</script>`,
              ]
            : ['text/html', '<!doctype html><title>elsewhere</title>']
    response.writeHead(200, { 'content-type': type }).end(body)
  }

  const http = http2
    ? createSecureServer(selfSigned(), (message, response) =>
        handle(message as unknown as IncomingMessage, response as unknown as ServerResponse),
      )
    : createServer(handle)
  const sockets = new Set<Socket>()
  http.on(http2 ? 'secureConnection' : 'connection', (socket: Socket) => sockets.add(socket))
  await new Promise<void>((done) => http.listen(0, '127.0.0.1', done))
  const address = http.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const origin = `http${http2 ? 's' : ''}://127.0.0.1:${port}`
  onTestFinished(() => {
    for (const gate of gates) gate.release()
    for (const socket of sockets) socket.destroy()
    http.close()
  })

  const hold =
    (isAnswer: boolean) =>
    (path: string): Held => {
      const [arrived, opened] = [defer(), defer()]
      const gate = { path, isAnswer, arrive: arrived.resolve, arrived: arrived.promise, opened: opened.promise }
      const held = { ...gate, release: opened.resolve }
      gates.push(held)
      return held
    }

  return {
    server,
    sent,
    origin,
    port,
    key: sharedKey('default', bearerBackend({ refreshUrl: '/auth/refresh' }), origin),
    page: (options) => `${origin}/page?${pages.push(bootCode(options)) - 1}`,
    holdRequest: hold(false),
    holdAnswer: hold(true),
  }
}

/** A browser whose pages can be frozen and kept in the back/forward cache, which one that Playwright starts does not allow. */
async function spawned(executable: string): Promise<{ browser: Browser; stop(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'resesh-'))
  const child = spawn(
    executable,
    ['--headless', '--no-sandbox', ...args, `--user-data-dir=${folder}`, '--remote-debugging-port=0', 'about:blank'],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  const gone = new Promise<void>((done) => child.once('exit', () => done()))
  const endpoint = await new Promise<string>((resolve, reject) => {
    let text = ''
    child.once('exit', () => reject(new Error(text)))
    child.stderr.on('data', (data) => {
      const found = /DevTools listening on (ws:\S+)/.exec((text += String(data)))
      if (found) resolve(found[1]!)
    })
  })
  const browser = await chromium.connectOverCDP(endpoint, { noDefaults: true })
  return {
    browser,
    async stop() {
      await browser.close()
      child.kill()
      await gone
      await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
    },
  }
}

/**
 * A browser for the tests of a file. What comes back makes a server and a profile for one test.
 *
 * @param canSleep Its pages can be frozen, and go to the back/forward cache.
 */
export function useTabs({ canSleep = false } = {}): (options?: WorldOptions) => Promise<World> {
  let browser: Browser
  let stop: () => Promise<void>

  beforeAll(async () => {
    const executablePath = (await findBrowser()) ?? ''
    if (canSleep) ({ browser, stop } = await spawned(executablePath))
    else {
      browser = await chromium.launch({ executablePath, args })
      stop = () => browser.close()
    }
  })
  afterAll(() => stop?.())

  return async (options = {}) => {
    const served = await serve(options)
    const context = canSleep ? browser.contexts()[0]! : await browser.newContext({ ignoreHTTPSErrors: true })
    const pages: Page[] = []
    const complaints: string[] = []
    const listen = (page: Page): void => {
      pages.push(page)
      page.on('pageerror', ({ message }) => complaints.push(message))
      page.on('console', (message) => {
        // The browser's own word about a 401, or a redirect that it hides.
        if (!/^(Failed to load resource|Access to fetch)/.test(message.text())) complaints.push(message.text())
      })
    }
    context.on('page', listen)
    onTestFinished(async () => {
      context.off('page', listen)
      if (canSleep) {
        await Promise.all(pages.map((page) => page.close()))
        await context.clearCookies()
      } else await context.close()
      expect(complaints).toEqual([])
    })

    const tabIn = async (page: Page): Promise<Tab> => {
      await page.waitForFunction('globalThis.tab')
      return {
        page,
        run: (work, arg) => page.evaluate(`(${String(work)})(tab, ${JSON.stringify(arg)})`),
        close: () => page.close(),
      }
    }
    return {
      ...served,
      context,
      tabIn,
      open(count, pageOptions) {
        const url = served.page(pageOptions)
        return Promise.all(
          Array.from({ length: count }, async () => {
            const page = await context.newPage()
            await page.goto(url)
            return tabIn(page)
          }),
        )
      },
    }
  }
}

/** What came of all requests of all tabs. */
export const sum = (tallies: readonly Tally[]): Tally => {
  const all: Tally = {}
  for (const tally of tallies) for (const [name, count] of Object.entries(tally)) all[name] = (all[name] ?? 0) + count
  return all
}

/** That many requests in each tab, all at the same moment. */
export const fireAll = async (tabs: readonly Tab[], count: number): Promise<Tally> => {
  const at = Date.now() + 60
  return sum(await Promise.all(tabs.map((tab) => tab.run((inPage, how) => inPage.fire(how.count, how), { count, at }))))
}

/** What the tab shows. */
export const stateIn = (tab: Tab): Promise<State> => tab.run(({ session }) => session.current)

/** Resolves when all of them show this. */
export const untilAll = async (tabs: readonly Tab[], fits: (state: State) => boolean): Promise<void> => {
  await expect
    .poll(async () => (await Promise.all(tabs.map(stateIn))).every(fits), { interval: 15, timeout: 5000 })
    .toBe(true)
}

/** That many tabs of one session, signed in by the first one. */
export const signedIn = async (
  { open }: World,
  count: number,
  options: PageOptions = {},
): Promise<[Tab, Tab, Tab, ...Tab[]]> => {
  const tabs = await open(count, options)
  await tabs[0]!.run((tab) => tab.signIn())
  await untilAll(tabs, ({ status }) => status === 'authenticated')
  return tabs as [Tab, Tab, Tab, ...Tab[]]
}
