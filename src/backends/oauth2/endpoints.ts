// Where an authorization server is: as the app says, or as its metadata say (RFC 8414, OpenID Connect Discovery 1.0 §4).

import { messageOf, RefreshFailedError } from '../../errors.ts'
import type { Io } from '../../seam/io.ts'
import type { Json } from '../../state/credentials.ts'
import { ownsEndpoints, readJson } from '../kit.ts'
import { isSafeUrl } from '../kit/issuer.ts'

export interface Endpoints {
  readonly token: string
  /** Empty or left out: there is none. */
  readonly revocation?: string | undefined
  readonly userinfo?: string | undefined
}

interface EndpointOptions {
  readonly issuer?: string
  readonly tokenEndpoint?: string
  readonly revocationEndpoint?: string
  readonly userinfoEndpoint?: string
}

interface EndpointFinder {
  /** The endpoints; asks for the metadata once, where they are needed. @throws {@link RefreshFailedError} Ask again later. */
  find(io: Io<never>): Promise<Endpoints>
  /** Whether an absolute URL is one of the server's that nothing of the session belongs on, as far as they are known. */
  owns(url: string): boolean
}

/** Where the metadata may be: OpenID Connect Discovery §4 appends to the path, RFC 8414 §3.1 puts its name before the path. */
function metadataUrls(issuer: string): string[] {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  return [
    `${origin}${path}/.well-known/openid-configuration`,
    `${origin}/.well-known/oauth-authorization-server${path}`,
  ]
}

export function createEndpoints(options: EndpointOptions): EndpointFinder {
  const { issuer, tokenEndpoint, revocationEndpoint, userinfoEndpoint } = options
  let known: Endpoints | undefined
  let isOwn = ownsEndpoints(issuer && !tokenEndpoint ? metadataUrls(issuer) : [])

  function know(endpoints: Endpoints): Endpoints {
    known = endpoints
    const isMetadata = isOwn
    const isEndpoint = ownsEndpoints([endpoints.token, endpoints.revocation || undefined])
    isOwn = (url) => isEndpoint(url) || isMetadata(url)
    return known
  }
  if (tokenEndpoint) know({ token: tokenEndpoint, revocation: revocationEndpoint, userinfo: userinfoEndpoint })

  return {
    async find(io) {
      if (known) return known
      const found = readMetadata(await fetchMetadata(issuer!, io), issuer!)
      return know({
        token: found.token,
        revocation: revocationEndpoint ?? found.revocation,
        userinfo: userinfoEndpoint ?? found.userinfo,
      })
    },
    owns: (url) => isOwn(url),
  }
}

async function fetchMetadata(issuer: string, io: Io<never>): Promise<Json> {
  let failure: unknown
  for (const url of metadataUrls(issuer)) {
    try {
      // Without headers and cookies: that needs no preflight, and uses nothing up.
      return await readJson(await io.fetch(url, { credentials: 'omit' }))
    } catch (error) {
      failure = error
      // A server that has only one of the two refuses the other, and maybe without letting this page see that.
      if (isBusy(refusalOf(error))) break
    }
  }
  const refusal = refusalOf(failure)
  throw new RefreshFailedError(`no metadata of the issuer: ${messageOf(failure)}`, {
    cause: failure,
    refusal,
    spent: false,
  })
}

const refusalOf = (error: unknown): Response | undefined => (Object(error) as RefreshFailedError).refusal
const isBusy = ({ status }: { readonly status?: number } = {}): boolean => status === 429 || (status ?? 0) >= 500

function readMetadata(metadata: Json, issuer: string): Endpoints {
  const { issuer: said, token_endpoint, revocation_endpoint, userinfo_endpoint } = metadata
  // RFC 8414 §3.3: else anybody could have the tokens of this server sent to endpoints of their own.
  if (said !== issuer)
    throw unusable(`the metadata are those of ${JSON.stringify(said)?.slice(0, 200)}, not of the issuer "${issuer}"`)
  if (!isSafeUrl(token_endpoint)) throw unusable('the metadata have no token_endpoint with https')
  return { token: token_endpoint, revocation: safe(revocation_endpoint), userinfo: safe(userinfo_endpoint) }
}

const safe = (url: unknown): string | undefined => (isSafeUrl(url) ? url : undefined)

const unusable = (message: string): RefreshFailedError => new RefreshFailedError(message, { spent: false })
