// A login by redirect: the first tokens of a session, by an authorization code with PKCE (RFC 6749 §4.1, RFC 7636), and the way
// out again (OpenID Connect RP-Initiated Logout 1.0). The protocol is oauth4webapi's; here is what a page has to do with it.

import { assertIssuer } from '../../backends/kit/issuer.ts'
import { assertPublic } from '../../backends/oauth2/options.ts'
import { fromTokenResponse } from '../../backends/oauth2/token-response.ts'
import { InvalidOptionError, LoginError } from '../../errors.ts'
import { assertKnown, type Names } from '../../known-options.ts'
import { globalsOf } from '../../runtime/globals.ts'
import { answerIn } from './redirect/answer.ts'
import type { CreateLoginOptions, LoggedIn, Login, LoginOptions, LoginSession, LogoutOptions } from './redirect/face.ts'
import { createFlows, type Flow } from './redirect/flow.ts'
import { authorizationUrl, createDeparture, logoutUrl } from './redirect/request.ts'
import { createProof, createServer } from './redirect/server.ts'

export { LoginError }
export type { CreateLoginOptions, LoggedIn, Login, LoginOptions, LoginSession, LogoutOptions }

const OPTIONS: Names<CreateLoginOptions> = {
  clientId: true,
  issuer: true,
  authorizationEndpoint: true,
  tokenEndpoint: true,
  endSessionEndpoint: true,
  redirectUri: true,
  postLogoutRedirectUri: true,
  scope: true,
  resource: true,
  parameters: true,
  platform: true,
}

// What is asked for again so soon was not met by the login.
const CIRCLE_MS = 60_000

const LOGIN_OPTIONS: Names<LoginOptions> = {
  returnTo: true,
  maxAgeSeconds: true,
  acrValues: true,
  prompt: true,
  loginHint: true,
  parameters: true,
}
const LOGOUT_OPTIONS: Names<LogoutOptions> = { postLogoutRedirectUri: true, parameters: true }

/** @throws {@link InvalidOptionError} naming the option. */
function checkOptions(options: CreateLoginOptions): void {
  const { clientId, redirectUri, issuer, authorizationEndpoint, tokenEndpoint } = options
  assertPublic('createLogin', options, OPTIONS)
  for (const [name, value] of Object.entries({ clientId, redirectUri }))
    if (!value) throw new InvalidOptionError(name, 'is missing: a login needs it')
  if (issuer !== undefined) assertIssuer(issuer)
  else if (!authorizationEndpoint || !tokenEndpoint)
    throw new InvalidOptionError('issuer', 'is missing: a login needs it, or authorizationEndpoint and tokenEndpoint')
}

/**
 * The login of a session by redirect. Nothing happens until a method is called.
 *
 * @example
 * const server = { issuer: 'https://id.example.com', clientId: 'spa' }
 * const session = createSession({ backend: oauth2(server) })
 * const { login, handleRedirect, logout } = createLogin(session, { ...server, redirectUri: '/callback' })
 * await handleRedirect()
 * if ((await session.ready()).status === 'unauthenticated') await login()
 *
 * @throws {@link InvalidOptionError} naming the option.
 * @see [RFC 9700 §2.1](https://www.rfc-editor.org/rfc/rfc9700#section-2.1), [RFC 9207](https://www.rfc-editor.org/rfc/rfc9207)
 */
export function createLogin(session: LoginSession, options: CreateLoginOptions): Login {
  checkOptions(options)
  const { issuer, authorizationEndpoint, clientId, redirectUri, scope = 'openid offline_access' } = options
  const get = globalsOf(options.platform ?? {})
  const server = createServer(options)
  const flows = createFlows(get)
  const departure = createDeparture(get)
  /** Tells the flows of this login from those of another login on this page. */
  const serverKey = JSON.stringify([issuer ?? authorizationEndpoint, clientId])
  /** The answer that the page was opened with, once it was taken; and the page's URL since. */
  let last: { href: string; outcome: Promise<LoggedIn> } | undefined
  /** The step-up that the page was opened after. */
  let answered: { challenge: string; at: number } | undefined

  const now = (): number => get('Date')!.now()
  const here = (): string => get('location')!.href
  const absolute = (url: string): string => new URL(url, here()).href
  const realFetch: typeof fetch = (...args) => get('fetch')!(...args)

  async function begin(wanted: LoginOptions, challenge?: string): Promise<URL> {
    assertKnown('login', wanted, LOGIN_OPTIONS)
    const returnTo = absolute(wanted.returnTo ?? here())
    if (new URL(returnTo).origin !== get('location')!.origin)
      throw new InvalidOptionError('returnTo', 'must be on the origin of the page: nothing was begun')
    const metadata = await server.metadata(realFetch)
    const { maxAgeSeconds } = wanted
    const proof = await createProof()
    const asked = { ...options, scope, redirectUri: absolute(redirectUri) }
    const url = authorizationUrl(metadata, asked, wanted, proof)
    const { state, verifier } = proof
    const nonce = url.searchParams.has('nonce') ? proof.nonce : undefined
    flows.save(state, {
      server: serverKey,
      verifier,
      nonce,
      redirectUri: asked.redirectUri,
      returnTo,
      maxAgeSeconds,
      challenge,
      startedAt: now(),
    })
    return url
  }

  /** Replaces the page's URL, so that nothing of the one before stays in the history. */
  function showUrl(url: string): void {
    const history = get('history')!
    history.replaceState(history.state, '', url)
  }

  async function signIn(answer: URLSearchParams, state: string, flow: Flow): Promise<void> {
    server.check(answer, state)
    const { resource } = options
    await session.signIn(async ({ fetch }) =>
      fromTokenResponse(await server.exchange(answer, state, flow, { fetch, resource, now: now() })),
    )
  }

  async function conclude(answer: URLSearchParams, state: string, flow: Flow | null): Promise<LoggedIn> {
    if (!flow) throw new LoginError('stale')
    const { returnTo, challenge } = flow
    if (challenge !== undefined) answered = { challenge, at: now() }
    try {
      await signIn(answer, state, flow)
    } catch (error) {
      if (error instanceof LoginError) error.returnTo = returnTo
      throw error
    }
    // Unless the app has gone elsewhere meanwhile.
    if (last?.href === here()) {
      showUrl(returnTo)
      last.href = here()
    }
    return { returnTo }
  }

  async function handleRedirect(): Promise<LoggedIn | null> {
    const href = get('location')?.href
    if (href === undefined) return null
    const answer = answerIn(href, absolute(redirectUri))
    if (!answer) return href === last?.href ? last.outcome : null
    const state = answer.get('state')!
    const flow = flows.find(state)
    // Of another login on this page, which will handle it.
    if (flow && flow.server !== serverKey) return null
    flows.remove(state)
    showUrl(absolute(redirectUri))
    last = { href: here(), outcome: conclude(answer, state, flow) }
    return last.outcome
  }

  async function logout(wanted: LogoutOptions = {}) {
    const { postLogoutRedirectUri: next = options.postLogoutRedirectUri, parameters } = wanted
    await session.ready().catch(() => {})
    const idToken = session.extras?.['idToken']
    await session.signOut()
    // Only now: no typo keeps a user signed in.
    assertKnown('logout', wanted, LOGOUT_OPTIONS)
    const metadata = await server.metadata(realFetch).catch((error: LoginError) => {
      throw new LoginError(error.reason, error.what, { cause: error.cause, still: STILL_AT_SERVER })
    })
    if (!metadata.end_session_endpoint) return
    const known = { id_token_hint: typeof idToken === 'string' ? idToken : undefined, client_id: clientId }
    const back = next === undefined ? undefined : absolute(next)
    await departure.go(logoutUrl(metadata, { ...known, post_logout_redirect_uri: back, ...parameters }))
  }

  return {
    login: (wanted = {}) => departure.join(() => begin(wanted)),
    handleRedirect,
    logout,
    async stepUp({ challenge }) {
      const { acr_values: acrValues, max_age } = challenge
      const key = JSON.stringify([challenge.type, acrValues, max_age])
      if (answered?.challenge === key && now() - answered.at < CIRCLE_MS) return false
      const maxAgeSeconds = Number(max_age ?? NaN)
      const wanted = {
        ...(typeof acrValues === 'string' && { acrValues }),
        ...(maxAgeSeconds >= 0 && { maxAgeSeconds }),
      }
      await departure.join(() => begin(wanted, key))
      return false
    },
  }
}

const STILL_AT_SERVER = 'The session is signed out here; the session of the server itself may go on'
