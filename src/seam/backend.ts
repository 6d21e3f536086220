// What a backend is: one server's protocol as a plain object. Types only.

import type { Credentials, Json } from '../state/credentials.ts'
import type { Extension, ServerSkills } from './extension.ts'
import type { Attached, AttachedRequest, Awaitable, Io, ReadGlobal, RefreshIntent, RequestView } from './io.ts'

/** What tells one server from another, for {@link Backend.identity}. */
export interface BackendIdentity {
  /** Where sessions are found or renewed: absolute, or relative to the page, as for fetch. */
  readonly endpoint: string
  /** Where tokens go, too: only the origins of these count. */
  readonly others?: readonly (string | undefined)[]
  readonly clientId?: string
}

/** What another SDK for the same server keeps in a browser: see `inherit` in `resesh/backends/kit`. */
export interface Predecessor<U = Json> {
  /** @returns `null`: nothing of use. @param get Reads a global of the platform. */
  read(get: ReadGlobal): Credentials<U> | null
  /** Takes it away. Called once what was read is written down, and at each sign-out. */
  forget(get: ReadGlobal): void
}

/** One server's protocol, as a plain object. Only `name`, `attach` and `refresh` are needed. */
export interface Backend<U = Json> extends ServerSkills<U> {
  /** Where its endpoints are: part of the default of {@link SessionOptions.origins}. */
  readonly origins?: readonly string[]
  /**
   * Which server this is. What is stored belongs to that server: a session of another server on the same origin neither sees nor
   * overwrites it. A text counts as it is.
   * @default its name and its `origins`
   */
  readonly identity?: string | BackendIdentity
  /**
   * ms in which the server forgives a second use of a refresh token; `Infinity`: asking again uses nothing up, so that a lost
   * answer is asked for again on the ordinary back-off. @default 0
   */
  readonly replayWindow?: number
  /** A cookie holds the credentials: nothing needs to be attached before it is known who is signed in. */
  readonly cookies?: boolean
  /**
   * Beside the cookie there is an access token to attach: requests wait until it is known who is signed in, and a refresh
   * that brings no access token has failed.
   */
  readonly needsToken?: boolean
  /**
   * Asking who is signed in may set the cookie, or clear it: its late answer would undo a login that was answered before.
   * Requests wait until it is known who is signed in. @default false
   */
  readonly restoreSetsCookie?: boolean
  /**
   * The session lives without an access token and without a cookie: what proves it is in `data`, or attached by other means.
   * Without this, and without {@link Backend.cookies}, an answer that carries no token signs nobody in, and is no refresh.
   * @default false
   */
  readonly needsNoToken?: boolean
  /**
   * What `refresh` and `reload` may ask for beyond new credentials: the backend's `refresh` finds it in its last argument.
   * Anything else is an `InvalidOptionError`. @default []
   */
  readonly accepts?: readonly ('organizationId' | 'data')[]
  /**
   * Others keep the credentials, such as a vendor's SDK: unless the app says otherwise, the session has them in this tab's memory
   * only. @default false
   */
  readonly inMemory?: boolean
  /** Extensions that this server needs; those of the app come first. */
  readonly use?: readonly Extension[]
  /**
   * Whether a request to an absolute URL is one to its own endpoints: such a request is never held and never judged. A route that
   * the backend only reads may be one that the app edits: the method tells.
   */
  owns?(url: string, method: string): boolean
  /**
   * Whether the answer to a request may begin a session by a cookie. Such a request is sent while no refresh is under way, in
   * whatever tab, and none begins before it is answered: a refresh that was sent with the old cookie would overwrite the new
   * one, or clear it. Not asked for `keepalive` requests.
   */
  beginsSession?(request: RequestView): boolean
  /**
   * What another SDK for this server has left in this browser: its users stay signed in. Read once, where the storage of the
   * session holds nothing at all; taken away there once it is written down. {@link Backend.restore} gets it as what is held, where
   * the server has to be asked with it; left out, it begins the session as it is.
   */
  readonly predecessor?: Predecessor<U>
  /**
   * Sets headers on each request of the app; on the hot path, so that a promise is returned only where it must be.
   * `credentials` is `null` while nobody is signed in. Credentials in a header other than `Authorization` travel along on
   * redirects: answer `{ redirect: 'error' }` then.
   */
  attach(headers: Headers, credentials: Credentials<U> | null, request: AttachedRequest): Attached | Promise<Attached>
  /** @default status 401 */
  isExpired?(response: Response, request: RequestView): Awaitable<boolean>
  /**
   * Whether there is anything to ask for new credentials with, such as a refresh token. Where there is none, a good access token
   * is used until it dies, and a forced refresh is an error. @default true
   */
  canRefresh?(credentials: Credentials<U>): boolean
  /**
   * Asks the server who is signed in, where the storage does not tell: it holds nothing, or only what is known of a cookie that
   * scripts can't read. `null`: nobody. A throw: it could not be found out.
   */
  restore?(io: Io<U>, held: Credentials<U> | null): Promise<Credentials<U> | null>
  /**
   * How the answer of a login reads, in the words of this server: {@link Session.signIn} hands over what the login route sent.
   * Left out: that has to be {@link Credentials}.
   * @returns `null`: the answer signs nobody in.
   * @throws {@link RefreshFailedError} for an answer that lacks what it should have, naming what it has instead.
   */
  readAnswer?(json: Json, response?: Response): Awaitable<Credentials<U> | null>
  /**
   * New credentials; what they leave out stays as it was. `null`: the session is over. A throw: it could not be found out, and
   * the session is kept; `StepUpRequiredError` and `SessionEndedError` say more.
   */
  refresh(credentials: Credentials<U>, io: Io<U>, wanted: RefreshIntent): Promise<Credentials<U> | null>
  /** New credentials and the user, both newer than the call. Left out: `refresh`, whose answer has to bring the user. */
  reload?(credentials: Credentials<U>, io: Io<U>, wanted: RefreshIntent): Promise<Credentials<U> | null>
  /** Tells the server that the user signed out. May spend one refresh of its own. */
  signOut?(credentials: Credentials<U> | null, io: Io<U>): Promise<void>
}
