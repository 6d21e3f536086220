// One request of the app, ready to be sent more than once: what a backend may see of it, and a body that is the same each time.

import type { Jar, RequestView, World } from './ports.ts'

export type Replay =
  /** Any method, after an expired response. */
  | 'auto'
  /** Methods that RFC 9110 §9.2.2 calls idempotent, and requests with an idempotency key; the others get their own 401. */
  | 'idempotent'
  | 'never'

export interface RequestOptions {
  /** Overrides {@link SessionOptions.replay} for this request. */
  replay?: Replay
  /** Sent as `Idempotency-Key`, the same at each sending. */
  idempotencyKey?: string
}

export interface SessionRequestInit extends RequestInit {
  /** `false`: plain fetch, nothing held, attached or judged. */
  session?: false | RequestOptions
}

const ABSOLUTE = /^https?:\/\//i
const IDEMPOTENT = /^(get|head|options|trace|put|delete)$/i

export class Outgoing implements RequestView, Jar {
  readonly method: string
  readonly keepalive: boolean
  readonly signal: AbortSignal | null
  /** What the caller wants sent; the backend's headers come on a copy. */
  readonly #headers: HeadersInit | undefined
  readonly #input: RequestInfo | URL
  readonly #init: RequestInit
  readonly #world: Pick<World<never>, 'base' | 'cookie'>
  readonly #options: RequestOptions
  #spare: Request | undefined
  #sent = false
  #url: string | undefined
  headers!: Headers

  constructor(
    input: RequestInfo | URL,
    init: SessionRequestInit | undefined,
    world: Pick<World<never>, 'base' | 'cookie'>,
  ) {
    const { session, ...rest } = init ?? {}
    const request = isRequest(input) ? input : undefined
    this.#input = input
    this.#init = rest
    this.#world = world
    this.#options = session || {}
    this.method = rest.method ?? request?.method ?? 'GET'
    this.keepalive = rest.keepalive ?? request?.keepalive ?? false
    this.signal = rest.signal === undefined ? (request?.signal ?? null) : rest.signal
    this.#headers = rest.headers ?? request?.headers
    if (rest.body != null) rest.body = snapshot(rest.body)
    this.fresh()
  }

  get url(): string {
    const url = urlOf(this.#input)
    return (this.#url ??= ABSOLUTE.test(url) ? url : new URL(url, this.#world.base()).href)
  }

  cookie(name: string): string | null {
    return this.#world.cookie(name)
  }

  /** Where it goes, without what is asked there: what a refusal is remembered by. */
  get route(): string {
    return `${this.method} ${this.url.replace(/[?#].*/s, '')}`
  }

  /** Whether the body can be sent again. */
  get canRepeat(): boolean {
    return !isOneShot(this.#init.body)
  }

  /** Whether the app allows it to be sent again. */
  mayRepeat(replay: Replay): boolean {
    const { replay: own = replay, idempotencyKey } = this.#options
    return own === 'auto' || (own === 'idempotent' && (IDEMPOTENT.test(this.method) || idempotencyKey !== undefined))
  }

  /** The caller's own headers, on a new copy: what an earlier sending attached is gone. */
  fresh(): Headers {
    this.headers = new Headers(this.#headers)
    if (this.#options.idempotencyKey !== undefined) this.headers.set('Idempotency-Key', this.#options.idempotencyKey)
    return this.headers
  }

  send(
    fetch: typeof globalThis.fetch,
    attached: { credentials?: RequestCredentials; redirect?: RequestRedirect } | void,
  ): Promise<Response> {
    const input = this.#input
    const init: RequestInit = { ...this.#init, headers: this.headers }
    const request = isRequest(input) ? input : undefined
    if (attached?.credentials && (init.credentials ?? request?.credentials ?? 'same-origin') === 'same-origin')
      init.credentials = attached.credentials
    if (attached?.redirect && (init.redirect ?? request?.redirect ?? 'follow') === 'follow')
      init.redirect = attached.redirect
    if (!request || init.body != null || !hasBody(request)) return fetch(input, init)
    // A body can be read once. The caller's own Request goes first, so that it counts as used, as after a plain fetch.
    const now = this.#sent ? this.#spare! : request
    this.#spare = now.clone()
    this.#sent = true
    return fetch(now, init)
  }
}

export const isRequest = (input: unknown): input is Request =>
  typeof input === 'object' && input !== null && 'url' in input && 'headers' in input

export const urlOf = (input: RequestInfo | URL): string =>
  typeof input === 'string' ? input : isRequest(input) ? input.url : String(input)

// Firefox has no Request.body; there a method that may have one counts as having one.
const hasBody = (request: Request): boolean =>
  request.body === undefined ? !/^(get|head)$/i.test(request.method) : request.body !== null

/** Bodies the caller can still change are copied; strings and Blobs can't be. */
function snapshot(body: BodyInit): BodyInit {
  if (typeof body === 'string' || body instanceof Blob) return body
  if (body instanceof URLSearchParams) return new URLSearchParams(body)
  if (body instanceof FormData) {
    const copy = new FormData()
    for (const [name, value] of body) copy.append(name, value as string)
    return copy
  }
  if (body instanceof ArrayBuffer) return body.slice(0)
  if (ArrayBuffer.isView(body)) return new Uint8Array(new Uint8Array(body.buffer, body.byteOffset, body.byteLength))
  return body
}

const isOneShot = (body: unknown): boolean =>
  typeof body === 'object' && body !== null && (body instanceof ReadableStream || Symbol.asyncIterator in body)
