// A public OAuth 2.0 client in a browser: the refresh grant (RFC 6749 §6), revocation (RFC 7009) and, on reload, userinfo.

import { claimsOf, type Credentials, type Json } from '../core/credentials.ts'
import { RefreshFailedError, StepUpRequiredError } from '../errors.ts'
import type { Backend, Io, Wanted } from '../ports.ts'
import { attachBearer, isOneOf, originsOf, readJson } from '../wire.ts'

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
  /** ms in which the server forgives a second use of a refresh token. @default 0 */
  replayWindow?: number
}

// Errors that a user can cure by going to the server once more.
const STEP_UP = /^(interaction|login|consent|account_selection)_required$/
// The server has looked at the grant before it said so: a rotating one may have spent the token.
const SPENT = 'invalid_target'

/** What a token response says (RFC 6749 §5.1). The claims of an ID token, where there is one, are the user. */
export function fromTokenResponse(json: Json): Credentials {
  const { access_token: accessToken, refresh_token: refreshToken, expires_in: expiresIn, id_token: idToken } = json
  if (typeof accessToken !== 'string' || !accessToken)
    throw new RefreshFailedError('A token response without access_token')
  const seconds = Number(expiresIn)
  const user = typeof idToken === 'string' && claimsOf(idToken)
  return {
    accessToken,
    ...(typeof refreshToken === 'string' && refreshToken && { refreshToken }),
    ...(seconds > 0 && { expiresInSeconds: seconds }),
    ...(user && { user }),
  }
}

/**
 * A public client with refresh tokens, as an authorization code flow with PKCE leaves it. Hand its first token response to
 * the session: `session.signIn(fromTokenResponse(json))`.
 *
 * @see [RFC 6749 §6](https://www.rfc-editor.org/rfc/rfc6749#section-6), [RFC 9700 §4.14](https://www.rfc-editor.org/rfc/rfc9700#section-4.14)
 */
export function oauth2<U = Json>(options: OAuth2Options): Backend<U> {
  const { tokenEndpoint, clientId, revocationEndpoint, userinfoEndpoint, scope, replayWindow = 0 } = options
  const endpoints = [tokenEndpoint, revocationEndpoint, userinfoEndpoint]

  const post = (io: Io<U>, url: string, fields: Record<string, string>): Promise<Response> =>
    io.fetch(url, { method: 'POST', body: new URLSearchParams({ client_id: clientId, ...fields }) })

  async function refresh(credentials: Credentials<U>, io: Io<U>, wanted: Wanted): Promise<Credentials<U> | null> {
    const { refreshToken } = credentials
    if (!refreshToken) return null // nothing to ask with
    const response = await post(io, tokenEndpoint, {
      grant_type: 'refresh_token',
      refresh_token: refreshToken,
      ...(scope && { scope }),
      ...(wanted.resource && { resource: wanted.resource }),
    })
    if (response.ok) return fromTokenResponse(await readJson(response)) as Credentials<U>
    const { error } = (await response
      .clone()
      .json()
      .catch(() => ({}))) as { error?: unknown }
    if (error === 'invalid_grant') return null
    if (typeof error !== 'string')
      throw new RefreshFailedError(`${tokenEndpoint} answered ${response.status}`, { response })
    if (STEP_UP.test(error)) throw new StepUpRequiredError({ type: error }, { response })
    throw new RefreshFailedError(`${tokenEndpoint} answered ${response.status}: ${printable(error)}`, {
      response,
      spent: error === SPENT,
    })
  }

  return {
    name: 'oauth2',
    origins: originsOf(...endpoints),
    replayWindow,
    owns: (url) => isOneOf(url, [tokenEndpoint, revocationEndpoint]),
    attach: attachBearer,
    refresh,
    async reload(credentials, io, wanted) {
      const fresh = await refresh(credentials, io, wanted)
      if (!fresh || !userinfoEndpoint) return fresh
      io.keep(fresh) // its refresh token is the only one now, whatever userinfo says
      const headers = new Headers()
      attachBearer(headers, fresh)
      return { ...fresh, user: (await readJson(await io.fetch(userinfoEndpoint, { headers }))) as U }
    },
    async token(credentials, io, target) {
      const fresh = await refresh(credentials, io, target)
      if (!fresh?.accessToken) throw new RefreshFailedError(`${tokenEndpoint} refused a token for ${target.resource}`)
      const { accessToken, expiresInSeconds, refreshToken } = fresh
      return {
        accessToken,
        ...(expiresInSeconds && { expiresAt: io.now() + expiresInSeconds * 1000 }),
        ...(refreshToken && { credentials: { refreshToken } }),
      }
    },
    async signOut(credentials, io) {
      const token = credentials?.refreshToken
      if (!token || !revocationEndpoint) return
      const { status } = await post(io, revocationEndpoint, { token, token_type_hint: 'refresh_token' })
      if (status >= 500) throw new RefreshFailedError(`${revocationEndpoint} answered ${status}`)
    },
  }
}

// RFC 6749 §5.2 allows these characters only; anything else in a message would be somebody's text.
const printable = (error: string): string => error.replace(/[^\w.-]/g, '?').slice(0, 60)
