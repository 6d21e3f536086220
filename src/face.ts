// The session that an app holds: its methods, and the promise of each. Types only.

import type { SessionFetch } from './request/intercept.ts'
import type { Undo } from './seam/io.ts'
import type { Events } from './session/events.ts'
import type { RefreshOptions } from './session/renew.ts'
import type { SignInSource } from './session/sign-in.ts'
import type { SignOutOptions } from './session/sign-out.ts'
import type { TokenOptions } from './session/tokens.ts'
import type { Json } from './state/credentials.ts'
import type { State } from './state/view.ts'

/** Every method is this-free: `const { fetch, getToken } = session` works. */
export interface Session<U = Json, C = Json> {
  /**
   * Fetch, with the session's credentials for its {@link SessionOptions.origins}. A request that meets an expired session
   * waits for the one refresh and is sent again.
   *
   * Keeps fetch's contract: an HTTP status never rejects, and a 401 that is handed back is the server's no.
   *
   * @throws {@link RefreshFailedError}, {@link RefreshTimeoutError} It could not be found out whether the session lives. It is kept.
   * @throws {@link SessionEndedError} The user signed out, or another signed in, while the request waited. It was not sent again.
   * @throws {@link ReplayError} The body can't be sent a second time. `error.refusal` is the server's refusal.
   * @throws {@link QueueFullError} Too many requests wait already. It was not sent.
   * @throws {@link SessionDisposedError} The session was disposed of while the request waited.
   */
  fetch: SessionFetch & typeof fetch
  /** What is known now. A new object at every change, the same one in between. */
  readonly current: State<U, C>
  /**
   * What else the server said at sign-in and at refreshes, such as `idToken` and `scope`; `null` where it said nothing, or
   * nobody is signed in. No part of {@link Session.current}, since it may hold tokens: keep it out of logs.
   */
  readonly extras: Json | null
  /**
   * Resolves once it is known who is signed in: never again `loading`.
   * @throws {@link RefreshTimeoutError} after {@link SessionOptions.timeout}. The session keeps asking.
   */
  ready(): Promise<State<U, C>>
  /**
   * An access token that is not near expiry, or `null`: nobody is signed in (also if this very call found that out), or the
   * session has no token that scripts can read. From memory where it is good; otherwise one refresh, shared by all who ask.
   *
   * @throws {@link RefreshFailedError}, {@link RefreshTimeoutError} It could not be found out. The session is kept; ask again later.
   * @throws {@link StepUpRequiredError} The server asks more of the user first. The session is kept.
   * @throws {@link InvalidOptionError} for a token that the backend can't mint, or without the extension `sideTokens()`.
   * @see [RFC 6749 §6](https://www.rfc-editor.org/rfc/rfc6749#section-6)
   */
  getToken(options?: TokenOptions): Promise<string | null>
  /**
   * New credentials from a refresh that starts after this call. Callers that come while it waits share it; nobody joins a
   * refresh that runs already. Resolves unauthenticated if the server ended the session.
   *
   * @throws as {@link Session.getToken}; {@link SessionEndedError} with `ensureSignedIn`. A refused switch keeps the session.
   */
  refresh(options?: RefreshOptions): Promise<State<U, C>>
  /** As {@link Session.refresh}, and the user: both newer than this call. */
  reload(options?: Pick<RefreshOptions, 'data' | 'signal'>): Promise<State<U, C>>
  /**
   * After the app's own login: with what the login route answered, a response or its JSON; with a function that logs in, run
   * while no refresh is under way; or with nothing, where the backend can ask the server who is signed in.
   *
   * @throws what the function throws, {@link SignInRefusedError}, {@link InvalidTokenError}. The state is as before.
   */
  signIn(from?: SignInSource<U>): Promise<State<U, C>>
  /**
   * Ends the session: here and now, then at the server. Never rejects because the server is down: the server is told as soon as
   * it can be reached. `local` does not tell it at all.
   */
  signOut(options?: SignOutOptions): Promise<State<U, C>>
  /** @returns a function that ends the subscription. If a listener throws, the other listeners still run. */
  on<E extends keyof Events<U, C>>(event: E, listener: (event: Events<U, C>[E]) => unknown): Undo
  /** Calls `run` now and at every change: the contract of a Svelte store, and enough for React's `useSyncExternalStore`. */
  subscribe(run: (current: State<U, C>) => void): Undo
  /**
   * From here on nothing happens by itself: no timer, no listener, no patch of `installFetch` (that of `installXhr` stays). What
   * waits, or would have to, rejects with {@link SessionDisposedError}, as do `signIn`, `refresh` and `reload`; `signOut` counts.
   */
  dispose(): void
  [Symbol.dispose](): void
}
