// One request of the app, ready to be sent more than once: what a backend may see of it, and a body that is the same each time.

import type { Expired, Jar, RequestView, World } from './ports.ts'

export type Replay =
  /** Any method, after an expired response. */
  | 'auto'
  /** Methods that RFC 9110 §9.2.2 calls idempotent, and those with an `Idempotency-Key`; the others get their own 401. */
  | 'idempotent'
  | 'never'

export interface RequestOptions {
  /** Overrides {@link SessionOptions.replay} for this request. */
  replay?: Replay
  /** Sent as `Idempotency-Key`, the same at each sending. A header that the caller sets counts as much. */
  idempotencyKey?: string
}

/** How resesh/xhr takes part: a transport for one request, in place of the real fetch. Two copies of the SDK agree on it. */
export const via: unique symbol = Symbol.for('resesh.via')

export interface SessionRequestInit extends RequestInit {
  /** `false`: plain fetch, nothing held, attached or judged. */
  session?: false | RequestOptions
  /** @internal */
  [via]?: typeof fetch
}

/** Bytes that may still be copied, for all requests of a session together. */
export interface Room {
  left: number
}

type Attached = void | { credentials?: RequestCredentials; redirect?: RequestRedirect }

export const IDEMPOTENT: RegExp = /^(get|head|options|trace|put|delete)$/i

export class Outgoing implements RequestView, Jar {
  readonly method: string
  readonly url: string
  readonly signal: AbortSignal | null | undefined
  readonly keepalive: boolean
  readonly cookie: Jar['cookie']
  headers!: Headers
  /** How many bytes of its body were copied. */
  readonly copied: number = 0
  readonly #request: Request | undefined
  readonly #init: Omit<SessionRequestInit, 'session'>
  readonly #options: RequestOptions
  #spare: Request | undefined
  #isOnce = false

  constructor(
    input: RequestInfo | URL,
    { session, ...init }: SessionRequestInit,
    { base, cookie }: World<unknown>,
    room: Room,
  ) {
    const request = isRequest(input) ? input : undefined
    this.#spare = this.#request = request
    const url = urlOf(input)
    // What changes after the call changes nothing any more: not the headers, and least of all where it goes, by a new base.
    this.url = /^https?:\/\//i.test(url) ? url : new URL(url, base()).href
    this.#init = init
    const headers = init.headers ?? request?.headers
    init.headers = headers && Symbol.iterator in headers ? new Headers(headers) : { ...headers }
    // Beside an init, fetch forgets these of a Request.
    if (request) {
      init.referrer ??= request.referrer
      init.referrerPolicy ??= request.referrerPolicy
    }
    this.#options = session || {}
    this.cookie = cookie
    this.method = init.method ?? request?.method ?? 'GET'
    this.signal = init.signal === undefined ? request?.signal : init.signal
    this.keepalive = init.keepalive ?? request?.keepalive ?? false
    this.dress()
    const { body } = init
    const bytes = bytesOf(body)
    if (bytes) {
      this.#isOnce = bytes.length > room.left
      if (!this.#isOnce) room.left -= this.copied = (init.body = bytes.slice()).length
    } else if (body) init.body = snapshot(body)
  }

  /** The URL without what is asked there, which may be a secret. */
  get place(): string {
    return this.url.replace(/[?#][^]*/, '')
  }

  /** What messages name, and a refusal is remembered by. */
  get route(): string {
    return `${this.method} ${this.place}`
  }

  /** Whether the body can be sent again. A buffer that is too big to copy can't: the caller may change it meanwhile. */
  get canRepeat(): boolean {
    const { body } = this.#init
    return !(
      this.#isOnce ||
      body instanceof ReadableStream ||
      (typeof body === 'object' && body && Symbol.asyncIterator in body)
    )
  }

  /** Whether the app allows it to be sent again. */
  mayRepeat(byDefault: Replay): boolean {
    const { replay = byDefault } = this.#options
    const isSafe = IDEMPOTENT.test(this.method) || this.headers.has('idempotency-key')
    return replay === 'auto' || (replay === 'idempotent' && isSafe)
  }

  /** Back to the caller's own headers, on a new copy. */
  dress(): Headers {
    this.headers = new Headers(this.#init.headers)
    if (this.#options.idempotencyKey) this.headers.set('idempotency-key', this.#options.idempotencyKey)
    return this.headers
  }

  send(real: typeof globalThis.fetch, attached: Attached, around?: Expired['around']): Promise<Response> {
    const request = this.#request
    // Another copy of the SDK may have patched the fetch below: a request is the business of one.
    const init = { ...this.#init, headers: this.headers, session: false }
    const transport = init[via] ?? real
    const fetch = around?.(transport, real) ?? transport
    const { credentials, redirect } = attached ?? {}
    if (credentials && (init.credentials ?? request?.credentials ?? 'same-origin') === 'same-origin')
      init.credentials = credentials
    if (redirect && (init.redirect ?? request?.redirect ?? 'follow') === 'follow') init.redirect = redirect
    const now = this.#spare
    if (!now || init.body || !hasBody(now)) return fetch(request ?? this.url, init)
    // A body can be read once. The caller's own Request goes first, so that it counts as used, as after a plain fetch.
    this.#spare = now.clone()
    return fetch(now, init)
  }
}

const isRequest = (input: RequestInfo | URL): input is Request => (input as Request | undefined)?.headers !== undefined

export const urlOf = (input: RequestInfo | URL): string => (isRequest(input) ? input.url : String(input))

// Firefox has no Request.body; there a method that may have one counts as having one.
const hasBody = ({ body, method }: Request): boolean => (body === undefined ? !/^(get|head)$/i.test(method) : !!body)

const bytesOf = (body: BodyInit | null | undefined): Uint8Array<ArrayBuffer> | undefined =>
  body instanceof ArrayBuffer
    ? new Uint8Array(body)
    : ArrayBuffer.isView(body)
      ? new Uint8Array(body.buffer, body.byteOffset, body.byteLength)
      : undefined

/** Lists that the caller can still change are copied, not what is in them; strings and Blobs can't be changed. */
function snapshot(body: BodyInit): BodyInit {
  if (body instanceof URLSearchParams) return new URLSearchParams(body)
  if (!(body instanceof FormData)) return body
  const copy = new FormData()
  for (const [name, value] of body) copy.append(name, value as string)
  return copy
}
