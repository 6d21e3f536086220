// Which answers of a login, a restore and a refresh count: those that carry a token, or come from a backend that says it does
// without. The JSON of a refused login, or an answer under other names, is none of them.

import { InvalidTokenError, sentenceOf } from '../errors.ts'
import { lacks } from '../answer-names.ts'
import type { Backend } from '../seam/backend.ts'
import { type Credentials, type Json, merge, notCredentials } from '../state/credentials.ts'

const NAMES: readonly string[] = [
  'accessToken',
  'refreshToken',
  'expiresAt',
  'expiresInSeconds',
  'user',
  'claims',
  'organizationId',
  'data',
  'extras',
] satisfies (keyof Credentials)[]

/**
 * The credentials that sign somebody in. What the answer leaves out is taken from `held`.
 * @throws InvalidTokenError for an answer that carries no token, where the backend needs one.
 */
export function readSignIn<U>(backend: Backend<U>, held: Credentials<U> | null, said: Credentials<U>): Credentials<U> {
  return requireToken(backend, merge(held, said), said)
}

/**
 * @param said The answer that the credentials came from.
 * @throws InvalidTokenError for credentials that carry no token, where the backend needs one.
 */
export function requireToken<U>(
  { cookies, needsNoToken }: Backend<U>,
  credentials: Credentials<U>,
  said: Credentials<U> = credentials,
): Credentials<U> {
  const { accessToken, refreshToken } = credentials
  if (cookies || needsNoToken || accessToken || refreshToken) return credentials
  throw nobody('accessToken', said)
}

/** @throws InvalidTokenError for an answer to a refresh that brings no access token, where the backend needs one. */
export function requireAccessToken<U>(
  { cookies, needsToken, needsNoToken }: Backend<U>,
  said: Credentials<U>,
): Credentials<U> {
  const isNeeded = needsToken || !(cookies || needsNoToken)
  if (!isNeeded || said.accessToken) return said
  throw new InvalidTokenError(lacks('accessToken', said))
}

/**
 * What an answer says under this SDK's own names. `expiresIn` is what most servers call the lifetime, in seconds (RFC 6749 §5.1).
 * @throws InvalidTokenError for what is no object.
 */
export function ownWords<U>(said: unknown): Credentials<U> {
  if (!said || typeof said !== 'object' || Array.isArray(said)) throw notCredentials()
  const { expiresIn, ...rest } = said as Json
  return Number(expiresIn) > 0 ? { expiresInSeconds: Number(expiresIn), ...rest } : rest
}

/**
 * A refresh token under a name that nobody reads would be missed only when the access token has expired.
 * @throws InvalidTokenError for an answer that has such a name.
 */
export function assertNothingMissed<U>({ canRefresh }: Backend<U>, said: Credentials<U>, json: Json): void {
  const mayMiss = canRefresh && !canRefresh(said) && canRefresh({ ...said, refreshToken: 'any' })
  const isMissed = (name: string): boolean => typeof json[name] === 'string' && /^refresh[_-]?tok(en)?$/i.test(name)
  if (mayMiss && Object.keys(json).some(isMissed)) throw nobody('refreshToken', json)
}

export const NOBODY = 'Nobody was signed in'
const nobody = (lacking: string, said: object): InvalidTokenError =>
  new InvalidTokenError(`${NOBODY}: ${lacks(lacking, said)}.`)

const HAND_RESPONSE = ' Was it refused? Give signIn() the Response itself, so that it sees the status.'

/** @throws InvalidTokenError for an answer to a login that can't be read. */
export function refuseAnswer(cause: unknown, refusal?: Response): never {
  const hint = refusal ? '' : HAND_RESPONSE
  throw new InvalidTokenError(`${NOBODY}, since the login's answer can't be read: ${sentenceOf(cause)}${hint}`, {
    cause,
    refusal,
  })
}

/** Whether an answer says anything under this SDK's own names. */
export const hasOwnWords = (said: object): boolean =>
  Object.entries(said).some(([name, value]) => value != null && NAMES.includes(name))
