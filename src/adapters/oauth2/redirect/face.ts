// What an app sees of a login by redirect: its options, its methods, and the promise of each. Types only.

import type { Challenge } from '../../../errors.ts'
import type { Parameters } from '../../../backends/kit/form.ts'
import type { Platform } from '../../../runtime/ports.ts'
import type { Credentials, Json } from '../../../state/credentials.ts'
import type { ServerOptions } from './server.ts'

export interface CreateLoginOptions extends ServerOptions {
  clientId: string
  /** The server, exactly as it names itself. What is not given of the endpoints, its metadata say (RFC 8414). */
  issuer?: string
  /** Without an `issuer` both this and `tokenEndpoint` are needed. */
  authorizationEndpoint?: string
  tokenEndpoint?: string
  /** Where `logout()` sends the user. Left out: as the metadata say; without those `logout()` leaves the page where it is. */
  endSessionEndpoint?: string
  /** The page that calls `handleRedirect()`, as the server knows it: absolute, or relative to the page. */
  redirectUri: string
  /** Where the server sends the user after `logout()`. Left out: it stays at the server. */
  postLogoutRedirectUri?: string
  /** What is asked for; `offline_access` is for a refresh token. @default 'openid offline_access' */
  scope?: string
  /** What the access token is for (RFC 8707). */
  resource?: string | readonly string[]
  /** More parameters for each authorization request, such as `audience` and `organization` of Auth0. */
  parameters?: Parameters
  /** Everything that is touched of the page, for tests. Left out: the real one. */
  platform?: Platform
}

export interface LoginOptions {
  /** Where the user goes on afterwards: on this origin. @default the page's URL */
  returnTo?: string
  /** Only an authentication that is no older, in seconds (OpenID Connect Core §3.1.2.1). */
  maxAgeSeconds?: number
  /** Which kinds of authentication will do, best first. */
  acrValues?: string
  /** `login`, `consent`, `select_account`, `none`, or `create`. */
  prompt?: string
  loginHint?: string
  /** More parameters, for this login only; they replace those of {@link CreateLoginOptions.parameters}. */
  parameters?: Parameters
}

export interface LogoutOptions {
  /** @default {@link CreateLoginOptions.postLogoutRedirectUri} */
  postLogoutRedirectUri?: string
  /** More parameters for the logout endpoint, such as `logout_uri` of Cognito. */
  parameters?: Parameters
}

/** A login that has signed somebody in. */
export interface LoggedIn {
  /** Where the user wanted to go, absolute. The page's URL says so already; a router that runs has to be told. */
  readonly returnTo: string
}

/** Every method is this-free. */
export interface Login {
  /**
   * Leaves the page for the server's login. A second call meanwhile joins the first. Resolves only if the user comes back by the
   * browser's back button to this very page.
   * @throws {@link LoginError} `unavailable`: the page was not left. {@link InvalidOptionError}: a `returnTo` on another origin.
   */
  login(options?: LoginOptions): Promise<void>
  /**
   * On the page of the `redirectUri`, before anything else: takes the answer out of the page's URL at once, signs the session in,
   * and puts the URL of `returnTo` in its place. Calls that come while the page stays there share the outcome of the first.
   * @returns `null`, at once, where the page's URL holds no answer to a login.
   * @throws {@link LoginError} Nobody was signed in by it; the session is as before.
   */
  handleRedirect(): Promise<LoggedIn | null>
  /**
   * Signs the session out, as {@link Session.signOut}; then leaves the page for the server's logout, with the ID token as
   * `id_token_hint`. Resolves where the server has no such endpoint.
   * @throws {@link LoginError} `unavailable`: signed out here, and the server's own session may go on.
   * @see [OpenID Connect RP-Initiated Logout 1.0](https://openid.net/specs/openid-connect-rpinitiated-1_0.html)
   */
  logout(options?: LogoutOptions): Promise<void>
  /**
   * A handler for the extension `stepUp`: leaves the page for a login with the `acr_values` and `max_age` that a server asked for
   * (RFC 9470). The request that waits is lost with the page: the app sends it again once the user is back. What is asked for
   * once more within a minute after such a login goes to the caller, so that no two servers send the user in circles.
   * @returns `false`, if at all: the caller gets the server's answer.
   */
  stepUp(asked: { readonly challenge: Challenge }): Promise<boolean>
}

/** What a login needs of a session. */
export interface LoginSession {
  readonly extras: Json | null
  ready(): Promise<unknown>
  signIn(logIn: (io: { fetch: typeof fetch }) => Promise<Credentials<any>>): Promise<unknown>
  signOut(): Promise<unknown>
}
