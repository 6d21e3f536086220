// How an answer reads: that to a refresh, and that of a login.

import { InvalidOptionError } from '../../errors.ts'
import { type Credentials, type Json, withoutUndefined } from '../../state/credentials.ts'
import { missingField } from '../kit.ts'

/** Where an answer has what. A dot goes deeper: `data.tokens.access`. */
export interface AnswerNames {
  /** @default 'accessToken' */
  accessToken?: string
  /** An answer without one leaves the refresh token as it is. @default 'refreshToken' */
  refreshToken?: string
  /** The lifetime of the access token, in seconds; a text counts, too. @default 'expiresIn' */
  expiresInSeconds?: string
  /** That lifetime where the server says it in ms. */
  expiresInMs?: string
  /** When the access token expires: a date text, or the time since 1970 in seconds or ms. @default 'expiresAt' */
  expiresAt?: string
  /** @default 'user' */
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

const DEFAULT_NAMES = {
  accessToken: 'accessToken',
  refreshToken: 'refreshToken',
  expiresInSeconds: 'expiresIn',
  expiresAt: 'expiresAt',
  user: 'user',
}
const KNOWN = [...Object.keys(DEFAULT_NAMES), 'expiresInMs', 'organizationId']

export const namesOf = (answer: AnswerNames | undefined): AnswerNames & typeof DEFAULT_NAMES => ({
  ...DEFAULT_NAMES,
  ...withoutUndefined(answer ?? {}),
})

/** @throws InvalidOptionError for a name that nobody reads. */
export function assertNames(answer: object = {}): void {
  const unknown = Object.keys(answer).find((name) => !KNOWN.includes(name))
  if (unknown) throw new InvalidOptionError(`answer.${unknown}`, `is none of ${KNOWN.join(', ')}`)
}

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
    throw missingField(names.accessToken, json, read ? 'see `read`' : 'see bearer({ answer })')
  return { ...said, ...(extras && { extras: { ...said.extras, ...readExtras(extras, json) } }) }
}

function readNames<U>(names: ReturnType<typeof namesOf>, json: Json): Credentials<U> {
  const refreshToken = at(json, names.refreshToken)
  const user = at(json, names.user) as U | null | undefined
  const organizationId = at(json, names.organizationId) as string | undefined
  const ms = names.expiresInMs === undefined ? undefined : Number(at(json, names.expiresInMs)) / 1000
  return withoutUndefined({
    accessToken: at(json, names.accessToken) as string,
    refreshToken: typeof refreshToken === 'string' && refreshToken ? refreshToken : undefined,
    expiresInSeconds: positive(ms ?? Number(at(json, names.expiresInSeconds))),
    expiresAt: positive(readTime(at(json, names.expiresAt))),
    user,
    organizationId,
  })
}

const positive = (value: number): number | undefined => (value > 0 ? value : undefined)

// As seconds that is the year 5138, as ms it is 1973.
const LEAST_MS = 1e11

/** Epoch ms of a date text, or of a number of seconds or ms. */
function readTime(time: unknown): number {
  const number = typeof time === 'string' && time.trim() === '' ? Number.NaN : Number(time ?? Number.NaN)
  if (Number.isNaN(number)) return Date.parse(String(time))
  return number < LEAST_MS ? number * 1000 : number
}

const readExtras = (extras: Record<string, string>, json: Json): Json =>
  withoutUndefined(Object.fromEntries(Object.entries(extras).map(([name, path]) => [name, at(json, path)])))
