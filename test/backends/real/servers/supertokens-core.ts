// What supertokens-node asks of its core, a service in Java that no package has: sessions, the keys, and who descends from whom.
// A refresh token may be exchanged until its child has been used; from then on it is stolen goods. Written from the description
// of its interface (CDI 5.4).

import { createHash, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Json } from 'resesh'

interface Session {
  handle: string
  userId: string
  claims: Json
  /** The refresh token whose child was not used yet. */
  current: string
  isStatic: boolean
}

interface Refresh {
  session: Session
  parent: string | null
  antiCsrf: string | null
}

export interface Core {
  readonly url: string
  readonly sessions: ReadonlyMap<string, Session>
  isDown: boolean
  clear(): void
}

const own = 'sub iat exp tId rsub sessionHandle refreshTokenHash1 parentRefreshTokenHash1 antiCsrfToken'.split(' ')
const hash = (token: string): string => createHash('sha256').update(token).digest('hex')
const encode = (value: Json): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const claimsOf = (token: string): Json => JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as Json

export async function startCore(lifeMs: number): Promise<Core> {
  const sessions = new Map<string, Session>()
  const refreshTokens = new Map<string, Refresh>()
  const byHash = new Map<string, string>()
  const keys = Object.fromEntries(
    ['d-1', 's-1'].map((kid) => [kid, generateKeyPairSync('rsa', { modulusLength: 2048 })]),
  ) as Record<string, { publicKey: KeyObject; privateKey: KeyObject }>

  const signed = (claims: Json, { isStatic }: Session) => {
    const kid = isStatic ? 's-1' : 'd-1'
    const content = `${encode({ kid, typ: 'JWT', version: '5', alg: 'RS256' })}.${encode(claims)}`
    const signature = sign('RSA-SHA256', Buffer.from(content), keys[kid]!.privateKey).toString('base64url')
    const [expiry, createdTime] = [Number(claims['exp']) * 1000, Number(claims['iat']) * 1000]
    return { token: `${content}.${signature}`, expiry, createdTime }
  }
  const access = (session: Session, hash1: string, parentHash1: string | null, antiCsrfToken: unknown) => {
    const iat = Math.floor(Date.now() / 1000)
    const { userId, handle: sessionHandle, claims } = session
    const lineage = { sessionHandle, refreshTokenHash1: hash1, parentRefreshTokenHash1: parentHash1, antiCsrfToken }
    const who = { sub: userId, rsub: userId, tId: 'public', iat, exp: iat + lifeMs / 1000 }
    return signed({ ...who, ...lineage, ...claims }, session)
  }
  const told = ({ handle, userId, claims }: Session) => ({
    handle,
    userId,
    recipeUserId: userId,
    userDataInJWT: claims,
    tenantId: 'public',
  })
  const unauthorised = { status: 'UNAUTHORISED', message: 'there is no such session' }

  /** A new refresh token, and an access token that knows whose child it is. */
  const grant = (session: Session, parent: string | null, { enableAntiCsrf }: Json) => {
    const antiCsrf = enableAntiCsrf ? randomUUID() : null
    const token = randomUUID()
    refreshTokens.set(token, { session, parent, antiCsrf })
    byHash.set(hash(token), token)
    const createdTime = Date.now()
    return {
      status: 'OK',
      session: told(session),
      accessToken: access(session, hash(token), parent && hash(parent), antiCsrf),
      refreshToken: { token, createdTime, expiry: createdTime + 100 * 86_400_000 },
      ...(antiCsrf && { antiCsrfToken: antiCsrf }),
    }
  }

  const routes: Record<string, (body: Json, query: URLSearchParams) => unknown> = {
    'GET /apiversion': () => ({ versions: ['5.4'] }),
    'GET /.well-known/jwks.json': () => ({
      keys: Object.entries(keys).map(([kid, { publicKey }]) => ({
        ...publicKey.export({ format: 'jwk' }),
        kid,
        alg: 'RS256',
        use: 'sig',
      })),
    }),
    'GET /user/id': () => ({ status: 'UNKNOWN_USER_ID_ERROR' }),
    'POST /recipe/session'(body) {
      const { userId, userDataInJWT, useDynamicSigningKey } = body as { userId: string; userDataInJWT: Json } & Json
      const isStatic = useDynamicSigningKey === false
      const session = { handle: randomUUID(), userId, claims: userDataInJWT, current: '', isStatic }
      sessions.set(session.handle, session)
      const granted = grant(session, null, body)
      session.current = granted.refreshToken.token
      return granted
    },
    'POST /recipe/session/refresh'(body) {
      const { refreshToken: token, antiCsrfToken, enableAntiCsrf } = body as { refreshToken: string } & Json
      const known = refreshTokens.get(token)
      if (!known || !sessions.has(known.session.handle)) return unauthorised
      const { session, parent, antiCsrf } = known
      if (enableAntiCsrf && antiCsrf !== antiCsrfToken) return { ...unauthorised, message: 'anti-csrf does not match' }
      if (parent === session.current) session.current = token // nobody had used it yet
      else if (token !== session.current) return { status: 'TOKEN_THEFT_DETECTED', session: told(session) }
      return grant(session, token, body)
    },
    'POST /recipe/session/verify'(body) {
      const { accessToken, checkDatabase, enableAntiCsrf, doAntiCsrfCheck, antiCsrfToken } = body
      const claims = claimsOf(accessToken as string)
      if (Number(claims['exp']) * 1000 < Date.now()) return { status: 'TRY_REFRESH_TOKEN', message: 'expired' }
      if (enableAntiCsrf && doAntiCsrfCheck && claims['antiCsrfToken'] !== antiCsrfToken)
        return { status: 'TRY_REFRESH_TOKEN', message: 'anti-csrf does not match' }
      const session = sessions.get(claims['sessionHandle'] as string)
      const [hash1, parent1] = [
        claims['refreshTokenHash1'] as string,
        claims['parentRefreshTokenHash1'] as string | null,
      ]
      if (!session && (checkDatabase || parent1)) return unauthorised
      const userDataInJWT = Object.fromEntries(Object.entries(claims).filter(([name]) => !own.includes(name)))
      const userId = claims['sub'] as string
      const stateless = {
        handle: claims['sessionHandle'],
        userId,
        recipeUserId: userId,
        userDataInJWT,
        tenantId: 'public',
      }
      if (!session || !parent1) return { status: 'OK', session: stateless }
      // The first use of a child makes it the current one, and brings an access token without a parent.
      if (parent1 === hash(session.current)) session.current = byHash.get(hash1)!
      const isCurrent = hash1 === hash(session.current)
      if (!isCurrent) return { status: 'OK', session: stateless }
      return {
        status: 'OK',
        session: told(session),
        accessToken: access(session, hash1, null, claims['antiCsrfToken']),
      }
    },
    'POST /recipe/session/remove'({ sessionHandles, userId }) {
      const meant = (sessionHandles ?? []) as string[]
      const handles = userId
        ? [...sessions.values()].filter((each) => each.userId === userId).map(({ handle }) => handle)
        : meant
      return { status: 'OK', sessionHandlesRevoked: handles.filter((handle) => sessions.delete(handle)) }
    },
    'GET /recipe/session'(_, query) {
      const session = sessions.get(query.get('sessionHandle')!)
      const times = { expiry: Date.now() + 100 * 86_400_000, timeCreated: Date.now() }
      if (!session) return unauthorised
      return { status: 'OK', ...told(session), sessionHandle: session.handle, userDataInDatabase: {}, ...times }
    },
    'GET /recipe/session/user': (_, query) => ({
      status: 'OK',
      sessionHandles: [...sessions.values()]
        .filter(({ userId }) => userId === query.get('userId'))
        .map(({ handle }) => handle),
    }),
    'PUT /recipe/jwt/data'({ sessionHandle, userDataInJWT }) {
      const session = sessions.get(sessionHandle as string)
      if (!session) return unauthorised
      session.claims = userDataInJWT as Json
      return { status: 'OK' }
    },
  }

  const http = createServer((message, response) => {
    void (async () => {
      const { pathname, searchParams } = new URL(message.url!, 'http://core')
      const body = await text(message)
      if (core.isDown) return response.writeHead(500).end('the core is down')
      const answer = routes[`${message.method} ${pathname.replace(/^\/public\//, '/')}`]
      const said = answer?.(body ? (JSON.parse(body) as Json) : {}, searchParams)
      return response.writeHead(said ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify(said))
    })()
  })
  await new Promise<void>((done) => http.listen(0, '127.0.0.1', done))
  const core: Core = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    sessions,
    isDown: false,
    clear() {
      sessions.clear()
      refreshTokens.clear()
      byHash.clear()
    },
  }
  return core
}
