// A small server that speaks as Laravel 12 with Sanctum does to a single-page app on its own site: a session cookie for the server,
// a cookie XSRF-TOKEN for scripts, 419 for a request that changes something without that token in its header. Real HTTP.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'

interface WebSession {
  token: string
  user?: { id: number; name: string }
}

export interface SanctumServer {
  readonly origin: string
  /** Each request: method, path, status. */
  readonly log: readonly string[]
  /** The tokens against forged requests are new, and no browser has been told. */
  renewTokens(): void
  /** All sessions are over, and nobody has been told. */
  endSessions(): void
  readonly living: number
}

/** As a fetch and a `document.cookie` of one browser. */
export interface Jar {
  readonly fetch: typeof fetch
  /** What scripts see. */
  readonly cookie: string
}

// An encrypted cookie is base64 of JSON, and ends in `=` as often as not: in the cookie that is percent-encoded.
let last = 0
const freshToken = (): string => `${Buffer.from(JSON.stringify({ iv: ++last })).toString('base64')}==`

export async function openSanctum(): Promise<SanctumServer> {
  const sessions = new Map<string, WebSession>()
  const log: string[] = []

  function sessionOf({ headers }: IncomingMessage): [id: string, session: WebSession] {
    const id = /laravel_session=(\w+)/.exec(headers.cookie ?? '')?.[1] ?? ''
    const found = sessions.get(id)
    if (found) return [id, found]
    const fresh = { token: freshToken() }
    sessions.set(`s${last}`, fresh)
    return [`s${last}`, fresh]
  }

  async function answer(message: IncomingMessage, session: WebSession): Promise<[status: number, body?: unknown]> {
    const { method, url = '', headers } = message
    const body = await text(message)
    const isSafe = method === 'GET' || method === 'HEAD'
    if (!isSafe && headers['x-xsrf-token'] !== session.token) return [419, { message: 'CSRF token mismatch.' }]
    if (url === '/sanctum/csrf-cookie') return [204]
    if (url === '/login') {
      const { email } = JSON.parse(body) as { email: string }
      Object.assign(session, { user: { id: 1, name: email.split('@')[0]! }, token: freshToken() })
      return [204]
    }
    if (!session.user) return [401, { message: 'Unauthenticated.' }]
    if (url === '/logout') {
      delete session.user
      session.token = freshToken()
      return [204]
    }
    if (url === '/api/user') {
      if (method === 'PATCH') Object.assign(session.user, JSON.parse(body))
      return [200, session.user]
    }
    return [404, { message: 'Not found.' }]
  }

  async function serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const [id, session] = sessionOf(message)
    const [status, body] = await answer(message, session)
    log.push(`${message.method} ${message.url} ${status}`)
    // The refusal of a token comes before the place where Laravel sets its cookies.
    const cookies = [
      `XSRF-TOKEN=${encodeURIComponent(session.token)}; path=/`,
      `laravel_session=${id}; path=/; httponly`,
    ]
    if (status !== 419) response.setHeader('set-cookie', cookies)
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(body === undefined ? undefined : JSON.stringify(body))
  }

  const http = createServer((message, response) => void serve(message, response))
  await new Promise<void>((done) => http.listen(0, '127.0.0.1', done))
  onTestFinished(() => {
    http.closeAllConnections()
    http.close()
  })
  return {
    origin: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    log,
    renewTokens: () => sessions.forEach((session) => (session.token = freshToken())),
    endSessions: () => sessions.clear(),
    get living() {
      return [...sessions.values()].filter(({ user }) => user).length
    },
  }
}

/** A browser's jar, for one origin. */
export function createJar(origin: string): Jar {
  const cookies = new Map<string, { pair: string; isHidden: boolean }>()
  return {
    get cookie() {
      return [...cookies.values()].flatMap(({ pair, isHidden }) => (isHidden ? [] : pair)).join('; ')
    },
    async fetch(input, init) {
      const request = new Request(typeof input === 'string' ? new URL(input, origin) : input, init)
      const headers = new Headers(request.headers)
      headers.set('cookie', [...cookies.values()].map(({ pair }) => pair).join('; '))
      const response = await fetch(new Request(request, { headers, keepalive: false }))
      for (const header of response.headers.getSetCookie()) {
        const [pair = '', ...attributes] = header.split('; ')
        cookies.set(pair.split('=')[0]!, { pair, isHidden: attributes.includes('httponly') })
      }
      return response
    },
  }
}
