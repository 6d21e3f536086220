// Auth.js with a login of the app's own. Its callbacks read the user anew each time, and hand out an access token for the app's
// API. `isStored`: sessions are in a database; else in the encrypted cookie itself.

import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { Auth, type AuthConfig } from '@auth/core'
import type { AdapterSession } from '@auth/core/adapters'
import Credentials from '@auth/core/providers/credentials'
import type { Json } from 'resesh'
import { toNode } from '../../../servers/sample/node.ts'
import { type Profile, Users } from '../../../servers/sample/profile.ts'
import { serve } from '../support/child.ts'

// It insists on them, for logins of its own.
const UNUSED = [
  'createUser',
  'getUser',
  'getUserByEmail',
  'getUserByAccount',
  'updateUser',
  'linkAccount',
  'createSession',
]
const unused = (): never => {
  throw new Error('Nobody signs in this way')
}

export type Controls = ReturnType<typeof create>['controls']

export interface Options {
  isStored?: boolean
}

function create(origin: string, { isStored = false }: Options) {
  const users = new Users()
  const sessions = new Map<string, AdapterSession>()
  const tokens = new Map<string, string>()
  const over = new Set<string>()
  let [downs, forged] = [0, 0]

  const mint = (id: string): string => {
    const token = randomUUID()
    tokens.set(token, id)
    return token
  }
  const lookUp = async (sessionToken: string) => {
    if (downs-- > 0) throw new Error('The store is down')
    const session = sessions.get(sessionToken)
    return session ? { session, user: { ...users.get(session.userId), emailVerified: null } } : null
  }
  const told = ({ id, name, email, role }: Profile) => ({ id, name, email, role })

  const config: AuthConfig = {
    secret: randomUUID(),
    trustHost: true,
    basePath: '/api/auth',
    logger: { error() {}, warn() {}, debug() {} },
    providers: [
      isStored
        ? { id: 'unused', name: 'Unused', type: 'oidc', issuer: origin, clientId: 'unused', clientSecret: 'unused' }
        : Credentials({ credentials: { user: {} }, authorize: ({ user }) => ({ id: user as string }) }),
    ],
    session: { strategy: isStored ? 'database' : 'jwt' },
    ...(isStored && {
      adapter: {
        ...Object.fromEntries(UNUSED.map((name) => [name, unused])),
        getSessionAndUser: lookUp,
        deleteSession: async (token) => void sessions.delete(token),
        updateSession: async (session) => ({ ...sessions.get(session.sessionToken)!, ...session }),
      },
    }),
    callbacks: {
      jwt({ token, trigger, session }) {
        if (trigger === 'update') users.edit(token.sub!, session as Json)
        return over.has(token.sub!) ? null : token
      },
      session({ session, token, user, newSession, trigger }) {
        const id = isStored ? user.id : token.sub!
        if (isStored && trigger === 'update') users.edit(id, newSession as Json)
        return { expires: session.expires, user: told(users.get(id)), accessToken: mint(id), idToken: 'secret' }
      },
    },
  }

  /** A login into the database: the software has none of its own for it. */
  const enter = (user: string): Response => {
    const sessionToken = randomUUID()
    sessions.set(sessionToken, { sessionToken, userId: user, expires: new Date(Date.now() + 86_400_000) })
    const cookie = `authjs.session-token=${sessionToken}; Path=/; HttpOnly; SameSite=Lax`
    return new Response(null, { status: 204, headers: { 'set-cookie': cookie } })
  }

  async function handle(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url)
    if (pathname === '/api/enter') return enter(searchParams.get('user')!)
    if (pathname === '/api/auth/csrf' && forged-- > 0) return Response.json({ csrfToken: 'forged' })
    if (pathname.startsWith('/api/auth/')) return Auth(request, config)
    const [, token] = /^Bearer (.+)/.exec(request.headers.get('authorization') ?? '') ?? []
    const id = tokens.get(token ?? '')
    return id ? Response.json(users.get(id)) : Response.json({ error: 'unauthorized' }, { status: 401 })
  }

  return {
    renews: ({ url }: IncomingMessage) => url === '/api/auth/session',
    listen: toNode({ handle }),
    controls: {
      reset() {
        users.clear()
        sessions.clear()
        tokens.clear()
        over.clear()
        downs = forged = 0
      },
      edit: (user: string, changes: Json) => void users.edit(user, changes),
      /** No access token that is out is accepted any more. */
      expire: () => tokens.clear(),
      revoke(user: string) {
        over.add(user)
        for (const [token, { userId }] of sessions) if (userId === user) sessions.delete(token)
      },
      living: () => sessions.size,
      /** The next that many looks into the database fail. */
      down: (times: number) => void (downs = times),
      /** The next that many tokens against forgery are none of its own. */
      forge: (times: number) => void (forged = times),
    },
  }
}

await serve(create)
