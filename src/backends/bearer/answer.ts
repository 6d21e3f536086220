// How an answer reads: that to a refresh, and that of a login.

import { assertKnown, type Names } from '../../known-options.ts'
import { type Credentials, type Json, withoutUndefined } from '../../state/credentials.ts'
import { guessOf } from '../../answer-names.ts'
import { missingField } from '../kit.ts'

/** Where an answer has what. A dot goes deeper: `data.tokens.access`. */
export interface AnswerNames {
  /** @default 'accessToken' */
  accessToken?: string
  /** An answer without one leaves the refresh token as it is. @default 'refreshToken' */
  refreshToken?: string
  /** The lifetime of the access token, in seconds; a text counts, too. @default 'expiresIn', or else 'expires_in' */
  expiresInSeconds?: string
  /** That lifetime where the server says it in ms. */
  expiresInMs?: string
  /**
   * When the access token expires: a date text, or the time since 1970 in seconds, ms or less. A date and time without a zone are
   * UTC. @default 'expiresAt', or else 'expires_at'
   */
  expiresAt?: string
  /** `null` in an answer leaves the user as it is. @default 'user' */
  user?: string
  /** The organization, or tenant, that the credentials are for. */
  organizationId?: string
}

export interface AnswerOptions<U> {
  answer?: AnswerNames
  /** In place of `answer`: what an answer says. The response is there for its headers; not where `signIn` got only the JSON. */
  read?(json: Json, response?: Response): Credentials<U>
  /** What else to keep of an answer, for `session.extras`: `{ idToken: 'id_token', scope: 'scope' }`. */
  extras?: Record<string, string>
}

const DEFAULT_NAMES = { accessToken: 'accessToken', refreshToken: 'refreshToken', user: 'user' }
const NAMES: Names<AnswerNames> = {
  accessToken: true,
  refreshToken: true,
  expiresInSeconds: true,
  expiresInMs: true,
  expiresAt: true,
  user: true,
  organizationId: true,
}

export const namesOf = (answer: AnswerNames | undefined): AnswerNames & typeof DEFAULT_NAMES => ({
  ...DEFAULT_NAMES,
  ...withoutUndefined(answer ?? {}),
})

/** @throws InvalidOptionError for a name that nobody reads. */
export const assertNames = (answer: object | undefined): void => assertKnown('bearer', answer, NAMES, 'answer.')

export const at = (json: unknown, path: string | undefined): unknown =>
  path === undefined
    ? undefined
    : path.split('.').reduce((value, key) => (value as Json | null | undefined)?.[key], json)

/** @throws {@link RefreshFailedError} for an answer without an access token. */
export function readCredentials<U>(
  { answer, read, extras }: AnswerOptions<U>,
  json: Json,
  response?: Response,
): Credentials<U> {
  const names = namesOf(answer)
  const said = read ? read(json, response) : readNames<U>(names, json)
  if (typeof said?.accessToken !== 'string' || !said.accessToken)
    throw missingField(names.accessToken, json, read ? 'see your function `read`' : cureFor(names.accessToken, json))
  // Some servers give the whole value of the header.
  const accessToken = said.accessToken.trim().replace(/^bearer +/i, '')
  return { ...said, accessToken, ...(extras && { extras: { ...said.extras, ...readExtras(extras, json) } }) }
}

const cureFor = (name: string, json: Json): string =>
  `say where the token is, as in bearer({ answer: { accessToken: '${guessOf(name, json) ?? 'data.token'}' } })`

function readNames<U>(names: ReturnType<typeof namesOf>, json: Json): Credentials<U> {
  const refreshToken = at(json, names.refreshToken)
  const organizationId = at(json, names.organizationId) as string | number | null | undefined
  const ms = names.expiresInMs === undefined ? undefined : numberOf(at(json, names.expiresInMs)) / 1000
  return withoutUndefined({
    accessToken: at(json, names.accessToken) as string,
    refreshToken: typeof refreshToken === 'string' && refreshToken ? refreshToken : undefined,
    expiresInSeconds: positive(ms ?? numberOf(first(json, names.expiresInSeconds, 'expiresIn', 'expires_in'))),
    expiresAt: positive(readTime(first(json, names.expiresAt, 'expiresAt', 'expires_at'))),
    // Many servers write `null` for what they leave out. Whoever has a token is somebody.
    user: (at(json, names.user) as U | null | undefined) ?? undefined,
    organizationId: typeof organizationId === 'number' ? String(organizationId) : organizationId,
  })
}

/** What stands under the app's own name for it, or else under the first of the usual names that is there. */
const first = (json: Json, named: string | undefined, ...usual: string[]): unknown =>
  named === undefined ? usual.map((name) => json[name]).find((value) => value != null) : at(json, named)

const positive = (value: number): number | undefined => (value > 0 && value < Infinity ? value : undefined)

/** Of a number or a text; of anything else, `NaN`. */
function numberOf(value: unknown): number {
  const isText = typeof value === 'string' && value.trim() !== ''
  return isText || typeof value === 'number' ? Number(value) : Number.NaN
}

// As seconds that is the year 5138, as ms it is 1973.
const LEAST_MS = 1e11
// As ms that is the year 5138, as µs it is 1973.
const LEAST_MICROSECONDS = 1e14
// A server's date and time without a zone, such as `datetime.isoformat()` of Python: parsers take it for the user's own zone.
const WITHOUT_ZONE = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(:\d\d(\.\d+)?)?)$/

/** Epoch ms of a date text, or of a number of seconds, ms, µs or ns. */
function readTime(time: unknown): number {
  let number = numberOf(time)
  if (Number.isNaN(number))
    return typeof time === 'string' ? Date.parse(time.trim().replace(WITHOUT_ZONE, '$1T$2Z')) : number
  if (number < LEAST_MS) return number * 1000
  while (number >= LEAST_MICROSECONDS && number < Infinity) number /= 1000
  return number
}

const readExtras = (extras: Record<string, string>, json: Json): Json =>
  withoutUndefined(Object.fromEntries(Object.entries(extras).map(([name, path]) => [name, at(json, path)])))
