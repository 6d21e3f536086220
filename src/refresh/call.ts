// One call of the backend, however many requests it makes: the transport that it gets, its deadline, and what its failure says.

import { InvalidTokenError, messageOf, RefreshFailedError, SessionError } from '../errors.ts'
import type { Backend } from '../seam/backend.ts'
import type { Io } from '../seam/io.ts'
import type { Runtime } from '../runtime/ports.ts'
import { createTimedTransport } from '../runtime/timed-transport.ts'
import { withTimeout } from '../runtime/wait.ts'
import type { Receipt } from '../state/expiry.ts'

export interface Call<A> {
  /** The backend's answer, however late. Rejects only with a {@link SessionError}. */
  readonly answer: Promise<A>
  /** The answer in time. @throws RefreshTimeoutError at the deadline; `answer` may still come. */
  readonly inTime: Promise<A>
  /** The last request that the backend made, and its response. */
  readonly last: { request: string; response?: Response }
  /** When what the backend has by now was received. */
  receipt(): Receipt
}

/** @param checkpoint Stores what the backend has before it is done. */
export type CallBackend<U> = <A>(
  run: (io: Io<U>) => Promise<A>,
  attemptId?: string,
  checkpoint?: Io<U>['checkpoint'],
) => Call<A>

// Fetch refuses `keepalive` to bodies of more than 64 KiB.
const MAX_KEEPALIVE_LENGTH = 60_000

/** A URL without its query, which may hold a secret. */
const withoutQuery = (url: string): string => url.replace(/[?#].*/, '')

const describe = (input: RequestInfo | URL, init: RequestInit | undefined): string =>
  `${init?.method ?? 'GET'} ${withoutQuery(input instanceof Request ? input.url : String(input))}`

export const createCaller =
  <U>(runtime: Runtime<U>, { name, cookies = false }: Backend<U>, timeout: number): CallBackend<U> =>
  <A>(run: (io: Io<U>) => Promise<A>, attemptId = '', checkpoint: Io<U>['checkpoint'] = () => {}) => {
    const stop = new AbortController()
    const { signal } = stop
    const last: Call<A>['last'] = { request: name }
    const transport = createTimedTransport(runtime)
    let received: Receipt | undefined
    /** Which request brought which response. */
    const requestOf = new WeakMap<Response, string>()

    async function fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
      const request = describe(input, init)
      last.request = request
      const options = {
        // A login page must not pass for an answer, nor a refresh token follow a redirect.
        redirect: 'error',
        cache: 'no-store',
        // A page that closes would lose the cookie. With tokens in a body, the page that could read them is gone anyway.
        keepalive: cookies && ((init?.body as string | undefined)?.length ?? 0) < MAX_KEEPALIVE_LENGTH,
        signal,
        // Not for another copy of the SDK to hold or judge, if that has patched the fetch below.
        session: false,
        ...init,
      } as RequestInit
      const response = await transport.fetch(input, options)
      last.response = response
      requestOf.set(response, request)
      return response
    }

    const io: Io<U> = {
      signal,
      attemptId,
      now: runtime.clock.now,
      cookie: runtime.cookie,
      checkpoint(credentials) {
        // The token is as old as that, however long the rest takes.
        received = transport.receipt()
        checkpoint(credentials)
      },
      fetch,
    }

    function fail(cause: unknown): never {
      if (cause instanceof SessionError && !(cause instanceof RefreshFailedError || cause instanceof InvalidTokenError))
        throw cause
      const { response, spent } = Object(cause) as Partial<RefreshFailedError>
      const request = (response && requestOf.get(response)) ?? last.request
      const details = { cause, spent, response: response ?? last.response }
      throw new RefreshFailedError(`${request}: ${messageOf(cause)}. The session is kept.`, details)
    }

    // A backend that throws before it awaits anything is no different from one that rejects.
    const answer = (async () => run(io))().catch(fail)
    const tooLate = (): string =>
      `${last.request}: no answer within ${timeout} ms. The session is kept; a late answer is still taken.`
    const inTime = withTimeout(answer, runtime.clock, timeout, tooLate)
    inTime.catch(() => {})
    // A late answer is welcome for as long again.
    const disarm = runtime.clock.after(2 * timeout, () => stop.abort())
    void answer.then(disarm, disarm)
    return { answer, inTime, last, receipt: () => received ?? transport.receipt() }
  }
