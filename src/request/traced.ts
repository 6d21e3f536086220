// What traces tell of requests and their answers.

import { parseUrl } from '../parse-url.ts'
import { SessionError } from '../errors.ts'
import type { Answered, Tell } from '../seam/trace.ts'
import { parseDate } from '../state/expiry.ts'
import { urlOf } from './replayable.ts'

/** The code of an error of the session, else the name of the error; never its message, which may be anybody's. */
function nameOfError(error: unknown): string {
  if (error instanceof SessionError) return error.code
  const { name } = Object(error) as Partial<Error>
  return typeof name === 'string' ? name : 'Error'
}

/** Tells how a request went. Nobody waits for that. */
export function whenAnswered(response: Promise<Response>, tell: (answered: Answered) => void): void {
  response.then(
    ({ status }) => tell({ status }),
    (error: unknown) => tell({ status: 0, error: nameOfError(error) }),
  )
}

/** @param failure What the caller is told, where it gets no response. */
export function traceEnd(
  { isHeard, trace }: { isHeard(event: 'trace'): boolean; readonly trace: Tell },
  { id, refusal }: { readonly id: number; readonly refusal: Response | undefined },
  failure: { readonly error: unknown } | null,
): void {
  if (!isHeard('trace')) return
  if (failure) trace('end', { id, status: 0, error: nameOfError(failure.error) })
  else trace('end', { id, status: refusal?.status ?? 0 })
}

/** A request past the session. */
export function traceForeign(
  trace: Tell,
  asked: Parameters<typeof fetch>,
  base: string | undefined,
  response: Promise<Response>,
): void {
  const request = placeOf(asked, base)
  if (request) whenAnswered(response, (answered) => trace('foreign', { ...request, ...answered }))
}

/** A request that the session makes for itself. */
export function traceCall(
  trace: Tell,
  asked: Parameters<typeof fetch>,
  base: string | undefined,
  response: Promise<Response>,
): void {
  const request = placeOf(asked, base)
  if (!request) return
  trace('ask', request)
  response.then(
    ({ status, headers }) => {
      const [contentType, date] = ['content-type', 'date'].map((name) => headers.get(name))
      trace('answer', { ...request, status, contentType: contentType ?? null, serverTime: parseDate(date ?? null) })
    },
    (error: unknown) =>
      trace('answer', { ...request, status: 0, error: nameOfError(error), contentType: null, serverTime: null }),
  )
}

/** Method and URL, without the query, which may hold a secret. `null`: no http, and such a URL may hold anything. */
function placeOf(
  [input, init]: Parameters<typeof fetch>,
  base: string | undefined,
): { method: string; url: string } | null {
  const given = urlOf(input)
  const parsed = parseUrl(given, base)
  if (!parsed) return null
  const { origin, pathname, protocol } = parsed
  const method = init?.method ?? (input as Partial<Request>).method ?? 'GET'
  return /^https?:$/.test(protocol) ? { method: method.toUpperCase(), url: origin + pathname } : null
}
