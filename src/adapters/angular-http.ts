// Angular's HttpClient over a session: an entry of its own. What comes after the interceptor is the transport of `session.fetch`,
// which decides what is attached, held and sent again.

import type { HttpErrorResponse, HttpEvent, HttpHeaders, HttpInterceptorFn, HttpResponse } from '@angular/common/http'
import { Observable } from 'rxjs'
import type { Session } from '../face.ts'
import { transportKey } from '../internals.ts'
import type { SessionRequestInit } from '../request/replayable.ts'

type Answer = HttpResponse<unknown> | HttpErrorResponse

/**
 * Sends the requests of HttpClient as `session.fetch` would. Where `session.fetch` rejects, the request fails with the same error;
 * otherwise it ends as HttpClient has it: with the response, or with an `HttpErrorResponse`.
 *
 * HttpClient can't be told to refuse a redirect. A backend that asks for that, since its credentials travel in a header other
 * than `Authorization`, has its requests fail: use `installFetch(session)` and `withFetch()` there.
 *
 * @example
 * provideHttpClient(withInterceptors([sessionInterceptor(session)]))
 */
export const sessionInterceptor =
  (session: Pick<Session, 'fetch'>): HttpInterceptorFn =>
  (request, next) =>
    new Observable((caller) => {
      const abort = new AbortController()
      let answer: Answer

      const transport = (_url: unknown, { headers, credentials, redirect }: RequestInit = {}): Promise<Response> =>
        new Promise((resolve, reject) => {
          if (redirect === 'error')
            throw new TypeError("HttpClient can't refuse redirects: use installFetch(session) and withFetch()")
          const settle = (last: Answer): void => resolve(responseOf((answer = last)))
          const setHeaders = Object.fromEntries(headers as Headers)
          const sending = next(request.clone({ setHeaders, withCredentials: credentials === 'include' })).subscribe({
            next: (event) => (isAnswer(event) ? settle(event) : caller.next(event)),
            error: (error: HttpErrorResponse) => (error.status ? settle(error) : reject(error)),
          })
          abort.signal.addEventListener('abort', () => sending.unsubscribe())
        })
      const init: SessionRequestInit = {
        method: request.method,
        headers: headersOf(request.headers),
        credentials: request.withCredentials ? 'include' : 'same-origin',
        signal: abort.signal,
        [transportKey]: transport,
      }

      function deliver(): void {
        if (!answer.ok) return caller.error(answer)
        caller.next(answer)
        caller.complete()
      }
      session.fetch(request.urlWithParams, init).then(deliver, (error) => caller.error(error))
      return () => abort.abort()
    })

const isAnswer = (event: HttpEvent<unknown>): event is HttpResponse<unknown> => 'body' in event

const headersOf = (headers: HttpHeaders): Headers =>
  new Headers(headers.keys().map((name): [string, string] => [name, headers.getAll(name)!.join()]))

const WITHOUT_BODY = [204, 205, 304]

/** What the session judges. Its body is made for those who ask for it only. */
function responseOf(answer: Answer): Response {
  const { status, headers } = answer
  const text = (): string => JSON.stringify('body' in answer ? answer.body : answer.error)
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        controller.enqueue(new TextEncoder().encode(text()))
        controller.close()
      },
    },
    { highWaterMark: 0 },
  )
  return new Response(WITHOUT_BODY.includes(status) ? null : body, { status, headers: headersOf(headers) })
}
