// One request and its answer, as the routes see them. The answer is plain data: in a page, a Response can't carry Set-Cookie.

import { delay, gone, type Fault } from './faults.ts'

export interface Answer {
  status: number
  headers: Record<string, string>
  body: string | null
  /** For the log. */
  what: string
}

/** 'drop': the connection is cut without an answer. */
export type Outcome = Answer | 'drop'

export interface Call {
  readonly request: Request
  readonly url: URL
  /** The session cookie, wherever it came from. */
  readonly cookie: string | undefined
}

export type Route = (call: Call) => Outcome | Promise<Outcome>
export type Routes = Record<string, Route>

export const json = (status: number, value: unknown, what = '', headers: Record<string, string> = {}): Answer => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(value),
  what,
})

export const empty = (status: number, what = '', headers: Record<string, string> = {}): Answer => ({
  status,
  headers,
  body: null,
  what,
})

const page = '<!doctype html><title>Wi-Fi</title><h1>Please accept our terms</h1>'
export const html = (what: string): Answer => ({
  status: 200,
  headers: { 'content-type': 'text/html; charset=utf-8' },
  body: page,
  what,
})

/** {} where there is none. */
export const readJson = async (request: Request): Promise<Record<string, unknown>> =>
  Object(await request.json().catch(() => null))

/** What a fault answers instead of the route; undefined: the route is asked. */
const insteadOf = async (fault: Fault | undefined, call: Call): Promise<Outcome | undefined> => {
  if (fault === 'drop-before') return 'drop'
  if (fault === 'hang') return gone(call.request.signal).then(() => 'drop')
  if (fault === 'html') return html('fault: a page')
  if (fault === 'empty') return empty(200, 'fault: empty')
  if (typeof fault === 'number') return insteadOf({ status: fault, ...(fault === 503 && { retryAfter: 1 }) }, call)
  if (typeof fault !== 'object') return undefined
  const { status, retryAfter, body, type = 'application/json' } = fault
  return {
    status,
    headers: { 'content-type': type, ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }) },
    body: body ?? '{"error":"fault"}',
    what: `fault: ${status}`,
  }
}

/** The route, with a fault before or after it and a delay between. */
export const withFault = async (
  fault: Fault | undefined,
  ms: number,
  call: Call,
  route: () => Outcome | Promise<Outcome>,
): Promise<Outcome> => {
  const instead = await insteadOf(fault, call)
  const spent = instead === undefined || (typeof fault === 'object' && fault.spends) ? await route() : undefined
  await delay(ms + (fault === 'old-claims' ? 300 : 0))
  if (fault === 'hang-after') await gone(call.request.signal)
  return fault === 'drop-after' || fault === 'hang-after' ? 'drop' : (instead ?? spent!)
}
