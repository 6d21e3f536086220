// A public OAuth 2.0 client in a browser: the refresh grant (RFC 6749 §6), revocation (RFC 7009) and, on reload, userinfo.

import type { Names } from '../known-options.ts'
import type { Credentials, Json } from '../state/credentials.ts'
import { InvalidOptionError, RefreshFailedError, StepUpRequiredError } from '../errors.ts'
import type { Backend } from '../seam/backend.ts'
import type { Io, RefreshIntent } from '../seam/io.ts'
import { assertDelivered, attachBearer, originsOf, peek, readJson, requireOptions } from './kit.ts'
import { formOf, type Parameters } from './kit/form.ts'
import { assertIssuer } from './kit/issuer.ts'
import { createEndpoints } from './oauth2/endpoints.ts'
import { assertPublic } from './oauth2/options.ts'
import { checkParameters, parametersFor, type Wording } from './oauth2/parameters.ts'
import { errorCodeOf, fromTokenResponse } from './oauth2/token-response.ts'

export { fromTokenResponse, type TokenResponse } from './oauth2/token-response.ts'
export type { Parameters, ParameterValue } from './kit/form.ts'
export type { Naming } from './oauth2/parameters.ts'

export interface OAuth2Options {
  clientId: string
  /**
   * The server, exactly as it names itself: its metadata (RFC 8414, OpenID Connect Discovery) say where the endpoints are, and
   * are fetched before the first refresh or sign-out. Not fetched where there is a `tokenEndpoint`.
   */
  issuer?: string
  /** Where the refresh grant is sent (RFC 6749 §3.2). Left out: as the metadata of the `issuer` say. */
  tokenEndpoint?: string
  /** RFC 7009. Left out: as the metadata say; without those, or `''`: a sign-out is not told to the server. */
  revocationEndpoint?: string
  /**
   * OpenID Connect Core §5.3. Asked on `reload()`, and its answer is the user. Left out: as the metadata say; without those, or
   * `''`: the claims of the ID token are the user.
   */
  userinfoEndpoint?: string
  /** At each refresh; may only narrow what was granted. */
  scope?: string
  /** What access tokens are for (RFC 8707). At the userinfo endpoint such a token may count for nothing. */
  resource?: string
  /**
   * How the token endpoint is told of an organization and of a resource: the name of a parameter, such as `'organization'` or
   * `'audience'`, or a function that gives parameters, such as ``(id) => ({ scope: `openid organization:${id}` })``. Without a
   * name for it, `organizationId` is an `InvalidOptionError`. @default { resource: 'resource' }
   */
  names?: NonNullable<Wording['names']>
  /** More parameters for the token endpoint: values, lists of values, or functions of what the refresh is wanted for. */
  parameters?: NonNullable<Wording['parameters']>
  /**
   * Of the access tokens that the server gives. Another one is for a backend of yours around this one, which attaches such tokens
   * itself. @default 'Bearer'
   */
  tokenType?: string
  /** ms in which the server forgives a second use of a refresh token. @default 0 */
  replayWindow?: number
}

const OPTIONS: Names<OAuth2Options> = {
  clientId: true,
  issuer: true,
  tokenEndpoint: true,
  revocationEndpoint: true,
  userinfoEndpoint: true,
  scope: true,
  resource: true,
  names: true,
  parameters: true,
  tokenType: true,
  replayWindow: true,
}

/** @throws {@link InvalidOptionError} naming the option. */
function checkOptions(options: OAuth2Options): void {
  assertPublic('oauth2', options ?? {}, OPTIONS)
  requireOptions(options, 'clientId')
  const { issuer, tokenEndpoint } = options
  if (!tokenEndpoint && issuer === undefined)
    throw new InvalidOptionError('tokenEndpoint', 'is missing: this backend needs it, or an issuer')
  if (issuer !== undefined) assertIssuer(issuer)
  checkParameters(options)
}

/**
 * A public client with refresh tokens, as an authorization code flow with PKCE leaves it. `resesh/oauth2/login` has such a flow;
 * the token response of your own goes to the session: `session.signIn(fromTokenResponse(json))`.
 *
 * @example
 * oauth2({ issuer: 'https://id.example.com', clientId: 'spa' })
 *
 * @throws {@link InvalidOptionError} naming the option.
 * @see [RFC 6749 §6](https://www.rfc-editor.org/rfc/rfc6749#section-6), [RFC 8414](https://www.rfc-editor.org/rfc/rfc8414), [RFC 9700 §4.14](https://www.rfc-editor.org/rfc/rfc9700#section-4.14)
 */
export function oauth2<U = Json>(options: OAuth2Options): Backend<U> {
  checkOptions(options)
  const {
    clientId,
    issuer,
    tokenEndpoint,
    revocationEndpoint,
    userinfoEndpoint,
    scope,
    names,
    tokenType,
    replayWindow,
  } = options
  const endpoints = createEndpoints(options)
  const places = [tokenEndpoint ?? issuer, revocationEndpoint || undefined, userinfoEndpoint || undefined]

  const read = (json: Json): Credentials<U> => fromTokenResponse(json, tokenType) as Credentials<U>

  const post = (io: Io<U>, url: string, parameters: Parameters): Promise<Response> =>
    io.fetch(url, { method: 'POST', body: formOf({ client_id: clientId, ...parameters }) })

  async function refresh(held: Credentials<U>, io: Io<U>, intent: RefreshIntent): Promise<Credentials<U> | null> {
    if (!held.refreshToken) return null // nothing to ask with
    const { token, userinfo } = await endpoints.find(io)
    const wanted = {
      ...intent,
      organizationId: intent.organizationId ?? held.organizationId ?? undefined,
      resource: intent.resource ?? options.resource,
    }
    const grant = { grant_type: 'refresh_token', refresh_token: held.refreshToken }
    const response = await post(io, token, { scope, ...parametersFor(options, wanted), ...grant })
    if (!response.ok) return readRefusal(response)
    return {
      ...read(await readJson(response)),
      // An ID token may say less of the user than userinfo did.
      ...(userinfo && { user: undefined }),
      ...(names?.organizationId && { organizationId: wanted.organizationId || null }),
    }
  }

  return {
    name: 'oauth2',
    origins: originsOf(places),
    identity: { endpoint: (tokenEndpoint ?? issuer)!, others: places, clientId },
    ...(replayWindow !== undefined && { replayWindow }),
    owns: endpoints.owns,
    attach: attachBearer,
    canRefresh: ({ refreshToken }) => !!refreshToken,
    readAnswer: read,
    accepts: names?.organizationId ? ['organizationId'] : [],
    refresh,
    async reload(credentials, io, wanted) {
      const fresh = await refresh(credentials, io, wanted)
      const { userinfo } = fresh ? await endpoints.find(io) : {}
      if (!fresh || !userinfo) return fresh
      io.checkpoint(fresh) // its refresh token is the only one now, whatever userinfo says
      const headers = new Headers()
      attachBearer(headers, fresh)
      return { ...fresh, user: (await readJson(await io.fetch(userinfo, { headers }))) as U }
    },
    mints: names?.organizationId ? ['resource', 'organizationId'] : ['resource'],
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
      if (!token) return
      const { revocation } = await endpoints.find(io)
      if (!revocation) return
      assertDelivered(await post(io, revocation, { token, token_type_hint: 'refresh_token' }))
    },
  }
}

/** What a refusal says (RFC 6749 §5.2). `null`: the session is over. */
async function readRefusal(response: Response): Promise<null> {
  const error = errorCodeOf(await peek(response))
  if (error === 'invalid_grant') return null
  // OpenID Connect Core §3.1.2.6: a user can cure these by going to the server once more.
  if (error && /^(interaction|login|consent)_required$/.test(error))
    throw new StepUpRequiredError({ type: error }, { refusal: response })
  // RFC 8707 §2: found out only after a rotating server has spent the token.
  throw new RefreshFailedError(`answered ${response.status}${error ? ` ${error}` : ''}`, {
    refusal: response,
    spent: error === 'invalid_target',
  })
}
