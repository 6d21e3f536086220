// A server on 127.0.0.1 with JWTs, rotation and cookies, whose routes have the shape that a test gives them.

import { createHmac, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Json } from 'resesh'

const SECRET = randomUUID()
const LIFE_SECONDS = 900
const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** What a route is asked. */
export interface Question {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  readonly text: string
  /** The body, as JSON or as a form. */
  readonly json: any
  readonly form: URLSearchParams
  readonly cookie: string | undefined
  readonly bearer: string | undefined
}

export interface Reply {
  status?: number
  json?: unknown
  headers?: Record<string, string>
}

export interface Tokens {
  access: string
  refresh: string
}

/** What is behind the routes: one user, and the refresh tokens that live. */
export interface Core {
  login(): Tokens
  /** Uses the token up, unless `keep`. `null`: it is none, or none any more. */
  refresh(token: unknown, keep?: boolean): Tokens | null
  /** As that, for a server where the access token renews itself; also an expired one. */
  slide(access: string | undefined): Tokens | null
  end(token: unknown): void
  isGood(access: string | undefined): boolean
  readonly user: Json
}

export interface Routes {
  login(core: Core, question: Question): Reply
  /** Its path. */
  refreshPath: string
  refresh(core: Core, question: Question): Reply
  /** At `/logout`. */
  signOut(core: Core, question: Question): Reply
}

export interface ShapedServer extends AsyncDisposable {
  readonly origin: string
  readonly refreshes: number
  readonly mostAtOnce: number
  /** No access token that is out is accepted any more. */
  expire(): void
  /** No refresh token that is out is accepted any more. */
  revoke(): void
  edit(changes: Json): void
  isAway: boolean
  readonly living: number
}

export async function startServer(routes: Routes): Promise<ShapedServer> {
  const living = new Map<string, string>()
  let user: Json = { id: 1, name: 'Ann' }
  let [epoch, refreshes, atOnce, mostAtOnce, isAway] = [0, 0, 0, 0, false]

  const sign = (session: string): string => {
    const iat = Math.floor(Date.now() / 1000)
    const said = `${base64url({ alg: 'HS256' })}.${base64url({ sub: '1', name: user['name'], iat, exp: iat + LIFE_SECONDS, jti: randomUUID(), session, epoch })}`
    return `${said}.${createHmac('sha256', SECRET).update(said).digest('base64url')}`
  }
  const read = (token: string | undefined): Json | null => {
    const [head, payload, signature] = (token ?? '').split('.')
    const isOurs = signature === createHmac('sha256', SECRET).update(`${head}.${payload}`).digest('base64url')
    return isOurs ? (JSON.parse(Buffer.from(payload!, 'base64url').toString()) as Json) : null
  }
  const mint = (session: string = randomUUID()): Tokens => {
    const refresh = `r-${randomUUID()}`
    living.set(refresh, session)
    return { access: sign(session), refresh }
  }
  const core: Core = {
    login: () => mint(),
    refresh(token, keep = false) {
      const session = living.get(String(token))
      if (!session) return null
      if (keep) return { access: sign(session), refresh: String(token) }
      living.delete(String(token))
      return mint(session)
    },
    slide(access) {
      const session = read(access)?.['session']
      const old = [...living].find(([, each]) => each === session)
      return old ? core.refresh(old[0]) : null
    },
    end(token) {
      const session = read(String(token))?.['session'] ?? living.get(String(token))
      for (const [each, of] of living) if (of === session) living.delete(each)
    },
    isGood: (access) => read(access)?.['epoch'] === epoch,
    get user() {
      return user
    },
  }

  const answer = async (question: Question): Promise<Reply> => {
    const { path } = question
    if (path === '/login') {
      const isRight = question.json.password === 'secret'
      return isRight ? routes.login(core, question) : { status: 401, json: { detail: 'wrong password' } }
    }
    if (path === routes.refreshPath) {
      refreshes++
      mostAtOnce = Math.max(mostAtOnce, ++atOnce)
      await new Promise((done) => setTimeout(done, 20))
      atOnce--
      return routes.refresh(core, question)
    }
    if (path === '/logout') return routes.signOut(core, question)
    if (!core.isGood(question.bearer)) return { status: 401, json: {} }
    if (path === '/me') return { json: { data: user } }
    return { json: { path, name: user['name'] } }
  }

  const http = createServer((message, response) => {
    const parts: Buffer[] = []
    message.on('data', (part: Buffer) => parts.push(part))
    message.on('end', () => void respond(message, response, Buffer.concat(parts).toString()))
  })

  async function respond(message: IncomingMessage, response: ServerResponse, text: string): Promise<void> {
    if (isAway) return void response.destroy()
    const { pathname: path, searchParams: query } = new URL(message.url!, 'http://x')
    const { headers, method = '' } = message
    const isJson = headers['content-type'] === 'application/json'
    const question: Question = {
      method,
      path,
      query,
      headers,
      text,
      json: isJson ? JSON.parse(text) : {},
      form: new URLSearchParams(isJson ? '' : text),
      cookie: /refresh=([^;]+)/.exec(headers.cookie ?? '')?.[1],
      bearer: /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1],
    }
    const { status = 200, json, headers: more } = await answer(question)
    response.writeHead(status, { ...(json !== undefined && { 'content-type': 'application/json' }), ...more })
    response.end(json === undefined ? '' : JSON.stringify(json))
  }

  await new Promise<void>((done) => http.listen(0, '127.0.0.1', done))
  return {
    origin: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    get refreshes() {
      return refreshes
    },
    get mostAtOnce() {
      return mostAtOnce
    },
    get living() {
      return living.size
    },
    get isAway() {
      return isAway
    },
    set isAway(so) {
      isAway = so
    },
    expire: () => void epoch++,
    revoke: () => living.clear(),
    edit: (changes) => void (user = { ...user, ...changes }),
    async [Symbol.asyncDispose]() {
      http.closeAllConnections()
      await new Promise((done) => http.close(done))
    },
  }
}

/** As that of a browser: a cookie goes where credentials are included. */
export const createJar = (): typeof fetch => {
  let cookie = ''
  return async (input, init) => {
    const headers = new Headers(init?.headers)
    if (init?.credentials === 'include' && cookie) headers.set('cookie', cookie)
    const response = await fetch(input, { ...init, headers })
    const [set] = response.headers.getSetCookie()
    if (set && init?.credentials === 'include') cookie = set.split(';')[0]!
    return response
  }
}
