// One call of the backend, however many requests it makes: the transport that it gets, its deadline, and what its failure says.

import { InvalidTokenError, sentenceOf, RefreshFailedError, SessionError } from '../errors.ts'
import type { Context } from '../context.ts'
import { withoutQuery } from '../parse-url.ts'
import type { Io } from '../seam/io.ts'
import { traceCall } from '../request/traced.ts'
import type { Attempt } from './journal.ts'
import { standInFor } from '../runtime/globals.ts'
import { createTimedTransport } from '../runtime/timed-transport.ts'
import { abortable, pause, withTimeout } from '../runtime/wait.ts'
import { CHECK_URL, isRedirect, leadsElsewhere } from '../runtime/wrong-url.ts'
import type { Receipt } from '../state/expiry.ts'

export interface Call<A> {
  /** The backend's answer, however late. Rejects only with a {@link SessionError}. */
  readonly answer: Promise<A>
  /** The answer in time. @throws RefreshTimeoutError at the deadline; `answer` may still come. */
  readonly inTime: Promise<A>
  /** The last request that the backend made, and its response. `isUnsent`: it came too late, and was never sent. */
  readonly last: { request: string; response?: Response; isUnsent?: true }
  /** When what the backend has by now was received. */
  receipt(): Receipt
}

interface CallOptions<U> {
  /** What the call may use up the refresh token for. */
  readonly attempt?: Attempt | undefined
  /** Stores what the backend has before it is done. */
  readonly checkpoint?: Io<U>['checkpoint']
}

export type CallBackend<U> = <A>(run: (io: Io<U>) => Promise<A>, options?: CallOptions<U>) => Call<A>

const ASKS_ELSEWHERE =
  ' The backend made no request through io.fetch: if it asks through session.fetch or a patched fetch, its endpoints belong in `owns`.'

// Fetch refuses `keepalive` to bodies of more than 64 KiB.
const MAX_KEEPALIVE_LENGTH = 60_000

/** A request without credentials, such as for a server's metadata, uses nothing up: the first request is still to come. */
const isHarmless = ({ method, headers, credentials }: RequestInit = {}): boolean =>
  credentials === 'omit' && !method && !headers

const describe = (input: RequestInfo | URL, init: RequestInit | undefined): string =>
  `${init?.method ?? 'GET'} ${withoutQuery(input instanceof Request ? input.url : String(input))}`

export const createCaller =
  <U, C>({ runtime, backend, settings, reentrance, events }: Context<U, C>): CallBackend<U> =>
  <A>(run: (io: Io<U>) => Promise<A>, { attempt, checkpoint = () => {} }: CallOptions<U> = {}) => {
    const { name, cookies = false } = backend
    const { timeout } = settings
    const stop = new AbortController()
    const { signal } = stop
    const last: Call<A>['last'] = { request: name }
    const transport = createTimedTransport(runtime)
    let received: Receipt | undefined
    /** Which request brought which response. */
    const requestOf = new WeakMap<Response, string>()
    let hasSent = false

    async function fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
      const request = describe(input, init)
      last.request = request
      // The backend may have waited for something of its own before its first request.
      if (!hasSent && attempt?.isTooLate()) {
        last.isUnsent = true
        throw new Error('not sent, since this page slept or lost the lock')
      }
      hasSent ||= !isHarmless(init)
      const options = {
        // A login page must not pass for an answer, nor a refresh token follow a redirect. With `error`, a redirect could not be
        // told from a server that is away.
        redirect: 'manual',
        cache: 'no-store',
        // A page that closes would lose the cookie. With tokens in a body, the page that could read them is gone anyway.
        keepalive: cookies && ((init?.body as string | undefined)?.length ?? 0) < MAX_KEEPALIVE_LENGTH,
        signal,
        // Not for another copy of the SDK to hold or judge, if that has patched the fetch below.
        session: false,
        ...init,
      } as RequestInit
      const answering = transport.fetch(input, options)
      if (events.isHeard('trace')) traceCall(events.trace, [input, init], runtime.base(), answering)
      const response = await answering
      last.response = response
      requestOf.set(response, request)
      if (options.redirect === 'manual' && init?.redirect !== 'manual' && isRedirect(response))
        throw new RefreshFailedError('answered with a redirect', { refusal: response })
      return response
    }

    const io: Io<U> = {
      signal,
      attemptId: attempt?.id ?? '',
      now: runtime.clock.now,
      cookie: runtime.cookie,
      pause: (ms) => abortable(pause(runtime.clock, ms), signal),
      checkpoint(credentials) {
        // The token is as old as that, however long the rest takes.
        received = transport.receipt()
        checkpoint(credentials)
      },
      fetch: standInFor(runtime.fetch, fetch),
    }

    function fail(cause: unknown): never {
      if (cause instanceof SessionError && !(cause instanceof RefreshFailedError || cause instanceof InvalidTokenError))
        throw cause
      const { refusal, spent } = Object(cause) as Partial<RefreshFailedError>
      const request = (refusal && requestOf.get(refusal)) ?? last.request
      const decided = refusal ?? last.response
      const isWrongUrl = !!decided && leadsElsewhere(decided)
      const details = { cause, spent, refusal: decided, isWrongUrl }
      throw new RefreshFailedError(
        `${request}: ${sentenceOf(cause)}${isWrongUrl ? CHECK_URL : ''} The session is kept.`,
        details,
      )
    }

    // A backend that throws before it awaits anything is no different from one that rejects.
    const answer = (async () => reentrance.callBackend(() => run(io)))().catch(fail)
    const tooLate = (): string =>
      `${last.request}: no answer within ${timeout} ms. The session is kept; a late answer is still taken.${isSilent() ? ASKS_ELSEWHERE : ''}`
    /** It has made no request that the session knows to be the backend's. */
    const isSilent = (): boolean => last.request === name
    const inTime = withTimeout(answer, runtime.clock, timeout, tooLate)
    inTime.catch(() => {})
    // A late answer is welcome for as long again.
    const disarm = runtime.clock.after(2 * timeout, () => stop.abort())
    void answer.then(disarm, disarm)
    return { answer, inTime, last, receipt: () => received ?? transport.receipt() }
  }
