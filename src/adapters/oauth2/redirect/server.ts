// The authorization server, spoken to by oauth4webapi: its metadata, the checks of its answers, the exchange of a code.

import {
  allowInsecureRequests,
  type AuthorizationServer,
  authorizationCodeGrantRequest,
  AuthorizationResponseError,
  calculatePKCECodeChallenge,
  customFetch,
  discoveryRequest,
  generateRandomCodeVerifier,
  generateRandomNonce,
  generateRandomState,
  JSON_ATTRIBUTE_COMPARISON,
  None,
  type OperationProcessingError,
  PARSE_ERROR,
  processAuthorizationCodeResponse,
  processDiscoveryResponse,
  RESPONSE_IS_NOT_CONFORM,
  RESPONSE_IS_NOT_JSON,
  ResponseBodyError,
  type TokenEndpointResponse,
  validateAuthResponse,
  WWWAuthenticateChallengeError,
} from 'oauth4webapi'
import { formOf } from '../../../backends/kit/form.ts'
import { LoginError, messageOf } from '../../../errors.ts'
import type { Fetch } from '../../../seam/io.ts'
import type { Flow } from './flow.ts'

export interface ServerOptions {
  readonly issuer?: string
  readonly authorizationEndpoint?: string
  readonly tokenEndpoint?: string
  readonly endSessionEndpoint?: string
  readonly clientId: string
}

/** What makes an answer belong to the login that asked (RFC 7636, RFC 9700 §2.1.1, OpenID Connect Core §15.5.2). */
export interface Proof {
  readonly state: string
  readonly nonce: string
  readonly verifier: string
  readonly challenge: string
}

export interface Server {
  /** The metadata; asked for once. @throws {@link LoginError} `unavailable`, `invalid`. */
  metadata(fetch: Fetch): Promise<AuthorizationServer>
  /**
   * Checks an answer before anybody is asked: its `iss` (RFC 9207), and whether it is an error.
   * @throws {@link LoginError} `denied`, `refused`, `invalid`.
   */
  check(answer: URLSearchParams, state: string): void
  /** The tokens for a code. @throws {@link LoginError} */
  exchange(answer: URLSearchParams, state: string, flow: Flow, options: ExchangeOptions): Promise<TokenEndpointResponse>
}

interface ExchangeOptions {
  readonly fetch: Fetch
  readonly resource: string | readonly string[] | undefined
  /** Wall time, epoch ms. */
  readonly now: number
}

const TIMEOUT_MS = 10_000
// Without metadata nobody says how ID tokens are signed. They come over TLS from the token endpoint (OpenID Connect Core §3.1.3.7).
const ALGORITHMS = ['RS', 'PS', 'ES']
  .flatMap((kind) => [256, 384, 512].map((bits) => kind + bits))
  .concat('EdDSA', 'Ed25519')

export async function createProof(): Promise<Proof> {
  const verifier = generateRandomCodeVerifier()
  try {
    const challenge = await calculatePKCECodeChallenge(verifier)
    return { state: generateRandomState(), nonce: generateRandomNonce(), verifier, challenge }
  } catch (cause) {
    throw new LoginError('unavailable', 'it needs crypto.subtle, which pages have over https only', { cause })
  }
}

export function createServer(options: ServerOptions): Server {
  const { authorizationEndpoint, tokenEndpoint, endSessionEndpoint, clientId } = options
  const issuer = options.issuer ?? new URL(authorizationEndpoint!).origin
  const client = { client_id: clientId }
  const given = {
    ...(authorizationEndpoint && { authorization_endpoint: authorizationEndpoint }),
    ...(tokenEndpoint && { token_endpoint: tokenEndpoint }),
    ...(endSessionEndpoint && { end_session_endpoint: endSessionEndpoint }),
  }
  let known: AuthorizationServer | undefined =
    authorizationEndpoint && tokenEndpoint
      ? { issuer, ...given, id_token_signing_alg_values_supported: ALGORITHMS }
      : undefined

  const requestOptions = (fetch: Fetch) => ({
    signal: AbortSignal.timeout(TIMEOUT_MS),
    // On this machine only: see `assertIssuer`.
    [allowInsecureRequests]: issuer.startsWith('http:'),
    // A patched fetch is not to hold such a request, nor to put a token of the session on it.
    [customFetch]: (url: string, init: object) =>
      fetch(url, { ...init, credentials: 'omit', session: false } as RequestInit),
  })

  /** RFC 8414 §3.3: the metadata of another issuer are not used. It wants the name letter for letter. */
  const isForeign = (error: unknown): boolean =>
    (Object(error) as OperationProcessingError).code === JSON_ATTRIBUTE_COMPARISON

  async function discover(algorithm: 'oidc' | 'oauth2', fetch: Fetch): Promise<AuthorizationServer> {
    const url = new URL(issuer)
    const response = await discoveryRequest(url, { algorithm, ...requestOptions(fetch) })
    const found = await processDiscoveryResponse(url, response)
    if (found.issuer === issuer) return { ...found, ...given }
    throw new LoginError('invalid', `the metadata are those of ${found.issuer}, not of the issuer ${issuer}`)
  }

  async function exchange(
    answer: URLSearchParams,
    state: string,
    { verifier, nonce, redirectUri, maxAgeSeconds, startedAt }: Flow,
    { fetch, resource, now }: ExchangeOptions,
  ): Promise<TokenEndpointResponse> {
    const server = await metadata(fetch)
    try {
      // Once more, now that it is known whether this server always sends its `iss`.
      const parameters = validateAuthResponse(server, client, answer, state)
      const response = await authorizationCodeGrantRequest(server, client, None(), parameters, redirectUri, verifier, {
        additionalParameters: formOf({ resource }),
        ...requestOptions(fetch),
      })
      const sinceStart = Math.ceil(Math.max(0, now - startedAt) / 1000)
      return await processAuthorizationCodeResponse(server, client, response, {
        ...(nonce !== undefined && { expectedNonce: nonce, requireIdToken: true }),
        // The login may have taken longer than that: it counts how old the authentication was as it began.
        ...(maxAgeSeconds !== undefined && { maxAge: maxAgeSeconds + sinceStart }),
      })
    } catch (error) {
      throw explain(error, server.issuer)
    }
  }

  async function metadata(fetch: Fetch): Promise<AuthorizationServer> {
    if (known) return known
    try {
      known = await discover('oidc', fetch).catch((error: unknown) => {
        if (error instanceof LoginError || isForeign(error)) throw error
        // A server without OpenID Connect has its metadata elsewhere, and may not let this page see that it refuses.
        return discover('oauth2', fetch)
      })
      return known
    } catch (error) {
      throw explain(error, issuer)
    }
  }

  return {
    metadata,
    exchange,
    check(answer, state) {
      try {
        validateAuthResponse({ issuer }, client, answer, state)
      } catch (error) {
        throw explain(error, issuer)
      }
    },
  }
}

// An error code, and nothing else that somebody may have put in a link (RFC 6749 §4.1.2.1).
const ERROR = /^[\w.-]{1,60}$/

/**
 * What went wrong, in our words. The cause is left out: the errors of oauth4webapi hold the whole answer, with code and tokens.
 */
function explain(error: unknown, issuer: string): LoginError {
  if (error instanceof LoginError) return error
  if (error instanceof AuthorizationResponseError || error instanceof ResponseBodyError) {
    const code = ERROR.test(error.error) ? error.error : undefined
    return new LoginError(code === 'access_denied' ? 'denied' : 'refused', `${issuer} says ${code ?? 'an error'}`, {
      error: code,
    })
  }
  if (error instanceof WWWAuthenticateChallengeError)
    return new LoginError('refused', `${issuer} answered ${error.status} to the exchange of the code`)
  // fetch rejects with these; those of oauth4webapi have a code.
  const { code } = Object(error) as { readonly code?: unknown }
  const isTransport = error instanceof DOMException || (error instanceof TypeError && code === undefined)
  if (isTransport) return new LoginError('unavailable', `${issuer}: ${messageOf(error)}`, { cause: error })
  return new LoginError(UNUSABLE.includes(code) ? 'unavailable' : 'invalid', `${issuer}: ${messageOf(error)}`)
}

// A 503, the page of a proxy.
const UNUSABLE: readonly unknown[] = [RESPONSE_IS_NOT_CONFORM, RESPONSE_IS_NOT_JSON, PARSE_ERROR]
