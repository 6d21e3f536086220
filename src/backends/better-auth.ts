// better-auth: a session in a cookie, and with its JWT plugin a token beside it; or with its bearer plugin a token in its place.

import { claimsOf, type Credentials, type Json } from '../state/credentials.ts'
import { RefreshFailedError } from '../errors.ts'
import { assertKnown, type Names } from '../known-options.ts'
import type { Backend } from '../seam/backend.ts'
import type { Io } from '../seam/io.ts'
import {
  assertDelivered,
  attachBearer,
  cookieReach,
  missingField,
  originsOf,
  peek,
  readJson,
  readJsonOrNull,
  writesTo,
} from './kit.ts'
import { refusalOf } from './kit/server-words.ts'

export interface BetterAuthOptions {
  /** Where the routes are. @default '/api/auth' */
  baseUrl?: string
  /** The server has the JWT plugin, and the app's API takes its tokens. @default false */
  jwt?: boolean
  /**
   * The server has the bearer plugin, and the page keeps the session's own token in place of a cookie: it goes to the app's API
   * too. Not together with `jwt`. @default false
   */
  bearer?: boolean
}

const OPTIONS: Names<BetterAuthOptions> = { baseUrl: true, jwt: true, bearer: true }

/**
 * Sign in with better-auth's own client, then call `session.signIn()`.
 *
 * @example
 * const session = createSession({ backend: betterAuth({ jwt: true }) })
 * await authClient.signIn.email({ email, password })
 * await session.signIn()
 *
 * @example
 * const session = createSession({ backend: betterAuth({ baseUrl: 'https://api.example.com/api/auth', bearer: true }) })
 * await session.signIn(({ fetch }) => fetch('https://api.example.com/api/auth/sign-in/email', { method: 'POST', headers, body }))
 */
export function betterAuth(options: BetterAuthOptions = {}): Backend {
  const { baseUrl = '/api/auth', jwt = false, bearer = false } = options
  assertKnown('betterAuth', options, OPTIONS)

  function ask(io: Io, held: Credentials | null, path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers)
    if (bearer) attachBearer(headers, held)
    return io.fetch(baseUrl + path, { ...init, headers, credentials: bearer ? 'omit' : 'include' })
  }

  const needsInclude = cookieReach(originsOf([baseUrl]), undefined, jwt)

  async function mint(io: Io): Promise<string | null> {
    const response = await ask(io, null, '/token')
    if (response.status === 401) return null
    const json = await readJson(response)
    const { token } = json
    if (typeof token === 'string' && token) return token
    throw missingField('token', json, 'is the JWT plugin on?')
  }

  /** @param isFresh Past the cookie cache of the server. */
  async function check(io: Io, held: Credentials | null, isFresh: boolean): Promise<Credentials | null> {
    const path = `/get-session${isFresh ? '?disableCookieCache=true' : ''}`
    let response = await ask(io, held, path)
    let body = await read(response)
    if (body?.['needsRefresh']) body = await read((response = await ask(io, held, path, { method: 'POST' })))
    const { session, user } = (body ?? {}) as { session?: Json; user?: Json }
    // The answer that finds a session expired still carries a token for it: only with a session is it one.
    if (!session || !user) return null
    if (jwt) return { user, accessToken: response.headers.get('set-auth-jwt') ?? (await mintFor(io, session, user)) }
    // The session's own token is the secret itself: it stays out of what an app shows and stores.
    const { token: _secret, ...claims } = session
    const accessToken = held?.accessToken
    return { user, ...(accessToken && { accessToken }), claims: { ...claims, sub: claims['userId'] } }
  }

  /** A token for the session that was just read: another user may have signed in between the two calls. */
  async function mintFor(io: Io, session: Json, user: Json): Promise<string> {
    const token = await mint(io)
    if (!token) throw new RefreshFailedError('/token answered 401 although there is a session', { spent: false })
    if (subOf(token) === user['id']) return token
    // The server may have a `sub` of its own. The same session before and after: then the token is of that session.
    const now = (await read(await ask(io, null, '/get-session?disableCookieCache=true')))?.['session'] as Json | null
    if (now?.['id'] === session['id']) return token
    throw new RefreshFailedError('another user has signed in meanwhile', { spent: false })
  }

  /** Nobody counts only if it is said twice, where a cookie is shared with other pages: they may have replaced it meanwhile. */
  const confirm = async (io: Io, held: Credentials | null): Promise<Credentials | null> =>
    (await check(io, held, true)) ?? (bearer ? null : check(io, held, true))

  async function refresh(held: Credentials, io: Io): Promise<Credentials | null> {
    if (!jwt) return confirm(io, held)
    const accessToken = await mint(io)
    // A store that is down looks like signed out to the token route: the session route knows better.
    if (!accessToken) return check(io, held, true)
    // The token of another user, who has signed in on another page, comes with that user.
    return subOf(accessToken) === ownerOf(held) ? { accessToken } : confirm(io, held)
  }

  const restore = async (io: Io, held: Credentials | null): Promise<Credentials | null> =>
    (await check(io, null, false)) ?? (held && check(io, null, true))

  return {
    name: 'better-auth',
    ...(!bearer && { cookies: true, needsToken: jwt, restore }),
    // The session's token stays the same.
    replayWindow: Infinity,
    origins: originsOf([baseUrl]),
    identity: { endpoint: baseUrl },
    owns: (url) => /\/(get-session|token|sign-out)(\?|$)/.test(url) && url.includes(`${baseUrl}/`),
    ...(!bearer && { beginsSession: writesTo([], [`${baseUrl}/`]) }),
    attach(headers, credentials, request) {
      attachBearer(headers, credentials)
      return !bearer && needsInclude(request, credentials) ? { credentials: 'include' } : {}
    },
    async stepUp(response) {
      const code = response.status === 403 && (await peek(response))?.['code']
      return code === 'SESSION_NOT_FRESH' ? { type: code } : null
    },
    refresh,
    ...(bearer && { readAnswer: readLogin }),
    reload: (held, io) => confirm(io, held),
    async signOut(held, io) {
      const headers = { 'content-type': 'application/json' }
      assertDelivered(await ask(io, held, '/sign-out', { method: 'POST', headers, body: '{}' }))
    },
  }
}

/** What a login answered: the token is in a header, the user beside it. */
function readLogin({ user }: Json, response?: Response): Credentials {
  const accessToken = response?.headers.get('set-auth-token')
  if (accessToken) return { accessToken, ...(!!user && { user: user as Json }) }
  throw new RefreshFailedError(
    'the answer has no header set-auth-token: give signIn() the Response itself; is the bearer plugin on, and the header in Access-Control-Expose-Headers?',
  )
}

const subOf = (token: string): unknown => claimsOf(token)?.['sub']

/** By what the held token said, or else by the user: their ids are the same, unless the server has a `sub` of its own. */
const ownerOf = ({ claims, user }: Credentials): unknown => claims?.['sub'] ?? user?.['id'] ?? null

/** `null`: nobody. */
async function read(response: Response): Promise<Json | null> {
  // A session that was deleted while it was being prolonged.
  if (response.ok) return readJsonOrNull(response)
  const said = await peek(response)
  if (response.status === 401 && said?.['code'] === 'FAILED_TO_GET_SESSION') return null
  throw refusalOf(response, said)
}
