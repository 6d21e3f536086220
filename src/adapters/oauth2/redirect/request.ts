// Where the page is sent: to the server's login (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1), or to its logout.

import type { AuthorizationServer } from 'oauth4webapi'
import { formOf, type Parameters } from '../../../backends/kit/form.ts'
import { isSafeUrl } from '../../../backends/kit/issuer.ts'
import { LoginError } from '../../../errors.ts'
import type { Globals } from '../../../runtime/globals.ts'
import { withoutUndefined } from '../../../state/credentials.ts'
import type { CreateLoginOptions, LoginOptions } from './face.ts'
import type { Proof } from './server.ts'

/** A second click, or a second request that meets the same challenge, joins the login that leaves the page already. */
const JOIN_MS = 3_000

/** @throws {@link LoginError} where the server has no such endpoint. */
export function authorizationUrl(
  server: AuthorizationServer,
  { clientId, redirectUri, scope = '', resource, parameters }: CreateLoginOptions,
  wanted: LoginOptions,
  { state, nonce, challenge }: Proof,
): URL {
  const isOpenId = scope.split(' ').includes('openid')
  return endpointUrl(server, 'authorization_endpoint', {
    ...parameters,
    ...withoutUndefined({
      scope,
      resource,
      max_age: wanted.maxAgeSeconds?.toString(),
      acr_values: wanted.acrValues,
      prompt: wanted.prompt,
      login_hint: wanted.loginHint,
    }),
    ...withoutUndefined(wanted.parameters ?? {}),
    client_id: clientId,
    redirect_uri: redirectUri,
    response_type: 'code',
    state,
    nonce: isOpenId ? nonce : undefined,
    code_challenge: challenge,
    code_challenge_method: 'S256',
  })
}

/** @throws {@link LoginError} where the server has no such endpoint. */
export const logoutUrl = (server: AuthorizationServer, parameters: Parameters): URL =>
  endpointUrl(server, 'end_session_endpoint', parameters)

function endpointUrl(
  server: AuthorizationServer,
  name: 'authorization_endpoint' | 'end_session_endpoint',
  parameters: Parameters,
): URL {
  const endpoint = server[name]
  // Not `javascript:`, whatever the metadata say.
  if (!isSafeUrl(endpoint)) throw new LoginError('unavailable', `${server.issuer} has no ${name} with https`)
  const url = new URL(endpoint)
  for (const [parameter, value] of formOf(parameters)) url.searchParams.append(parameter, value)
  return url
}

interface Departure {
  /** Leaves the page. Resolves only where the user comes back to this very page, out of the back/forward cache. */
  go(url: URL): Promise<void>
  /** As `go`, once the URL is known. A call that comes while the page is being left joins the one before. */
  join(urlOf: () => Promise<URL>): Promise<void>
}

export function createDeparture(get: Globals): Departure {
  let running: Promise<void> | undefined
  let leftAt = Infinity

  async function go(url: URL): Promise<void> {
    const comesBack = new Promise<void>((resolve) => {
      get('addEventListener')?.('pageshow', ({ persisted }) => persisted && resolve())
    })
    leftAt = get('Date')!.now()
    get('location')!.assign(url.href)
    await comesBack
  }

  return {
    go,
    join(urlOf) {
      // A page that is still there after that was not left: the user has stopped it, or the network.
      const isJoined = running && get('Date')!.now() - leftAt < JOIN_MS
      if (isJoined) return running!
      leftAt = Infinity
      const own = (async () => go(await urlOf()))().finally(() => {
        if (running === own) running = undefined
      })
      running = own
      return own
    },
  }
}
