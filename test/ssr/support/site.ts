// An app as it is deployed: the built server of its framework, and a session server, behind one origin.

import { spawn } from 'node:child_process'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { toNode } from '../../servers/sample/node.ts'
import { createSampleServer, isSamplePath, type SampleServer } from '../../servers/sample/server.ts'

export interface Site {
  readonly origin: string
  /** The session server: the paths /auth, /bff, /api and /sample. */
  readonly server: SampleServer
  /** What the app's server has written to its console. */
  readonly said: readonly string[]
  /** The next request whose path ends like this waits, until it is released. With a status it is answered so, and goes no further. */
  hold(ending: string): { arrived: Promise<void>; release(status?: number): void }
  /**
   * How many ms each request waits, beside what its own parameter `ms` says to the API.
   * @param delayOf Gets its URL, and that of the page it comes from.
   */
  slow(delayOf: (url: URL, page: URL | null) => number): void
  /** Signs in at the session server. @returns the session cookie, `name=value`. */
  signIn(user: string): Promise<string>
  close(): Promise<void>
}

export interface App {
  /** Below test/ssr. */
  folder: string
  /** What Node runs, in that folder. */
  args: (port: number) => string[]
  env?: Partial<NodeJS.ProcessEnv>
  /** What it writes once it serves. */
  ready: RegExp
}

const listening = async (http: ReturnType<typeof createServer>): Promise<number> => {
  await new Promise<void>((done) => http.listen(0, '127.0.0.1', done))
  return (http.address() as AddressInfo).port
}

/** One that nobody listens on now. */
async function freePort(): Promise<number> {
  const http = createServer()
  const port = await listening(http)
  await new Promise((done) => http.close(done))
  return port
}

/** The app's server has the URL of the session server in `API`, and its own address in `HOST` and `PORT`. */
export async function openSite({ folder, args, env, ready }: App): Promise<Site> {
  const server = createSampleServer()
  const sample = toNode(server)
  const gates: { ending: string; arrive(): void; opened: Promise<number | undefined> }[] = []
  let delayOf: Parameters<Site['slow']>[0] = () => 0
  const port = await freePort()

  async function handle(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(message.url ?? '/', origin)
    const gate = gates.find(({ ending }) => url.pathname.endsWith(ending))
    if (gate) {
      gates.splice(gates.indexOf(gate), 1)
      gate.arrive()
      const status = await gate.opened
      if (status) return void response.writeHead(status).end()
    }
    const { referer } = message.headers
    const own = url.pathname.startsWith('/api/') ? Number(url.searchParams.get('ms') ?? 0) : 0
    const ms = own + delayOf(url, referer ? new URL(referer) : null)
    if (ms > 0) await new Promise((done) => setTimeout(done, ms))
    if (isSamplePath(url.pathname)) await sample(message, response)
    else forward(message, response)
  }

  function forward(message: IncomingMessage, response: ServerResponse): void {
    const { method, headers, url } = message
    const asked = request({ host: '127.0.0.1', port, method, headers, path: url }, (answer) => {
      // Each page loads all of its scripts anew.
      const isScript = url?.split('?')[0]?.endsWith('.js')
      response.writeHead(answer.statusCode!, { ...answer.headers, ...(isScript && { 'cache-control': 'no-store' }) })
      answer.pipe(response)
    })
    asked.on('error', () => response.destroy())
    response.on('close', () => asked.destroy())
    message.pipe(asked)
  }

  /** The socket over which a development server talks with its page. */
  function upgrade({ method, url, rawHeaders }: IncomingMessage, socket: Duplex): void {
    const headers = rawHeaders.map((each, place) => (place % 2 ? `${each}\r\n` : `${each}: `)).join('')
    const inner = connect(port, '127.0.0.1', () => inner.write(`${method} ${url} HTTP/1.1\r\n${headers}\r\n`))
    inner.on('error', () => socket.destroy()).on('close', () => socket.destroy())
    socket.on('error', () => inner.destroy()).on('close', () => inner.destroy())
    inner.pipe(socket).pipe(inner)
  }

  const front = createServer((message, response) => void handle(message, response))
  front.on('upgrade', upgrade)
  const origin = `http://127.0.0.1:${await listening(front)}`
  const said: string[] = []
  const child = spawn(process.execPath, args(port), {
    cwd: join(import.meta.dirname, '..', folder),
    env: {
      ...process.env,
      NODE_ENV: 'production',
      NEXT_TELEMETRY_DISABLED: '1',
      NUXT_TELEMETRY_DISABLED: '1',
      HOST: '127.0.0.1',
      PORT: `${port}`,
      API: origin,
      NUXT_API: origin,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = new Promise<void>((done) => child.once('exit', () => done()))

  async function close(): Promise<void> {
    child.kill()
    await ended
    front.closeAllConnections()
    await new Promise((done) => front.close(done))
  }

  await new Promise<void>((resolve, reject) => {
    function hear(data: Buffer): void {
      said.push(String(data))
      if (ready.test(said.join(''))) resolve()
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    void ended.then(() => reject(new Error(`The app has ended:\n${said.join('')}`)))
  })
  said.length = 0

  return {
    origin,
    server,
    said,
    hold(ending) {
      let arrive!: () => void
      let release!: (status?: number) => void
      const arrived = new Promise<void>((done) => (arrive = done))
      const opened = new Promise<number | undefined>((done) => (release = done))
      gates.push({ ending, arrive, opened })
      return { arrived, release }
    },
    slow: (fits) => void (delayOf = fits),
    async signIn(username) {
      const headers = { 'content-type': 'application/json', 'x-bff': '1' }
      const body = JSON.stringify({ username, password: 'secret' })
      const response = await fetch(`${origin}/bff/login`, { method: 'POST', headers, body })
      return response.headers.getSetCookie()[0]!.split(';')[0]!
    },
    close,
  }
}
