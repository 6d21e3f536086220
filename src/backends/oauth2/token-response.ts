// How the answer of a token endpoint reads (RFC 6749 §5.1): of a login as of a refresh.

import { RefreshFailedError } from '../../errors.ts'
import { claimsOf, type Credentials, type Json, withoutUndefined } from '../../state/credentials.ts'
import { missingField } from '../kit.ts'

/** What is read of a token response. It may have more to it. */
export interface TokenResponse {
  readonly access_token?: unknown
  readonly refresh_token?: unknown
  readonly expires_in?: unknown
  readonly id_token?: unknown
  readonly scope?: unknown
  readonly token_type?: unknown
  readonly error?: unknown
}

// What makes every ID token another one, though it says the same of the user (OpenID Connect Core §2, §3.3.2.11).
const PASSING = ['at_hash', 'c_hash', 'nonce']
// An error code, and nothing else that a server may have put there (RFC 6749 §5.2).
const ERROR = /^[\w.-]{1,60}$/

/** The error code of an answer; `undefined` where there is none that may be shown. */
export function errorCodeOf(json: Json | null): string | undefined {
  const error = json?.['error']
  return typeof error === 'string' && ERROR.test(error) ? error : undefined
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value ? value : undefined)

/**
 * What a token response says (RFC 6749 §5.1). The claims of an ID token, where there is one, are the user; the ID token itself
 * and the granted scope are `extras`.
 * @param tokenType What the access token has to be. @default 'Bearer'
 * @throws {@link RefreshFailedError} for one without an access token, or with a token of another type.
 */
export function fromTokenResponse(response: TokenResponse, tokenType = 'Bearer'): Credentials {
  const json = Object(response) as Json & TokenResponse
  const accessToken = textOf(json.access_token)
  const error = errorCodeOf(json)
  if (!accessToken && error) throw new RefreshFailedError(`the answer is the error ${error}`)
  if (!accessToken) throw missingField('access_token', json)
  assertType(json.token_type, tokenType)
  const idToken = textOf(json.id_token)
  const scope = textOf(json.scope)
  const claims = idToken && claimsOf(idToken)
  return {
    accessToken,
    refreshToken: textOf(json.refresh_token),
    expiresInSeconds: json.expires_in == null ? undefined : Number(json.expires_in),
    user: claims ? Object.fromEntries(Object.entries(claims).filter(([name]) => !PASSING.includes(name))) : undefined,
    ...((idToken || scope) && { extras: withoutUndefined({ idToken, scope }) }),
  }
}

/** RFC 6749 §7.1: a token of a type that one does not understand must not be used. Some servers leave the type out. */
function assertType(said: unknown, expected: string): void {
  if (said == null) return
  const type = typeof said === 'string' ? said.slice(0, 20) : typeof said
  if (type.toLowerCase() === expected.toLowerCase()) return
  throw new RefreshFailedError(
    `the answer has a token of the type ${type}, and only ${expected} is supported: ask the server for such tokens`,
    { spent: true },
  )
}
