// The software of an authorization server, oidc-provider: a public client of one page, refresh tokens that are good once and no
// grace, and two resources with tokens of their own. Beside it the API that takes its tokens.

import { createPrivateKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { errors, Provider } from 'oidc-provider'
import type { Json } from 'resesh'
import { Users } from '../../../servers/sample/profile.ts'
import { RESOURCES } from './authorize.ts'

interface Entry {
  model: string
  id: string
  payload: { accountId?: string; grantId?: string; uid?: string; consumed?: number; aud?: string }
}

/** Where it keeps what it knows: in one list, for a test to look into. */
class Store {
  entries: Entry[] = []

  constructor(readonly punishes: boolean) {}

  readonly adapter = (model: string): object => {
    const is = (id: string) => (entry: Entry) => entry.model === model && entry.id === id
    const find = async (id: string) => this.entries.find(is(id))?.payload
    return {
      find,
      findByUid: async (uid: string) =>
        this.entries.find((entry) => entry.model === model && entry.payload.uid === uid)?.payload,
      upsert: async (id: string, payload: Entry['payload']) => {
        this.drop(is(id))
        this.entries.push({ model, id, payload })
      },
      consume: async (id: string) => Object.assign((await find(id))!, { consumed: Math.floor(Date.now() / 1000) }),
      destroy: async (id: string) => this.drop(is(id)),
      revokeByGrantId: async (grantId: string) =>
        this.punishes && this.drop(({ payload }) => payload.grantId === grantId),
    }
  }

  drop(which: (entry: Entry) => boolean): void {
    this.entries = this.entries.filter((entry) => !which(entry))
  }
}

export interface Oidc {
  readonly listen: RequestListener
  readonly users: Users
  readonly controls: {
    /** Nobody has signed in yet. */
    reset(): void
    edit(user: string, changes: Json): void
    /** No access token that is out is accepted any more. */
    expire(): void
    revoke(user: string): void
    /** How many sessions can still be renewed. */
    living(): number
    /** How many refresh tokens came a second time. */
    thefts(): number
    /** What `/api/vault` asks for has been done. */
    meet(): void
    /** Whether the next logins are denied by their user. */
    deny(isDenied: boolean): void
    /** How many browsers are signed in here. */
    browsers(): number
  }
}

export interface OidcOptions {
  redirectUris: string[]
  /** Where a browser may be sent after a logout. */
  postLogoutUris?: string[]
  /** Of a second client, which is a server. */
  secret?: string
  punishes?: boolean
}

// By way of text: Node 20 may stand still for good where it exports a key as JWK that it has just made.
const signingKey = (): object => {
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  return createPrivateKey(privateKey).export({ format: 'jwk' })
}

const send = (response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void =>
  void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))

export function createOidc(
  issuer: string,
  { redirectUris, postLogoutUris = [], secret, punishes = true }: OidcOptions,
): Oidc {
  const users = new Users()
  const store = new Store(punishes)
  /** How users have authenticated, where they were asked for something. */
  const acrs = new Map<string, string>()
  let [thefts, isMet, isDenied] = [0, false, false]
  const flow = {
    redirect_uris: redirectUris,
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
  }
  const provider = new Provider(issuer, {
    adapter: store.adapter,
    clients: [
      {
        client_id: 'spa',
        token_endpoint_auth_method: 'none',
        post_logout_redirect_uris: postLogoutUris,
        ...flow,
      },
      ...(secret ? [{ client_id: 'bff', client_secret: secret, ...flow }] : []),
    ],
    acrValues: ['phr'],
    clientBasedCORS: () => true,
    clockTolerance: 0,
    cookies: { keys: [randomBytes(16).toString('hex')] },
    jwks: { keys: [signingKey()] },
    scopes: ['openid', 'offline_access', 'profile', 'api'],
    claims: { openid: ['sub'], profile: ['name', 'role'] },
    findAccount: (_: unknown, accountId: string) => ({
      accountId,
      claims: () => ({ sub: accountId, ...users.get(accountId) }),
    }),
    revokeGrantPolicy: () => punishes,
    features: {
      devInteractions: { enabled: false },
      revocation: { enabled: true, allowedPolicy: () => true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource(context: { body: string }, form: string) {
          context.body = `${form}<button form="op.logoutForm" name="logout" value="yes">Sign out</button>`
        },
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => undefined,
        useGrantedResource: () => false,
        getResourceServerInfo(_: unknown, resource: string) {
          if (!RESOURCES.includes(resource)) throw new errors.InvalidTarget()
          return { scope: 'api', audience: resource, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } } }
        },
      },
    },
    interactions: { url: () => '/interaction' },
    ttl: { AccessToken: 60, RefreshToken: 3_600, IdToken: 3_600, Grant: 3_600, Session: 3_600, Interaction: 600 },
  })
  provider.on('grant.error', (_, { error_detail }) => {
    if (error_detail === 'refresh token already used') thefts++
  })
  const answer = provider.callback()
  const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`))

  /** Whoever `login_hint` names is signed in, and allows everything. */
  async function interact(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { prompt, params, session } = await provider.interactionDetails(request, response)
    if (isDenied)
      return provider.interactionFinished(request, response, { error: 'access_denied', error_description: 'no' })
    if (prompt.name === 'login') {
      const accountId = params['login_hint'] ?? session?.accountId
      const acr = params['acr_values']
      if (accountId && acr) acrs.set(accountId, acr)
      return provider.interactionFinished(request, response, { login: { accountId, ...(acr && { acr }) } })
    }
    const grant = new provider.Grant({ accountId: session!.accountId, clientId: params['client_id']! })
    grant.addOIDCScope(params['scope']!)
    for (const resource of RESOURCES) grant.addResourceScope(resource, 'api')
    return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } })
  }

  async function api({ method, url = '', headers }: IncomingMessage, response: ServerResponse): Promise<void> {
    const say = (status: number, body: unknown, challenge = ''): void =>
      send(response, status, body, {
        'access-control-allow-origin': '*',
        'access-control-allow-headers': 'authorization',
        'access-control-expose-headers': 'www-authenticate',
        ...(challenge && { 'www-authenticate': challenge }),
      })
    if (method === 'OPTIONS') return say(200, null)
    const token = /^Bearer (.+)/.exec(headers.authorization ?? '')?.[1]
    if (!token) return say(401, { error: 'no token' }, 'Bearer')
    const [, nth] = /^\/api\/resources\/(\d)/.exec(url) ?? []
    const known = nth
      ? await jwtVerify(token, keys, { issuer, audience: RESOURCES[+nth]! }).catch(() => null)
      : await provider.AccessToken.find(token)
    if (!known) return say(401, { error: 'invalid_token' }, 'Bearer error="invalid_token"')
    if ('payload' in known) return say(200, known.payload)
    if (url === '/api/vault' && !isMet)
      return say(401, {}, 'Bearer error="insufficient_user_authentication", max_age="60"')
    if (url === '/api/safe' && acrs.get(known.accountId) !== 'phr')
      return say(401, {}, 'Bearer error="insufficient_user_authentication", acr_values="phr", max_age="0"')
    return say(200, users.get(known.accountId))
  }
  return {
    users,
    listen(request, response) {
      const { pathname } = new URL(request.url!, issuer)
      if (pathname === '/interaction') void interact(request, response)
      else if (pathname.startsWith('/api/')) void api(request, response)
      else answer(request, response)
    },
    controls: {
      reset() {
        store.drop(() => true)
        users.clear()
        thefts = 0
        isMet = isDenied = false
        acrs.clear()
      },
      edit: (user, changes) => void users.edit(user, changes),
      expire: () => store.drop(({ model }) => model === 'AccessToken'),
      revoke: (user) => store.drop(({ payload }) => payload.accountId === user),
      living: () => store.entries.filter(({ model, payload }) => model === 'RefreshToken' && !payload.consumed).length,
      thefts: () => thefts,
      meet: () => void (isMet = true),
      deny: (next) => void (isDenied = next),
      browsers: () => store.entries.filter(({ model, payload }) => model === 'Session' && payload.accountId).length,
    },
  }
}
