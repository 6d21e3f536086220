// The sample server: one set of sessions behind three faces, an API, and faults on demand. Web APIs and jose only, so the
// same server runs under node:http, under Vite and inside a page (node.ts, vite.ts, msw.ts).

import { apiRoutes } from './api.ts'
import { bearerRoutes } from './bearer.ts'
import { bffRoutes, cookieName } from './bff.ts'
import { empty, json, readJson, type Answer, type Outcome, type Route, type Routes } from './exchange.ts'
import { defaultKnobs, mergeKnobs, type Knobs } from './faults.ts'
import { oauthRoutes } from './oauth.ts'
import { Users } from './profile.ts'
import { count, Records, type LogEntry, type Stats } from './stats.ts'
import { Tokens } from './tokens.ts'

export type { Fault, Knobs } from './faults.ts'
export type { Profile } from './profile.ts'
export type { LogEntry, Stats } from './stats.ts'

export interface SampleServerOptions {
  /** Starting values, which `reset` returns to. */
  knobs?: Partial<Knobs>
  /** Epoch ms. @default Date.now, read at call time */
  now?: () => number
}

interface Host {
  cookie?: string
  respond?: (body: string | null, init: ResponseInit) => Response
}

export interface SampleServer {
  /** @param host What a page needs: the cookie it may not see, and a Response that may carry Set-Cookie. */
  handle(request: Request, host?: Host): Promise<Response | 'drop'>
  readonly stats: Stats
  readonly log: readonly LogEntry[]
  readonly knobs: Knobs
  readonly users: Users
  /** Of the access tokens: ES256. */
  readonly publicKey: Tokens['publicKey']
  /** Every access token minted up to now is refused; nobody is told. */
  expireAccessTokens(): void
  /** Ends all sessions of a user. */
  revoke(user: string): void
  /** Sessions that live. */
  readonly sessions: number
  reset(): void
}

/** First path segments that are the server's. */
export const isSamplePath = (path: string): boolean => /^\/(auth|oauth|bff|api|sample)\//.test(path)

const localOrigin = /^https?:\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/
const exposed = 'www-authenticate, retry-after, refresh-session, location'

const corsHeaders = ({ headers }: Request): Record<string, string> => {
  const origin = headers.get('origin')
  if (!origin || !localOrigin.test(origin)) return {}
  return {
    vary: 'origin',
    'access-control-allow-origin': origin,
    'access-control-allow-credentials': 'true',
    'access-control-expose-headers': exposed,
  }
}

const preflight = ({ headers }: Request): Answer =>
  empty(204, 'preflight', {
    'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS',
    'access-control-allow-headers': headers.get('access-control-request-headers') ?? '',
    'access-control-max-age': '600',
  })

const cookieIn = (header: string | null | undefined) =>
  new RegExp(`(?:^|; *)${cookieName}=([^;]+)`).exec(header ?? '')?.[1]

export const createSampleServer = ({
  knobs: start = {},
  now = () => Date.now(),
}: SampleServerOptions = {}): SampleServer => {
  const knobs = structuredClone({ ...defaultKnobs, ...start })
  const users = new Users()
  const tokens = new Tokens(knobs, users, now)
  const records = new Records(tokens)
  const world = { knobs, users, tokens, records, now }
  const { stats, log } = records

  const revoke = (user: string) =>
    tokens.families.filter((family) => family.user === user).forEach((family) => tokens.end(family))
  const living = () => tokens.families.filter((family) => !family.ended && now() < family.expiresAt).length
  const reset = () => {
    tokens.clear()
    users.clear()
    records.clear()
    Object.assign(knobs, structuredClone({ ...defaultKnobs, ...start }))
  }

  const controlRoutes: Routes = {
    'GET /sample/state': () => json(200, { stats, knobs, users, sessions: living(), log: log.slice(-200) }),
    'POST /sample/knobs': async ({ request }) => {
      const wrong = mergeKnobs(knobs, await readJson(request))
      return wrong === undefined ? json(200, knobs) : json(400, { error: 'bad_knob', knob: wrong })
    },
    'POST /sample/expire': () => {
      tokens.expireAccessTokens()
      return empty(204)
    },
    'POST /sample/revoke': async ({ request }) => {
      revoke(String((await readJson(request))['user']))
      return empty(204)
    },
    'POST /sample/reset': () => {
      reset()
      return empty(204)
    },
  }
  const routes: Routes = {
    ...bearerRoutes(world),
    ...oauthRoutes(world),
    ...bffRoutes(world),
    ...apiRoutes(world),
    ...controlRoutes,
  }
  const routeOf = (method: string, path: string): Route => {
    const parent = path.replace(/[^/]+$/, '*')
    return (
      routes[`${method} ${path}`] ??
      routes[`* ${path}`] ??
      routes[`${method} ${parent}`] ??
      (() => json(404, { error: 'not_found' }, 'not found'))
    )
  }

  const answer = async (request: Request, url: URL, cookie: string | undefined): Promise<Outcome> => {
    const { method } = request
    const path = url.pathname
    if (method === 'OPTIONS' && request.headers.has('access-control-request-method')) {
      stats.preflights++
      return preflight(request)
    }
    // Neither the tests' own calls nor a browser's favicon are part of what is counted.
    if (path.startsWith('/sample/') || !isSamplePath(path)) return routeOf(method, path)({ request, url, cookie })
    const at = now()
    stats.requests++
    count(stats.byPath, `${method} ${path}`)
    const outcome = await routeOf(method === 'HEAD' ? 'GET' : method, path)({ request, url, cookie })
    const { status, what } = outcome === 'drop' ? { status: 'drop' as const, what: 'dropped' } : outcome
    records.write({ at, method, path, status, what })
    return outcome
  }

  return {
    async handle(request, host = {}) {
      const outcome = await answer(
        request,
        new URL(request.url),
        cookieIn(host.cookie ?? request.headers.get('cookie')),
      )
      if (outcome === 'drop') return 'drop'
      const { status, headers, body } = outcome
      const init = { status, headers: { ...headers, ...corsHeaders(request) } }
      return host.respond?.(body, init) ?? new Response(body, init)
    },
    stats,
    log,
    knobs,
    users,
    revoke,
    reset,
    get publicKey() {
      return tokens.publicKey
    },
    get sessions() {
      return living()
    },
    expireAccessTokens: () => tokens.expireAccessTokens(),
  }
}
