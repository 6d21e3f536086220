// What the session asks of the world: a backend that speaks one server's protocol, and the platform it runs on. Types only.

import type { Credentials, Json } from './core/credentials.ts'
import type { Change, Record, Row } from './core/record.ts'
import type { Challenge } from './errors.ts'

export type Awaitable<T> = T | Promise<T>
export type Undo = () => void

/** What a backend may look at of an app's request. */
export interface RequestView {
  /** Absolute. */
  readonly url: string
  readonly method: string
  readonly headers: Headers
}

/** Whether this response says that the access token is not accepted. */
export interface Expired {
  (response: Response, request: RequestView): Awaitable<boolean>
  /** Stands before the transport, for a refusal that does not come as a response. `real` is plain fetch, for a question of its own. */
  readonly around?: ((transport: typeof fetch, real: typeof fetch) => typeof fetch) | undefined
}

/** The cookies that scripts can read. */
export interface Jar {
  cookie(name: string): string | null
}

/** The real transport, under the deadline of the call it is handed to. */
export interface Io<U = Json> extends Jar {
  /**
   * Plain fetch, never the intercepted one. Unless told otherwise: no redirects are followed, nothing is cached, it obeys
   * {@link Io.signal}, and where a cookie holds the credentials it outlives the page (`keepalive`).
   */
  fetch: typeof fetch
  signal: AbortSignal
  /** Wall time, epoch ms. */
  now(): number
  /** The same for every call of one refresh. */
  attemptId: string
  /** Credentials that an earlier of several calls brought: they are kept even if a later one fails. */
  keep(credentials: Credentials<U>): void
}

/** What new credentials are wanted for. */
export interface Wanted {
  reason: 'expired' | 'ahead' | 'forced' | 'reload' | 'switch' | 'healing'
  organizationId?: string | undefined
  template?: string | undefined
  resource?: string | undefined
  data?: Json | undefined
}

/** One server's protocol, as a plain object. Only `name`, `attach` and `refresh` are needed. */
export interface Backend<U = Json> {
  readonly name: string
  /** Where its endpoints are: part of the default of {@link SessionOptions.origins}. */
  readonly origins?: readonly string[]
  /** ms in which the server forgives a second use of a refresh token. @default 0 */
  readonly replayWindow?: number
  /** The browser's jar holds the credentials: nothing needs to be attached before a first answer is known. */
  readonly cookies?: boolean
  /** Beside the jar, there is an access token to attach: requests wait for the first answer all the same. */
  readonly needsToken?: boolean
  /** Its own endpoints: never held, never judged. */
  owns?(url: string): boolean
  /**
   * Sets headers; on the hot path. `credentials` is `null` while nobody is signed in. Credentials in a header other than
   * `Authorization` travel along on redirects: answer `{ redirect: 'error' }` then.
   */
  attach(
    headers: Headers,
    credentials: Credentials<U> | null,
    request: RequestView & Jar,
  ): void | { credentials?: RequestCredentials; redirect?: RequestRedirect }
  /** @default status 401 */
  isExpired?(response: Response, request: RequestView): Awaitable<boolean>
  /**
   * What a response asks of the user, beyond being signed in; `null`: nothing. Such a one starts no refresh.
   * @default RFC 9470 §3: a 401 with `insufficient_user_authentication`
   */
  stepUp?(response: Response, request: RequestView): Awaitable<Challenge | null>
  /**
   * Asks the server who is signed in, when what is stored does not tell: nothing, or what `held` says of a jar that scripts
   * can't read. `null`: nobody. A throw: could not find out.
   */
  restore?(io: Io<U>, held: Credentials<U> | null): Promise<Credentials<U> | null>
  /**
   * New credentials; what they leave out stays as it was. `null`: the session is over. A throw: could not find out, and the
   * session is kept; `StepUpRequiredError` and `SessionEndedError` say more.
   */
  refresh(credentials: Credentials<U>, io: Io<U>, wanted: Wanted): Promise<Credentials<U> | null>
  /** New credentials and the user, both newer than the call. Left out: `refresh`, whose answer has to bring the user. */
  reload?(credentials: Credentials<U>, io: Io<U>, wanted: Wanted): Promise<Credentials<U> | null>
  /** A token for something else, where the server has such. The session is not switched by it. `null`: the session is over. */
  token?(
    credentials: Credentials<U>,
    io: Io<U>,
    target: Wanted,
  ): Promise<{ accessToken: string; expiresAt?: number | undefined; credentials?: Credentials<U> | undefined } | null>
  /** Sees every response of its origins: new credentials, `null` (removed), `undefined` (nothing said). */
  observe?(response: Response, request: RequestView): Credentials<U> | null | undefined
  /** Tells the server. May spend one refresh of its own. */
  signOut?(credentials: Credentials<U> | null, io: Io<U>): Promise<void>
}

/** Everything the SDK touches. Left out: the real one, read at call time. `null`: absent. */
export type Platform = { [K in keyof typeof globalThis]?: (typeof globalThis)[K] | null }

export interface Clock {
  /** Wall time, epoch ms: may jump. */
  now(): number
  /** Monotonic ms: for everything that happens within this page. */
  mono(): number
  /** Runs once after that many ms, however many they are. @returns what stops it. */
  after(ms: number, run: () => void): Undo
  random(): number
}

/** One holder at a time, over all tabs. */
export interface Locks {
  /**
   * @param patience Called once only other tabs are waited for: when it is over, the lock may be taken from its holder.
   * @throws what aborted `late`, while it waits.
   */
  acquire(late: AbortSignal, patience: () => AbortSignal): Promise<Undo>
  /** Whether holding it keeps every other tab out. */
  isSole(): boolean
}

export type Stored<U> = Row<Credentials<U>>

/** The shared record and, beside it, the credentials it speaks of. */
export interface Records<U> {
  read(): Promise<Stored<U> | null>
  /** An atomic compare-and-set; credentials are written in the same step, left out they stay. Answers what was written, or null. */
  update(change: Change, credentials?: Credentials<U> | null): Promise<Record | null>
}

/** News between tabs: a hint that the record moved, never what it holds. */
export interface Channel {
  post(): void
  listen(run: () => void): void
}

/** What the page goes through. */
export interface Page {
  /** False where there is no page at all. */
  isVisible(): boolean
  /** False only where the platform knows that there is no network. */
  isOnline(): boolean
  /** The user or the network is back: the record may have moved, and a due refresh may work now. */
  onWake(run: (why: string) => void): void
  /** From now on nothing runs here, maybe for hours. */
  onSleep(run: () => void): void
}

export interface World<U> extends Clock, Locks, Records<U>, Channel, Page, Jar {
  /** What lies below an installed patch. */
  fetch: typeof fetch
  /** What relative URLs are resolved against, where there is a page. */
  base(): string | undefined
  /** Until the session is disposed of: no listener stays behind. */
  readonly life: AbortSignal
  dispose(): void
}
