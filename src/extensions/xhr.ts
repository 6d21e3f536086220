// XMLHttpRequest with the same promises: an entry of its own. The object stays the browser's; `session.fetch` gets it as the
// transport, and after a refresh it is opened and sent again. What an answer would tell the page is held back until it is
// known to be the last one: as a rule within the very event that brought it, which then goes on untouched.

import { transportKey } from '../internals.ts'
import { globalsOf } from '../runtime/globals.ts'
import type { Undo } from '../seam/io.ts'
import type { Session } from '../face.ts'
import { responseOf } from './xhr/answer.ts'
import { nothing, Run } from './xhr/run.ts'
import { createStrayed } from './xhr/strayed.ts'
import { type OpenArguments, turn, type XhrTarget } from './xhr/target.ts'
import { Upload } from './xhr/upload.ts'

export type { XhrTarget }

const [OPENED, HEADERS_RECEIVED, DONE] = [1, 2, 4]
const KINDS = ['readystatechange', 'loadstart', 'progress', 'abort', 'error', 'load', 'timeout', 'loadend']
const ANSWER = ['status', 'statusText', 'responseURL', 'response', 'responseText', 'responseXML']

/**
 * Patches `target.XMLHttpRequest`, of this global by default, so that code you don't own (axios, jQuery, htmx) takes part.
 * Requests to other origins and synchronous ones stay the browser's own. Where `fetch` would reject there is an `error` event.
 *
 * XMLHttpRequest can't refuse a redirect, as fetch does where credentials travel in a header other than `Authorization`, such
 * as a CSRF token. Where such a request ends at an origin that is not the session's, an `error` event names both.
 *
 * @returns what undoes it; `session.dispose()` does not.
 */
export function installXhr(
  session: Pick<Session, 'fetch'>,
  target: XhrTarget = globalsOf({})('globalThis') as XhrTarget,
): Undo {
  const Native = target.XMLHttpRequest
  const native = <T>(xhr: XMLHttpRequest, name: string): T => Reflect.get(Native.prototype, name, xhr) as T
  const tellStrayed = createStrayed(session)
  let isOn = true

  class SessionXhr extends Native {
    #opened: [method: string, href: string, ...rest: unknown[]] | undefined
    #headers = new Headers()
    #run: Run | undefined
    #isMuted = false
    /** withCredentials as the page set it, once the session has changed it. */
    #credentials: boolean | undefined
    /** Only where the page takes an interest in it. */
    #upload: Upload | undefined

    constructor() {
      super()
      // The session decides in microtasks, and those run between two listeners.
      this.addEventListener('readystatechange', (event) => this.#told(event), true)
      for (const kind of KINDS) this.addEventListener(kind, (event) => this.#filter(event), true)
    }

    static {
      const define = (name: string, get: (this: SessionXhr) => unknown): unknown =>
        Object.defineProperty(this.prototype, name, { get, configurable: true, enumerable: true })
      define('readyState', function () {
        return this.#run?.isLive === false ? this.#run.state : native(this, 'readyState')
      })
      define('upload', function () {
        return (this.#upload ??= new Upload(native(this, 'upload'), () => this.#isMuted)).target
      })
      for (const name of ANSWER)
        define(name, function () {
          const value = native(this, name)
          if (!this.#isVeiled) return value
          return typeof value === 'number' ? 0 : typeof value === 'string' ? '' : null
        })
    }

    override open(...args: OpenArguments): void {
      const run = this.#run
      const isSilent = this.readyState === OPENED
      this.#run = undefined
      try {
        this.#quietly(() => super.open(...(args as [string, string])), isSilent)
      } catch (error) {
        this.#run = run
        throw error
      }
      run?.leave()
      if (this.#credentials !== undefined) this.withCredentials = this.#credentials
      this.#credentials = undefined
      const [method, url, isAsync, ...login] = args
      // Resolved now: a page that navigates meanwhile must not change where a replay goes.
      const { href } = new URL(url, target.document?.baseURI ?? target.location.href)
      this.#opened = isOn && (args.length < 3 || isAsync) ? [method, href, true, ...login] : undefined
      this.#headers = new Headers()
    }

    override setRequestHeader(name: string, value: string): void {
      this.#mustNotBeSent()
      super.setRequestHeader(name, value)
      this.#headers.append(name, value)
    }

    override send(body: Document | XMLHttpRequestBodyInit | null = null): void {
      this.#mustNotBeSent()
      if (!this.#opened || this.readyState !== OPENED) return this.#pass(body)
      const [method, url] = this.#opened
      const { timeout } = this
      const late = (): void => void (run.isLate && this.readyState < DONE && this.#finish(run, 'timeout'))
      const timer = timeout ? target.setTimeout(late, timeout) : undefined
      const run = (this.#run = new Run(!!body, () => target.clearTimeout(timer)))
      this.#upload?.again()
      const init = {
        method,
        headers: this.#headers,
        body: body as BodyInit | null,
        ...(this.withCredentials && { credentials: 'include' as const }), // `false` is the default, and no choice
        signal: run.caller.signal,
        [transportKey]: (_url: unknown, given: RequestInit = {}): Promise<Response> => {
          if (given !== init) return this.#fly(run, given)
          // Handed on as it came: none of the session's business.
          this.#run = undefined
          run.stopTimer()
          this.#pass(body)
          return new Promise(nothing)
        },
      } as const
      const answer = session.fetch(url, init)
      run.isLate = run.sends === 0
      answer.then(
        () => this.#decided(run, true),
        () => this.#decided(run, this.#hasFailed),
      )
    }

    override abort(): void {
      const run = this.#run
      if (!run || run.isLive) return super.abort()
      if (!run.isFlying && run.state < DONE) this.#finish(run, 'abort')
      if (this.#run !== run) return
      this.#run = undefined
      run.leave()
      super.abort()
    }

    override getResponseHeader(name: string): string | null {
      return this.#isVeiled ? null : super.getResponseHeader(name)
    }

    override getAllResponseHeaders(): string {
      return this.#isVeiled ? '' : super.getAllResponseHeaders()
    }

    get #isVeiled(): boolean {
      return this.#run?.isLive === false && this.#run.state < HEADERS_RECEIVED
    }

    get #hasFailed(): boolean {
      return native(this, 'readyState') === DONE && native(this, 'status') === 0
    }

    #mustNotBeSent(): void {
      if (this.#run?.isLive === false && this.#run.state < DONE)
        throw new DOMException('The request was sent already', 'InvalidStateError')
    }

    /** As if nothing was patched. */
    #pass(body: Document | XMLHttpRequestBodyInit | null): void {
      this.#upload?.unwatch()
      super.send(body)
    }

    #quietly(run: () => void, isQuiet = true): void {
      this.#isMuted = isQuiet
      try {
        run()
      } finally {
        this.#isMuted = false
      }
    }

    /** The transport: opens and sends the native object, with the headers of this sending. */
    async #fly(run: Run, { headers, credentials, redirect, body }: RequestInit): Promise<Response> {
      // Opened again within its own event, Chromium takes the rest of the old answer for the new one's.
      if (run.sends++) await turn(target)
      run.caller.signal.throwIfAborted()
      return new Promise((answered, failed) => {
        Object.assign(run, { answered, failed, isFlying: true, refusesRedirects: redirect === 'error' })
        run.forget()
        this.#quietly(() => super.open(...(this.#opened as [string, string])))
        this.#credentials ??= this.withCredentials
        this.withCredentials = credentials === 'include'
        new Headers(headers).forEach((value, name) => super.setRequestHeader(name, value))
        super.send(body as XMLHttpRequestBodyInit)
      })
    }

    /** Tells the session what the native object tells. */
    #told({ isTrusted }: Event): void {
      const run = this.#run
      if (!run || !isTrusted || this.#isMuted) return
      const state = native(this, 'readyState')
      if (state === HEADERS_RECEIVED) {
        const whole = new Promise<void>((ended, failed) => Object.assign(run, { ended, failed, isLate: true }))
        whole.catch(nothing)
        if (run.refusesRedirects) tellStrayed(this.#opened![1], native(this, 'responseURL'))
        run.answered(responseOf((name) => native(this, name), super.getAllResponseHeaders(), this.#opened![1], whole))
      }
      if (state !== DONE) return
      run.isFlying = false
      if (run.isLive) run.stopTimer()
      if (this.#hasFailed) run.failed(new TypeError('XMLHttpRequest failed'))
      else run.ended()
    }

    #filter(event: Event): void {
      const run = this.#run
      if (!event.isTrusted || (!this.#isMuted && (!run || run.isLive))) return
      const isStart = event.type === 'loadstart'
      if (!isStart || run?.sends !== 1) event.stopImmediatePropagation()
      if (!isStart && !this.#isMuted) run!.hold(event, native(this, 'readyState'))
    }

    /** @param isNative Whether the native object has the last word: its answer, or its failure. */
    #decided(run: Run, isNative: boolean): void {
      if (this.#run !== run) return
      if (!isNative) return this.#finish(run, 'error')
      for (const event of run.release()) {
        const { type } = event // the event itself may still be under way, and can't be sent out twice
        this.dispatchEvent(new target[type === 'readystatechange' ? 'Event' : 'ProgressEvent'](type, event))
        if (this.#run !== run) return
      }
    }

    /** The end, where the native object has none to tell of. */
    #finish(run: Run, type: 'abort' | 'error' | 'timeout'): void {
      run.leave()
      this.#quietly(() => super.abort()) // nothing of a refused answer stays behind
      run.isLive = false
      run.state = DONE
      const tell = (at: EventTarget, event: Event): unknown => this.#run === run && at.dispatchEvent(event)
      const ends = [type, 'loadend']
      tell(this, new target.Event('readystatechange'))
      if (run.hasBody && this.#upload?.isOver === false)
        ends.forEach((end) => tell(this.upload, new target.ProgressEvent(end)))
      ends.forEach((end) => tell(this, new target.ProgressEvent(end)))
    }
  }

  target.XMLHttpRequest = SessionXhr
  return () => {
    isOn = false
    if (target.XMLHttpRequest === SessionXhr) target.XMLHttpRequest = Native
  }
}
