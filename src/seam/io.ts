// What is handed over between the session, its backend and its extensions. Types only.

import type { Credentials, Json } from '../state/credentials.ts'

export type Awaitable<T> = T | Promise<T>
export type Undo = () => void
/** What is asked of a fetch. The platform's own may have more to it, such as Bun's `preconnect`. */
export type Fetch = (input: RequestInfo | URL, init?: RequestInit) => Promise<Response>

/** Reads a global when it is needed. `undefined`: absent, by nature or because the app said `null`. */
export type ReadGlobal = <K extends keyof typeof globalThis>(name: K) => (typeof globalThis)[K] | undefined

/** What backends and extensions may look at of an app's request. */
export interface RequestView {
  /** Absolute. */
  readonly url: string
  readonly method: string
  readonly headers: Headers
}

/** Whether a response says that the access token is not accepted. */
export interface IsExpired {
  (response: Response, request: RequestView): Awaitable<boolean>
  /** Wraps the transport, for a refusal that does not come as a response. `real` is plain fetch, for a question of its own. */
  readonly around?: ((transport: typeof fetch, real: typeof fetch) => Fetch) | undefined
}

/** The cookies that scripts can read. */
export interface CookieReader {
  cookie(name: string): string | null
}

/** What the backend's `attach` may look at. */
export interface AttachedRequest extends RequestView, CookieReader {
  /** Whether it goes to the page's own origin: there fetch sends cookies without being told to. */
  readonly isSameOrigin: boolean
}

/** The real transport, under the deadline of the call it is handed to. */
export interface Io<U = Json> extends CookieReader {
  /**
   * Plain fetch, never the intercepted one. Unless told otherwise it follows no redirects, uses no cache, obeys
   * {@link Io.signal}, and outlives the page (`keepalive`) where a cookie holds the credentials.
   */
  fetch: typeof fetch
  signal: AbortSignal
  /** Wall time of this device, epoch ms. */
  now(): number
  /** Waits that many ms, as a part of the call: its deadline does not move. */
  pause(ms: number): Promise<void>
  /** The same for every call of one refresh. */
  attemptId: string
  /** Stores credentials that an earlier of several calls brought: they are kept even if a later call fails. */
  checkpoint(credentials: Credentials<U>): void
}

/** What new credentials are wanted for. */
export interface RefreshIntent {
  reason: 'expired' | 'ahead' | 'forced' | 'reload' | 'switch' | 'healing'
  organizationId?: string | undefined
  template?: string | undefined
  resource?: string | undefined
  data?: Json | undefined
}

/** What a backend may set beside headers. What the caller of fetch has set in its `init` stands. */
export type Attached = { credentials?: RequestCredentials; redirect?: RequestRedirect } | void

/** A token for something else than the session: another organization, template or audience. */
export interface SideToken<U = Json> {
  accessToken: string
  /** Its lifetime, in seconds from now. */
  expiresInSeconds?: number | undefined
  /** As that of {@link Credentials}. */
  expiresAt?: number | undefined
  /** Where the refresh token was rotated: the next one. */
  credentials?: Credentials<U> | undefined
}
