// SuperTokens: tokens in headers or in cookies, told of by a header on any response; and the flow of 2020, before that header.

import type { Credentials, Json } from '../state/credentials.ts'
import { RefreshFailedError, SessionEndedError } from '../errors.ts'
import { assertKnown, type Names } from '../known-options.ts'
import type { Backend, Predecessor } from '../seam/backend.ts'
import type { Io, RequestView } from '../seam/io.ts'
import {
  assertDelivered,
  cookieReach,
  observeResponses,
  originsOf,
  ownsEndpoints,
  peek,
  requireOptions,
  writesTo,
} from './kit.ts'
import { LEGACY_SDK, type Mark, read, websiteSdk } from './supertokens/answers.ts'

interface CommonOptions {
  /**
   * In cookie mode: routes of your own whose answer begins a session, absolute or paths. They are not asked while a refresh is
   * under way, whose late answer would overwrite the new cookies, or clear them.
   * @default none but those below `baseUrl`
   */
  signInUrls?: readonly string[]
}

export interface SuperTokensOptions extends CommonOptions {
  /** Where the routes are. @default '/auth' */
  baseUrl?: string
  /** How the server is to hand out its tokens. @default 'cookie' */
  mode?: 'cookie' | 'header'
  /** `sessionExpiredStatusCode` of the server. @default 401 */
  expiredStatus?: number
}

export interface SuperTokensLegacyOptions extends CommonOptions {
  /** POST: the app's own route. */
  refreshUrl: string
  /** POST: has to end the session. Left out: the cookies live on after a sign-out, and sign in again at the next page. */
  signOutUrl?: string
  /** @default 440 */
  expiredStatus?: number
  /** With each refresh: `refreshAPICustomHeaders`. */
  headers?: HeadersInit
}

const OPTIONS: Names<SuperTokensOptions> = { signInUrls: true, baseUrl: true, mode: true, expiredStatus: true }
const LEGACY_OPTIONS: Names<SuperTokensLegacyOptions> = {
  signInUrls: true,
  refreshUrl: true,
  signOutUrl: true,
  expiredStatus: true,
  headers: true,
}

/** How one of the two generations marks a session. */
interface Dialect {
  name: string
  refreshUrl: string
  signOutUrl: string | undefined
  expiredStatus: number
  mark: Mark
  /** Of each request, and of the calls of its own. */
  headers: Readonly<Record<string, string>>
  ownHeaders: Readonly<Record<string, string>>
  mode: 'cookie' | 'header'
  /** Whether the answer to a request may begin a session. */
  isSignIn(request: RequestView): boolean
  /** Where cookies go, beside the origins of the session. */
  signInUrls: readonly string[] | undefined
  /** What the vendor's SDK keeps in a browser. */
  predecessor: Predecessor
}

const antiCsrfOf = (held: Credentials | null): string | undefined => held?.data?.['antiCsrf'] as string | undefined

/** @throws SessionEndedError where the server says that the refresh token was used twice. */
async function assertNotStolen(response: Response): Promise<void> {
  const { message } = (await peek(response)) ?? {}
  if (message === 'token theft detected') throw new SessionEndedError('reused', { refusal: response })
}

/** What a login answered, in its headers. */
function readLogin(response: Response | undefined, mark: Mark): Credentials | null {
  const said = response && read(response, mark)
  if (said !== undefined) return said
  throw new RefreshFailedError(
    `no header ${mark}: give signIn() the Response itself; is the header in Access-Control-Expose-Headers?`,
  )
}

function speak(dialect: Dialect): Backend {
  const { name, refreshUrl, signOutUrl, expiredStatus, mark, headers: extra, ownHeaders, mode, predecessor } = dialect
  const isOwn = ownsEndpoints([refreshUrl])
  const cookiePlaces = originsOf([refreshUrl, signOutUrl, ...(dialect.signInUrls ?? [])])
  const needsInclude = cookieReach(cookiePlaces, undefined, mode === 'header')
  // Beside a cookie, the server would take a token in a header for the other mode, and clear the cookie.
  const tokenFor = (token: string | null | undefined): string | null => (mode === 'header' && token) || null

  function post(held: Credentials | null, io: Io, url: string, token: string | null): Promise<Response> {
    const headers = new Headers(ownHeaders)
    const antiCsrf = antiCsrfOf(held)
    if (antiCsrf) headers.set('anti-csrf', antiCsrf)
    if (token) headers.set('authorization', `Bearer ${token}`)
    return io.fetch(url, { method: 'POST', headers, credentials: 'include' })
  }

  /**
   * Whether a refusal without the mark ends the session; else it is asked once more. With the mark, the server has cleared the
   * cookies: to ask again without any could only clear those of a login meanwhile.
   */
  const isFinal = (tries: number): boolean => mode === 'header' || tries > 1

  async function refresh(held: Credentials | null, io: Io): Promise<Credentials | null> {
    if (mode === 'header' && !held?.refreshToken) return null // nothing to ask with
    for (let tries = 1; ; tries++) {
      const response = await post(held, io, refreshUrl, tokenFor(held?.refreshToken))
      const said = read(response, mark)
      if (response.status === expiredStatus || said === null) {
        await assertNotStolen(response)
        if (said === null || isFinal(tries)) return null
        continue
      }
      if (response.ok && said) return said
      // A 200 that renewed nothing only cleared cookies of another domain: "call me again". Or CORS hides the header.
      if (!response.ok || tries > 1 || !(await peek(response)))
        throw new RefreshFailedError(
          `answered ${response.status} without the header ${mark}: is it in Access-Control-Expose-Headers?`,
          { refusal: response, spent: response.ok },
        )
    }
  }

  return {
    name,
    ...(mode === 'header' && {
      canRefresh: ({ refreshToken }: Credentials) => !!refreshToken,
      readAnswer: (_json: Json, response?: Response) => readLogin(response, mark),
    }),
    ...(mode === 'cookie' && {
      cookies: true,
      restore: (io: Io, held: Credentials | null) => refresh(held, io),
      restoreSetsCookie: true,
      beginsSession: dialect.isSignIn,
    }),
    predecessor,
    // Until somebody has used its successor, a refresh token may be exchanged again; newer servers give it 30 s.
    ...(mark === 'front-token' && { replayWindow: 30_000 }),
    origins: originsOf([refreshUrl]),
    identity: { endpoint: refreshUrl, others: [signOutUrl] },
    owns: isOwn,
    attach(headers, held, request) {
      // Also with nobody signed in: they decide how the answer to a login brings its tokens.
      for (const key in extra) if (!(key === 'rid' && headers.has(key))) headers.set(key, extra[key]!)
      const antiCsrf = antiCsrfOf(held)
      if (antiCsrf) headers.set('anti-csrf', antiCsrf)
      const token = tokenFor(held?.accessToken)
      // What stands there is a token of the session, set by the app: credentials of the caller's own are put back.
      if (mode === 'cookie') headers.delete('authorization')
      else if (token) headers.set('authorization', `Bearer ${token}`)
      return {
        // Also beside an access token that scripts can read: in cookie mode that is not sent.
        ...(needsInclude(request, null) && { credentials: 'include' }),
        ...(antiCsrf && { redirect: 'error' }),
      }
    },
    isExpired: ({ status }) => status === expiredStatus,
    async stepUp(response) {
      const errors = response.status === 403 && (await peek(response))?.['claimValidationErrors']
      return Array.isArray(errors) && errors.length > 0 ? { type: String(errors[0].id), errors } : null
    },
    use: [observeResponses((response) => read(response, mark))],
    refresh,
    async signOut(held, io) {
      if (!signOutUrl) return
      let response = await post(held, io, signOutUrl, tokenFor(held?.accessToken))
      if (response.status === expiredStatus && read(response, mark) !== null) {
        // Its access token has died, and the session has not.
        const fresh = await refresh(held, io)
        if (!fresh) return
        response = await post({ ...held, ...fresh }, io, signOutUrl, tokenFor(fresh.accessToken))
      }
      const { status } = (await peek(response)) ?? {}
      assertDelivered(response)
      if (status === 'GENERAL_ERROR') throw new RefreshFailedError('answered GENERAL_ERROR', { refusal: response })
    },
  }
}

/**
 * Sign in through `session.fetch`: the answer of any route may begin a session, renew it or end it.
 *
 * @example
 * const session = createSession({ backend: supertokens({ baseUrl: 'https://api.example.com/auth', mode: 'header' }) })
 * await session.fetch('https://api.example.com/auth/signin', { method: 'POST', body })
 */
export function supertokens(options: SuperTokensOptions = {}): Backend {
  const { baseUrl = '/auth', mode = 'cookie', expiredStatus = 401, signInUrls = [] } = options
  assertKnown('supertokens', options, OPTIONS)
  return speak({
    name: 'supertokens',
    refreshUrl: `${baseUrl}/session/refresh`,
    signOutUrl: `${baseUrl}/signout`,
    expiredStatus,
    mark: 'front-token',
    headers: { rid: 'anti-csrf', 'st-auth-mode': mode },
    ownHeaders: { rid: 'session', 'fdi-version': '1.16,1.17,1.18,1.19,2.0,3.0,3.1,4.0,4.1', 'st-auth-mode': mode },
    mode,
    isSignIn: writesTo(signInUrls, [`${baseUrl}/`]),
    signInUrls,
    predecessor: websiteSdk(mode),
  })
}

/** The flow of 2020: routes and a status of the app's own choice, and the marker `id-refresh-token`. */
export function supertokensLegacy(options: SuperTokensLegacyOptions): Backend {
  assertKnown('supertokensLegacy', options, LEGACY_OPTIONS)
  const { refreshUrl, signOutUrl, expiredStatus = 440, headers, signInUrls } = requireOptions(options, 'refreshUrl')
  const sdk = { 'supertokens-sdk-name': 'website', 'supertokens-sdk-version': '4.2.0' }
  return speak({
    name: 'supertokens-legacy',
    refreshUrl,
    signOutUrl,
    expiredStatus,
    mark: 'id-refresh-token',
    headers: sdk,
    ownHeaders: { ...Object.fromEntries(new Headers(headers)), ...sdk },
    mode: 'cookie',
    isSignIn: writesTo([...(signInUrls ?? []), signOutUrl]),
    signInUrls,
    predecessor: LEGACY_SDK,
  })
}
