// better-auth with the plugins asked for, over its memory adapter, and an app's API behind it. Without tokens, the API takes the
// signed copy of the session that better-auth keeps in a cookie (`cookieCache`): what an edge middleware can check by itself.
// With the session's own token, it takes sessions that were renewed lately.

import type { IncomingMessage } from 'node:http'
import { betterAuth } from 'better-auth'
import { memoryAdapter } from 'better-auth/adapters/memory'
import { getCookieCache } from 'better-auth/cookies'
import { toNodeHandler } from 'better-auth/node'
import { bearer, jwt } from 'better-auth/plugins'
import type { Json } from 'resesh'
import { toNode } from '../../../servers/sample/node.ts'
import { serve } from '../support/child.ts'

type Rows = Record<string, Record<string, unknown>[]>

export interface Options {
  /** How the app's API knows a session. */
  by: 'cookie' | 'jwt' | 'bearer'
  /** Where pages may be, beside its own origin. */
  trusted?: string[]
  deferSessionRefresh?: boolean
  rateLimit?: boolean
}

export type Controls = ReturnType<typeof create>['controls']

const secret = 'only-for-tests-and-only-on-this-machine'

// Of a JWT, of the copy in the cookie, and what counts as lately.
const lifeMs = 15 * 60_000

function create(origin: string, { by, deferSessionRefresh = false, rateLimit = false, trusted = [] }: Options) {
  const db: Rows = { user: [], session: [], account: [], verification: [], jwks: [], rateLimit: [] }
  const memory = memoryAdapter(db)
  let isDown = false
  const store: typeof memory = (config) => {
    const real = memory(config)
    const findOne: typeof real.findOne = (query) => {
      if (isDown) throw new Error('the store is down')
      return real.findOne(query)
    }
    return { ...real, findOne }
  }
  const auth = betterAuth({
    baseURL: origin,
    secret,
    trustedOrigins: [...trusted, origin.replace('127.0.0.1', 'localhost')],
    database: store,
    emailAndPassword: {
      enabled: true,
      password: { hash: async (it) => it, verify: async (it) => it.hash === it.password },
    },
    session: {
      deferSessionRefresh,
      updateAge: 0,
      freshAge: 0.001, // every session is too old for `/list-sessions`
      cookieCache: { enabled: by === 'cookie', maxAge: lifeMs / 1000 },
    },
    rateLimit: { enabled: rateLimit, window: 60, max: 1000, customRules: { '/token': { window: 60, max: 1 } } },
    plugins: [...(by === 'jwt' ? [jwt()] : []), ...(by === 'bearer' ? [bearer()] : [])],
    logger: { disabled: true },
    telemetry: { enabled: false },
  })

  const rowOf = (user: string) => db['user']!.find(({ email }) => email === `${user}@example.test`)!
  const sessionsOf = (user: string) => db['session']!.filter(({ userId }) => userId === rowOf(user)['id'])

  async function userOf(request: Request): Promise<Record<string, unknown> | undefined> {
    if (by === 'bearer') {
      const found = await auth.api.getSession({ headers: request.headers, query: { disableRefresh: true } })
      return found && Date.now() - found.session.updatedAt.getTime() < lifeMs ? found.user : undefined
    }
    if (by === 'cookie') {
      const copy = await getCookieCache(request, { secret, isSecure: false })
      return copy?.user
    }
    const token = /^Bearer (.+)/.exec(request.headers.get('authorization') ?? '')?.[1]
    const { payload } = token
      ? await auth.api.verifyJWT({ body: { token } }).catch(() => ({ payload: null }))
      : { payload: null }
    return payload ? { ...payload } : undefined
  }

  async function handle(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url)
    const user = await userOf(request)
    if (pathname !== '/api/me') return Response.json({ error: 'not found' }, { status: 404 })
    return user ? Response.json({ name: user['name'] }) : Response.json({ error: 'unauthorized' }, { status: 401 })
  }

  const [routes, api] = [toNodeHandler(auth), toNode({ handle })]
  const foreign = origin.replace('127.0.0.1', 'localhost')
  return {
    listen(...[message, response]: Parameters<typeof api>) {
      // better-auth leaves this to the app, but for the headers that it exposes itself.
      if (message.headers.origin === foreign) {
        response.setHeader('access-control-allow-origin', foreign)
        response.setHeader('access-control-allow-headers', 'authorization, content-type')
        if (message.method === 'OPTIONS') return void response.writeHead(204).end()
      }
      void (message.url!.startsWith('/api/auth/') ? routes : api)(message, response)
    },
    renews: ({ method, url }: IncomingMessage) =>
      by === 'jwt'
        ? url === '/api/auth/token'
        : method === 'GET' && url === '/api/auth/get-session?disableCookieCache=true',
    controls: {
      reset() {
        isDown = false
        for (const rows of Object.values(db)) rows.length = 0
      },
      revoke: (user: string) => {
        const gone = sessionsOf(user)
        db['session'] = db['session']!.filter((row) => !gone.includes(row))
      },
      edit: (user: string, changes: Json) => {
        Object.assign(rowOf(user), changes)
      },
      /** As if its user had just signed in again. */
      freshen: (user: string) => sessionsOf(user).forEach((row) => (row['createdAt'] = new Date(Date.now() + 60_000))),
      living: () => db['session']!.length,
      storeIs: (down: boolean) => void (isDown = down),
    },
  }
}

await serve(create)
