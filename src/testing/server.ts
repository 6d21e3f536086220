// A session server for tests, played by msw: login, refresh, logout, a user, and an API that asks for a good token. Scriptable:
// tokens expire, a user is edited, answers are lost.

import { delay, http, HttpResponse, type HttpHandler } from 'msw'
import { bearer } from '../backends/bearer.ts'
import { assertKnown, type Names } from '../known-options.ts'
import type { Backend } from '../seam/backend.ts'
import type { Json } from '../state/credentials.ts'
import { unsignedJwt } from './mock-session.ts'

export interface SessionServerOptions<U> {
  /** Where it is: an origin, or with a path. @default 'http://localhost', and the page's origin where there is a page */
  baseUrl?: string
  /** Who signs in. @default { id: 'ann', name: 'Ann' } */
  user?: U
  /** Life of an access token. @default 60 */
  lifeSeconds?: number
  /** ms in which a refresh token is accepted a second time. @default 0: the second use ends the session */
  replayWindow?: number
}

const OPTIONS: Names<SessionServerOptions<Json>> = { baseUrl: true, user: true, lifeSeconds: true, replayWindow: true }

/** What became of the requests so far. */
export interface Counts {
  logins: number
  /** Requests of the refresh route. */
  refreshes: number
  /** Requests of `/api/…` that were answered with 200. */
  served: number
  /** Requests of `/api/…` that were answered with 401. */
  refused: number
  /** Refresh tokens that were used a second time. */
  reused: number
}

export interface SessionServer<U> {
  /** For msw's `setupServer(...server.handlers)` and `setupWorker`. Put handlers of your own before them. */
  readonly handlers: HttpHandler[]
  /** The backend that speaks with it: POST `/auth/refresh`, POST `/auth/logout`, GET `/auth/user`. */
  backend(): Backend<U>
  /** What POST `/auth/login` answers, for `session.signIn`. */
  signIn(): Promise<Json>
  /** Every access token up to now is refused with 401. Nobody is told. */
  expire(): void
  /** Changes what the server knows of the user: the next token and the next GET `/auth/user` have it. */
  edit(changes: Partial<U>): void
  /** Ends all sessions: the next refresh is refused. */
  revoke(): void
  /** The next refreshes are cut off before the server has done anything. @param times @default 1 */
  drop(times?: number): void
  /** The next refreshes are carried out, and their answers are lost. @param times @default 1 */
  loseAnswer(times?: number): void
  /** The next refreshes are answered with this status. @param retryAfter Seconds. */
  fail(status: number, options?: { times?: number; retryAfter?: number }): void
  /** Each answer of the refresh route takes so long, in ms. */
  slow(ms: number): void
  /** For handlers of your own: the user of the request's token, or the 401 to answer with. */
  authorize(request: Request): U | Response
  readonly counts: Readonly<Counts>
}

// The page of jsdom and happy-dom is at http://localhost:3000 in Vitest, at http://localhost in Jest.
function defaultBases(): string[] {
  const page = globalThis.location?.origin
  const isPage = page !== undefined && /^https?:/.test(page)
  return [...new Set([...(isPage ? [page] : []), 'http://localhost'])]
}

type Fault = 'drop' | 'lose' | { readonly status: number; readonly retryAfter: number | undefined }

interface RefreshToken {
  spentAt: number | null
  successor: Json | null
}

/**
 * @example
 * const server = sessionServer()
 * const msw = setupServer(...server.handlers)
 * const session = createSession({ backend: server.backend() })
 * await session.signIn(await server.signIn())
 * server.expire()
 * expect((await session.fetch('/api/me')).status).toBe(200)
 * expect(server.counts.refreshes).toBe(1)
 */
export function sessionServer<U extends object = Json>(options: SessionServerOptions<U> = {}): SessionServer<U> {
  assertKnown('sessionServer', options, OPTIONS)
  const { baseUrl, lifeSeconds = 60, replayWindow = 0 } = options
  const { user = { id: 'ann', name: 'Ann' } as unknown as U } = options
  const bases = baseUrl === undefined ? defaultBases() : [baseUrl]
  const [base] = bases
  const counts: Counts = { logins: 0, refreshes: 0, served: 0, refused: 0, reused: 0 }
  const refreshTokens = new Map<string, RefreshToken>()
  const accessTokens = new Map<string, number>()
  const faults: Fault[] = []
  let stored = user
  let slowness = 0
  let lastToken = 0

  function mint(): Json {
    const nth = ++lastToken
    const iat = Math.floor(Date.now() / 1000)
    const { id, sub = id } = stored as Json
    const accessToken = unsignedJwt({ ...stored, sub, iat, exp: iat + lifeSeconds, jti: String(nth) })
    accessTokens.set(accessToken, Date.now() + lifeSeconds * 1000)
    refreshTokens.set(`refresh-${nth}`, { spentAt: null, successor: null })
    return { accessToken, refreshToken: `refresh-${nth}`, expiresIn: lifeSeconds, user: stored }
  }

  const refusal = (error: string): Response => HttpResponse.json({ error }, { status: 401 })

  function rotate(token: unknown): Response {
    const known = refreshTokens.get(String(token))
    if (!known) return refusal('unknown_refresh_token')
    if (known.spentAt === null) {
      known.spentAt = Date.now()
      known.successor = mint()
    } else if (Date.now() - known.spentAt >= replayWindow) {
      counts.reused++
      revoke()
      return refusal('reuse')
    }
    return HttpResponse.json(known.successor)
  }

  async function refresh(request: Request): Promise<Response> {
    counts.refreshes++
    const fault = faults.shift()
    const { refreshToken } = (await request.json()) as Json
    if (fault === 'drop') return HttpResponse.error()
    if (typeof fault === 'object') return failure(fault)
    const answer = rotate(refreshToken)
    if (slowness) await delay(slowness)
    return fault === 'lose' ? HttpResponse.error() : answer
  }

  function failure({ status, retryAfter }: Extract<Fault, object>): Response {
    const headers = retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }
    return HttpResponse.json({ error: 'fault' }, { status, headers })
  }

  function revoke(): void {
    refreshTokens.clear()
    accessTokens.clear()
  }

  function authorize({ headers }: Request): U | Response {
    const [, token = ''] = /^Bearer (.+)$/.exec(headers.get('authorization') ?? '') ?? []
    const isGood = (accessTokens.get(token) ?? 0) > Date.now()
    counts[isGood ? 'served' : 'refused']++
    return isGood ? stored : refusal('expired')
  }

  function login(): Json {
    counts.logins++
    return mint()
  }

  async function me(request: Request): Promise<Response> {
    const found = authorize(request)
    if (found instanceof Response) return found
    if (request.method === 'PATCH') stored = { ...stored, ...((await request.json()) as object) }
    return HttpResponse.json(stored)
  }

  const handlersAt = (at: string): HttpHandler[] => [
    http.post(`${at}/auth/login`, async ({ request }) => {
      const { password } = Object(await request.json().catch(() => null)) as Json
      return password === 'wrong' ? refusal('wrong_password') : HttpResponse.json(login())
    }),
    http.post(`${at}/auth/refresh`, ({ request }) => refresh(request)),
    http.post(`${at}/auth/logout`, async ({ request }) => {
      refreshTokens.delete(String(((await request.json()) as Json)['refreshToken']))
      return new HttpResponse(null, { status: 204 })
    }),
    http.get(`${at}/auth/user`, ({ request }) => me(request)),
    http.all(`${at}/api/me`, ({ request }) => me(request)),
    http.all(`${at}/api/*`, ({ request }) => {
      const found = authorize(request)
      return found instanceof Response ? found : HttpResponse.json({ path: new URL(request.url).pathname })
    }),
  ]

  const fill = (fault: Fault, times: number): void => void faults.push(...Array.from({ length: times }, () => fault))

  return {
    handlers: bases.flatMap(handlersAt),
    backend: () => ({
      ...bearer<U>({
        refreshUrl: `${base}/auth/refresh`,
        signOutUrl: `${base}/auth/logout`,
        userUrl: `${base}/auth/user`,
      }),
      ...(baseUrl === undefined && { origins: bases }),
    }),
    signIn: async () => login(),
    expire: () => accessTokens.clear(),
    edit: (changes) => void (stored = { ...stored, ...changes }),
    revoke,
    drop: (times = 1) => fill('drop', times),
    loseAnswer: (times = 1) => fill('lose', times),
    fail: (status, { times = 1, retryAfter } = {}) => fill({ status, retryAfter }, times),
    slow: (ms) => void (slowness = ms),
    authorize,
    counts,
  }
}
