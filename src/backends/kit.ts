// What backends have in common: how a token is attached, which URLs are theirs, how an answer is read; and, out of that, help
// with a backend of your own. A backend's errors name the cause only: the session adds method and URL, and what is still true.

import { InvalidOptionError, RefreshFailedError } from '../errors.ts'
import { lacks } from '../answer-names.ts'
import { withoutQuery } from '../parse-url.ts'
import type { Backend } from '../seam/backend.ts'
import type { RequestView } from '../seam/io.ts'
import type { Credentials, Json } from '../state/credentials.ts'

export { inherit, type Left } from './kit/inherit.ts'
export { cookieReach, type CookieOrigins, type NeedsInclude } from './kit/cookie-reach.ts'
export { isEmpty, peek, readJson, readJsonOrNull } from '../runtime/read-json.ts'
export { observeResponses, type ReadResponse } from './kit/observe-responses.ts'

// On the way of every request: the header is put together once for each access token.
const bearerOf = new WeakMap<Credentials<unknown>, string>()

/** @see [RFC 6750 §2.1](https://www.rfc-editor.org/rfc/rfc6750#section-2.1) */
export function attachBearer(headers: Headers, credentials: Credentials<unknown> | null): void {
  if (!credentials?.accessToken) return
  let bearer = bearerOf.get(credentials)
  if (!bearer) {
    bearer = `Bearer ${credentials.accessToken}`
    bearerOf.set(credentials, bearer)
  }
  headers.set('authorization', bearer)
}

/** For an answer that lacks a field: names what it has instead, never a value. @param cure What to do about it. */
export const missingField = (name: string, json: Json, cure?: string): RefreshFailedError =>
  new RefreshFailedError(lacks(name, json) + (cure ? `: ${cure}` : ''))

// 404 and 405: there is no such route, so that nobody has heard of the sign-out.
const NOT_DELIVERED = [404, 405, 408, 421, 425, 429]

/** Whether the server has got a sign-out; if not, it is told again. @throws {@link RefreshFailedError} */
export function assertDelivered(response: Response): void {
  const { status } = response
  if (status >= 500 || NOT_DELIVERED.includes(status))
    throw new RefreshFailedError(`answered ${status}`, { refusal: response })
}

/** The origins of absolute URLs; a relative URL is on the page's own. */
export const originsOf = (urls: readonly (string | undefined)[]): string[] =>
  urls.filter((url) => /^https?:/i.test(url ?? '')).map((url) => new URL(url!).origin)

/**
 * For {@link Backend.owns}: whether an absolute URL is one of these endpoints, each absolute or a path, whatever its query.
 * @param methods What the backend sends there: with another method it is the app that asks. @default any
 */
export function ownsEndpoints(
  endpoints: readonly (string | undefined)[],
  ...methods: readonly string[]
): (url: string, method?: string) => boolean {
  const places = endpoints.filter((each) => each !== undefined).map(withoutQuery)
  const isOwn = (method = ''): boolean => methods.length === 0 || methods.includes(method.toUpperCase())
  return (url, method) => places.some((place) => url.includes(place) && isAt(url, place)) && isOwn(method)
}

const SAFE = /^(get|head|options|trace)$/i

/**
 * For {@link Backend.beginsSession}: whether a request writes to one of these endpoints, or below one of these places; each is
 * absolute or a path.
 */
export function writesTo(
  endpoints: readonly (string | undefined)[],
  below: readonly string[] = [],
): (request: RequestView) => boolean {
  const isNamed = ownsEndpoints(endpoints)
  return ({ method, url }) => !SAFE.test(method) && (isNamed(url) || below.some((place) => isBelow(url, place)))
}

const isBelow = (url: string, place: string): boolean =>
  url.startsWith(place) || url.slice(url.indexOf('/', 8)).startsWith(place)

function isAt(url: string, place: string): boolean {
  const asked = withoutQuery(url)
  const path = asked.slice(asked.indexOf('/', 8)) // behind `https://` and the host
  return place === asked || place === path
}

/** The options of a backend. @throws {@link InvalidOptionError} where a needed one is missing, which only types can forbid. */
export function requireOptions<T extends object>(options: T, ...names: (keyof T & string)[]): T {
  for (const name of names)
    if (!options?.[name]) throw new InvalidOptionError(name, 'is missing: this backend needs it')
  for (const [name, value] of Object.entries(options))
    if (/Url$|Endpoint$/.test(name) && value !== undefined && typeof value !== 'string')
      throw new InvalidOptionError(name, 'must be a text, such as /auth/refresh')
  return options
}

/**
 * A backend of which only `refresh` has to be said; the access token is attached as `Authorization: Bearer` (RFC 6750 §2.1).
 *
 * @example
 * const backend = defineBackend({
 *   async refresh({ refreshToken }, { fetch }) {
 *     const response = await fetch('/token', { method: 'POST', body: refreshToken })
 *     if (response.status === 401) return null             // the session is over
 *     if (!response.ok) throw new Error(response.statusText) // could not find out: the session is kept
 *     const { token, next } = await response.json()
 *     return { accessToken: token, refreshToken: next }
 *   },
 * })
 */
export const defineBackend = <U = Json>(backend: Pick<Backend<U>, 'refresh'> & Partial<Backend<U>>): Backend<U> => ({
  name: 'custom',
  attach: attachBearer,
  ...backend,
})
