// How a backend asks: where the refresh token travels, and what else is said with it.

import type { Names } from '../../known-options.ts'
import { InvalidOptionError } from '../../errors.ts'
import type { CookieReader, Io, RefreshIntent } from '../../seam/io.ts'
import { type Credentials, type Json, withoutUndefined } from '../../state/credentials.ts'

/** What there is to know when a request to the backend's own endpoints is put together. */
export interface Asking extends CookieReader {
  readonly credentials: Credentials<unknown> | null
  /** What new credentials are wanted for. At a sign-out, and at `userUrl`: nothing. */
  readonly wanted: Partial<RefreshIntent>
}

/** A value, or a function that makes it anew for each request. */
export type Made<T> = T | ((asking: Asking) => T)

/** Fields that are `undefined` or `null` are left out. */
export type HeaderFields = HeadersInit | Record<string, string | null | undefined>

/** How to ask at an endpoint. */
export interface QuestionOptions {
  /** @default 'POST' */
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /**
   * Where the refresh token travels. `body`: in a field. `header`: as `Authorization: Bearer`. `cookie`: in an httpOnly cookie, which
   * no script sees. `none`: there is none, and the access token renews itself, as `Authorization: Bearer`.
   * @default 'body'
   */
  refreshTokenIn?: 'body' | 'header' | 'cookie' | 'none'
  /**
   * The field that the refresh token is sent in; a dot goes deeper: `AuthParameters.REFRESH_TOKEN`. With `header`: the header, which
   * then holds the token alone. @default the last part of its name in the answer; with `header`, `Authorization: Bearer`
   */
  refreshTokenName?: string
  /** How the body is written. @default 'json' */
  bodyFormat?: 'json' | 'form'
  /** Fields of the body beside the refresh token. */
  body?: Made<Json>
  /** Headers of the request. */
  headers?: Made<HeaderFields>
}

export const QUESTION_OPTIONS: Names<QuestionOptions> = {
  method: true,
  refreshTokenIn: true,
  refreshTokenName: true,
  bodyFormat: true,
  body: true,
  headers: true,
}

const VALUES = {
  method: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
  refreshTokenIn: ['body', 'header', 'cookie', 'none'],
  bodyFormat: ['json', 'form'],
} satisfies { [K in keyof QuestionOptions]: readonly QuestionOptions[K][] }

/** @throws InvalidOptionError for a value that means nothing, and for a GET that would need a body. */
export function assertAskable(options: QuestionOptions, place: string): void {
  for (const [name, values] of Object.entries(VALUES)) {
    const value = options[name as keyof typeof VALUES]
    if (value !== undefined && !(values as readonly string[]).includes(value))
      throw new InvalidOptionError(place + name, `must be one of ${values.join(', ')}`)
  }
  const { method, refreshTokenIn = 'body', body } = options
  if (method === 'GET' && (refreshTokenIn === 'body' || body))
    throw new InvalidOptionError(`${place}method`, 'GET has no body for the refresh token or for `body`')
}

const makeOf = <T>(made: Made<T> | undefined, asking: Asking): T | undefined =>
  typeof made === 'function' ? (made as (asking: Asking) => T)(asking) : made

/** Sends the question. Never follows a redirect: see {@link Io.fetch}. */
export function ask<U>(
  io: Io<U>,
  url: string,
  options: QuestionOptions,
  credentials: Credentials<U> | null,
  wanted: Partial<RefreshIntent> = {},
): Promise<Response> {
  const { method = 'POST', refreshTokenIn = 'body' } = options
  const asking: Asking = { credentials, wanted, cookie: io.cookie }
  const body = writeBody(options, asking)
  return io.fetch(url, {
    method,
    headers: dress(options, asking, body),
    ...(body !== undefined && { body }),
    ...(refreshTokenIn === 'cookie' && { credentials: 'include' }),
  })
}

function dress(
  { refreshTokenIn, refreshTokenName, bodyFormat, headers: extra }: QuestionOptions,
  asking: Asking,
  body: string | undefined,
): Headers {
  // Without it, servers such as Laravel answer with a redirect to a page.
  const headers = new Headers({ accept: 'application/json' })
  if (body !== undefined)
    headers.set('content-type', bodyFormat === 'form' ? 'application/x-www-form-urlencoded' : 'application/json')
  const { accessToken, refreshToken } = asking.credentials ?? {}
  if (refreshTokenIn === 'header' && refreshToken)
    headers.set(
      ...(isOwnHeader(refreshTokenName) ? ([refreshTokenName, refreshToken] as const) : bearing(refreshToken)),
    )
  if (refreshTokenIn === 'none' && accessToken) headers.set(...bearing(accessToken))
  addHeaders(headers, makeOf(extra, asking))
  return headers
}

const isOwnHeader = (name: string | undefined): name is string => !!name && name.toLowerCase() !== 'authorization'

const bearing = (token: string): [name: string, value: string] => ['authorization', `Bearer ${token}`]

function addHeaders(headers: Headers, extra: HeaderFields = {}): void {
  const isList = extra instanceof Headers || Array.isArray(extra)
  const fields = isList ? [...new Headers(extra)] : Object.entries(extra)
  for (const [name, value] of fields) if (value != null) headers.set(name, value)
}

/** `undefined`: there is nothing to say. */
function writeBody(
  { refreshTokenIn = 'body', refreshTokenName, bodyFormat, body }: QuestionOptions,
  asking: Asking,
): string | undefined {
  const extra = makeOf(body, asking)
  if (refreshTokenIn !== 'body' && !extra) return undefined
  const said: Json = withoutUndefined(extra ?? {})
  const fields =
    refreshTokenIn === 'body' ? put(said, refreshTokenName!.split('.'), asking.credentials?.refreshToken) : said
  if (bodyFormat !== 'form') return JSON.stringify(fields)
  const sayable = Object.entries(fields).filter(([, value]) => value != null)
  return String(new URLSearchParams(sayable.map(([name, value]) => [name, String(value)])))
}

/** A copy of the fields with one more, however deep. */
function put(fields: Json, [name, ...deeper]: string[], value: unknown): Json {
  if (deeper.length === 0) return { ...fields, [name!]: value }
  return { ...fields, [name!]: put((fields[name!] ?? {}) as Json, deeper, value) }
}
