// One request of the app, ready to be sent more than once: what a backend may see of it, and a body that is the same each time.

import { transportKey } from '../internals.ts'
import { assertKnown, type Names } from '../known-options.ts'
import type { Runtime } from '../runtime/ports.ts'
import { type CopyBudget, KeptBody, KeptStream } from './body.ts'
import type { Attached, AttachedRequest, CookieReader, Fetch } from '../seam/io.ts'

export type Replay =
  /** Any method, after an expired response. */
  | 'auto'
  /** Methods that RFC 9110 §9.2.2 calls idempotent, and requests with an `Idempotency-Key`; the others get their own 401. */
  | 'idempotent'
  | 'never'

export interface RequestOptions {
  /** Overrides {@link SessionOptions.replay} for this request. */
  replay?: Replay
  /** Sent as `Idempotency-Key`, the same at each sending. A header that the caller sets counts as much. */
  idempotencyKey?: string
}

export interface SessionRequestInit extends RequestInit {
  /** `false`: plain fetch; the session does not hold, attach or judge anything. */
  session?: false | RequestOptions
  /** @internal */
  [transportKey]?: typeof fetch
}

export const IDEMPOTENT: RegExp = /^(get|head|options|trace|put|delete)$/i

const ABSOLUTE = /^https?:\/\//i
const NO_OPTIONS: RequestOptions = {}
const REQUEST_OPTIONS: Names<RequestOptions> = { replay: true, idempotencyKey: true }
/** What counts where neither an init nor a Request says otherwise. */
const PLAIN = { method: 'GET', headers: undefined, signal: undefined, keepalive: false }

/** The page that a request comes from. */
export interface Surroundings extends Pick<Runtime<unknown>, 'base' | 'cookie'> {
  /** Its origin, where there is a page. */
  readonly page: string | undefined
}

export class ReplayableRequest implements AttachedRequest {
  readonly method: string
  readonly url: string
  readonly signal: AbortSignal | null | undefined
  readonly keepalive: boolean
  readonly cookie: CookieReader['cookie']
  readonly isSameOrigin: boolean
  /** Of the next sending: the caller's own, and what the backend attaches. */
  headers: Headers
  readonly #input: Request | undefined
  /** As the caller gave it, but for the headers. */
  readonly #init: SessionRequestInit
  readonly #ownHeaders: HeadersInit | undefined
  readonly #options: RequestOptions
  readonly #budget: CopyBudget
  readonly #body: KeptBody | undefined
  /** The body of the caller's Request, kept while that is sent. */
  #kept: KeptStream | undefined
  /** All of that body, once it is to be sent again. */
  #whole: Blob | null = null
  /** A clone of the caller's Request, where its body is no stream that scripts can read. */
  #spare: Request | undefined

  constructor(
    input: RequestInfo | URL,
    given: SessionRequestInit,
    { base, cookie, page }: Surroundings,
    budget: CopyBudget,
  ) {
    const request = isRequest(input) ? input : undefined
    // Not by spreading: where a property is added to a spread, V8 needs a microsecond more.
    const init = Object.assign({}, given, { session: false } as const)
    this.#input = this.#spare = request
    this.#init = init
    this.#options = given.session || NO_OPTIONS
    if (given.session) assertKnown('session.fetch', given.session, REQUEST_OPTIONS)
    // What the caller or the page changes after the call changes nothing any more: not the URL, and not the headers.
    const url = urlOf(input)
    this.url = ABSOLUTE.test(url) ? url : new URL(url, base()).href
    this.isSameOrigin = page !== undefined && this.url.startsWith(`${page}/`)
    const unset = request ?? PLAIN
    const headers = init.headers ?? unset.headers
    this.#ownHeaders = headers && copyOf(headers)
    if (request) keepReferrer(init, request)
    this.cookie = cookie
    this.method = init.method ?? unset.method
    this.signal = init.signal === undefined ? unset.signal : init.signal
    this.keepalive = init.keepalive ?? unset.keepalive
    this.headers = this.#freshHeaders()
    this.#budget = budget
    if (init.body) this.#body = new KeptBody(init.body, budget)
  }

  /** Whether the caller has set any header. */
  get hasOwnHeaders(): boolean {
    return this.#ownHeaders !== undefined
  }

  /** The URL without its query, which may hold a secret. */
  get place(): string {
    return this.url.replace(/[?#][^]*/, '')
  }

  /** What messages name, and what a refusal is remembered by. */
  get route(): string {
    return `${this.method} ${this.place}`
  }

  /** Whether the body can be sent again, as far as is known. */
  get canReplay(): boolean {
    return (this.#body?.canReplay ?? true) && (this.#kept?.isKept ?? true)
  }

  /** Whether that is known before it is sent. */
  get isSureToReplay(): boolean {
    return this.canReplay && !this.#body?.isStream
  }

  /** Before it is sent again: waits for the end of a body that is a stream; undefined where nothing is to be waited for. */
  rewind(): Promise<unknown> | undefined {
    if (this.#kept) return this.#kept.readWhole().then((whole) => (this.#whole = whole))
    return this.#body?.isStream ? this.#body.rewind() : undefined
  }

  /** Nobody waits for it any more. */
  release(): void {
    this.#body?.release()
    this.#kept?.release()
  }

  /** Whether the app allows it to be sent again. */
  mayReplay(byDefault: Replay): boolean {
    const { replay = byDefault } = this.#options
    if (replay === 'auto') return true
    return replay === 'idempotent' && (IDEMPOTENT.test(this.method) || this.headers.has('idempotency-key'))
  }

  /** Back to the caller's own headers, on a new copy. */
  resetHeaders(): Headers {
    this.headers = this.#freshHeaders()
    return this.headers
  }

  /** @param around Wraps the transport: see `IsExpired`. */
  send(
    real: typeof fetch,
    attached: Attached,
    around?: (transport: typeof fetch, real: typeof fetch) => Fetch,
  ): Promise<Response> {
    const init = Object.assign({}, this.#init, { headers: this.headers })
    const transport = init[transportKey] ?? real
    const send = around ? around(transport, real) : transport
    if (attached) apply(attached, init, this.#input)
    if (this.#body) init.body = this.#body.take()
    else if (this.#whole) init.body = this.#whole
    else return this.#sendInput(send, init)
    return send(this.#input ?? this.url, init)
  }

  /** A body can be read once. The caller's own Request goes first, so that it counts as used, as after a plain fetch. */
  #sendInput(send: Fetch, init: RequestInit): Promise<Response> {
    const spare = this.#spare
    if (!spare || !hasBody(spare)) return send(this.#input ?? this.url, init)
    this.#spare = spare.clone()
    const { body } = this.#spare
    if (!body) return send(spare, init)
    this.#kept = new KeptStream(body, this.#budget)
    this.#kept.readWhole().catch(() => {}) // as it is sent; a body that breaks off fails the request itself
    return send(spare, init)
  }

  #freshHeaders(): Headers {
    const headers = new Headers(this.#ownHeaders)
    const { idempotencyKey } = this.#options
    if (idempotencyKey) headers.set('idempotency-key', idempotencyKey)
    return headers
  }
}

/** Beside an init, fetch forgets these of a Request. */
function keepReferrer(init: RequestInit, { referrer, referrerPolicy }: Request): void {
  init.referrer ??= referrer
  init.referrerPolicy ??= referrerPolicy
}

/**
 * What the backend sets counts only where the caller has not chosen otherwise. A `Request` does not tell what its maker has left
 * out: there the default of fetch counts as no choice.
 */
function apply({ credentials, redirect }: Exclude<Attached, void>, init: RequestInit, request?: Request): void {
  const isChosen = init.credentials !== undefined || (request?.credentials ?? 'same-origin') !== 'same-origin'
  if (credentials && !isChosen) init.credentials = credentials
  if (redirect && (init.redirect ?? request?.redirect ?? 'follow') === 'follow') init.redirect = redirect
}

const isRequest = (input: RequestInfo | URL): input is Request => (input as Request | undefined)?.headers !== undefined

export const urlOf = (input: RequestInfo | URL): string => {
  if (typeof input === 'string') return input
  return isRequest(input) ? input.url : String(input)
}

const copyOf = (headers: HeadersInit): HeadersInit =>
  Symbol.iterator in headers ? new Headers(headers) : { ...headers }

// Firefox has no Request.body; there a method that may have a body counts as having one.
const hasBody = ({ body, method }: Request): boolean => (body === undefined ? !/^(get|head)$/i.test(method) : !!body)
