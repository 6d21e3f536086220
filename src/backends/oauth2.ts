// A public OAuth 2.0 client in a browser: the refresh grant (RFC 6749 §6), revocation (RFC 7009) and, on reload, userinfo.

import { claimsOf, type Credentials, type Json, withoutUndefined } from '../state/credentials.ts'
import { RefreshFailedError, StepUpRequiredError } from '../errors.ts'
import type { Backend } from '../seam/backend.ts'
import type { Io, RefreshIntent } from '../seam/io.ts'
import {
  assertDelivered,
  attachBearer,
  ownsEndpoints,
  missingField,
  originsOf,
  peek,
  readJson,
  requireOptions,
} from './kit.ts'

export interface OAuth2Options {
  /** Where the refresh grant is sent (RFC 6749 §3.2). */
  tokenEndpoint: string
  clientId: string
  /** RFC 7009. Left out: a sign-out is not told to the server. */
  revocationEndpoint?: string
  /** OpenID Connect Core §5.3. Asked on `reload()`, and its answer is the user. */
  userinfoEndpoint?: string
  /** At each refresh; may only narrow what was granted. */
  scope?: string
  /** What access tokens are for (RFC 8707). At the userinfo endpoint such a token may count for nothing. */
  resource?: string
  /** ms in which the server forgives a second use of a refresh token. @default 0 */
  replayWindow?: number
}

// What makes every ID token another one, though it says the same of the user (OpenID Connect Core §2, §3.3.2.11).
const PASSING = ['at_hash', 'c_hash', 'nonce']

/**
 * What a token response says (RFC 6749 §5.1). The claims of an ID token, where there is one, are the user.
 * @throws {@link RefreshFailedError} for one without an access token.
 */
export function fromTokenResponse(json: Json): Credentials {
  const { access_token, refresh_token, expires_in, id_token } = json as Record<string, string | undefined>
  if (!access_token) throw missingField('access_token', json)
  const claims = id_token && claimsOf(id_token)
  return {
    accessToken: access_token,
    refreshToken: refresh_token || undefined,
    expiresInSeconds: expires_in === undefined ? undefined : +expires_in,
    user: claims ? Object.fromEntries(Object.entries(claims).filter(([name]) => !PASSING.includes(name))) : undefined,
  }
}

/**
 * A public client with refresh tokens, as an authorization code flow with PKCE leaves it. Hand its first token response to
 * the session: `session.signIn(fromTokenResponse(json))`.
 *
 * @see [RFC 6749 §6](https://www.rfc-editor.org/rfc/rfc6749#section-6), [RFC 9700 §4.14](https://www.rfc-editor.org/rfc/rfc9700#section-4.14)
 */
export function oauth2<U = Json>(options: OAuth2Options): Backend<U> {
  const { tokenEndpoint, clientId, revocationEndpoint, userinfoEndpoint, scope, replayWindow } = requireOptions(
    options,
    'tokenEndpoint',
    'clientId',
  )
  const endpoints = [tokenEndpoint, revocationEndpoint, userinfoEndpoint]

  const post = (io: Io<U>, url: string, fields: Record<string, string | undefined>): Promise<Response> => {
    const body = new URLSearchParams({ client_id: clientId, ...withoutUndefined(fields) })
    return io.fetch(url, { method: 'POST', body })
  }

  async function refresh(
    { refreshToken }: Credentials<U>,
    io: Io<U>,
    { resource = options.resource }: RefreshIntent,
  ): Promise<Credentials<U> | null> {
    if (!refreshToken) return null // nothing to ask with
    const grant = { grant_type: 'refresh_token', refresh_token: refreshToken, scope, resource }
    const response = await post(io, tokenEndpoint, grant)
    if (response.ok) {
      const fresh = fromTokenResponse(await readJson(response)) as Credentials<U>
      // An ID token may say less of the user than userinfo did.
      return userinfoEndpoint ? { ...fresh, user: undefined } : fresh
    }
    const error = String((await peek(response))?.['error'])
    if (error === 'invalid_grant') return null
    // RFC 6749 §5.2 and OpenID Connect Core §3.1.2.6: a user can cure these by going to the server once more.
    if (/^(interaction|login|consent)_required$/.test(error))
      throw new StepUpRequiredError({ type: error }, { refusal: response })
    // RFC 8707 §2: found out only after a rotating server has spent the token.
    throw new RefreshFailedError(`answered ${response.status}${ERROR.test(error) ? ` ${error}` : ''}`, {
      refusal: response,
      spent: error === 'invalid_target',
    })
  }

  return {
    name: 'oauth2',
    origins: originsOf(endpoints),
    identity: { endpoint: tokenEndpoint, others: endpoints, clientId },
    ...(replayWindow !== undefined && { replayWindow }),
    owns: ownsEndpoints([tokenEndpoint, revocationEndpoint]),
    attach: attachBearer,
    canRefresh: ({ refreshToken }) => !!refreshToken,
    refresh,
    async reload(credentials, io, wanted) {
      const fresh = await refresh(credentials, io, wanted)
      if (!fresh || !userinfoEndpoint) return fresh
      io.checkpoint(fresh) // its refresh token is the only one now, whatever userinfo says
      const headers = new Headers()
      attachBearer(headers, fresh)
      return { ...fresh, user: (await readJson(await io.fetch(userinfoEndpoint, { headers }))) as U }
    },
    mints: ['resource'],
    async token(credentials, io, target) {
      if (!credentials.refreshToken) throw new RefreshFailedError('there is no refresh token to ask with')
      const fresh = await refresh(credentials, io, target)
      if (!fresh) return null
      const { accessToken, expiresInSeconds, refreshToken } = fresh
      return {
        accessToken: accessToken!,
        expiresInSeconds,
        credentials: { refreshToken },
      }
    },
    async signOut(credentials, io) {
      const token = credentials?.refreshToken
      if (!token || !revocationEndpoint) return
      assertDelivered(await post(io, revocationEndpoint, { token, token_type_hint: 'refresh_token' }))
    },
  }
}

// An error code, and nothing else that a server may have put there (RFC 6749 §5.2).
const ERROR = /^[\w.-]{1,60}$/
