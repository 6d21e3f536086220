// OAuth 2: what is asked of a token endpoint, and where that is. How servers name an organization and an audience, parameters of
// the app's own, and endpoints that are found by the issuer.

import {
  createSession,
  InvalidOptionError,
  type Json,
  type Records,
  RefreshFailedError,
  type SessionOptions,
  type StoragePlace,
} from 'resesh'
import { fromTokenResponse, oauth2, type OAuth2Options } from 'resesh/backends/oauth2'
import { sideTokens } from 'resesh/side-tokens'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createClock, evenChance, jwt, settled, sharedStorage, thrownBy } from '../support/session.ts'

const ISSUER = 'https://id.example.test/realms/one'
const TOKEN = 'https://tokens.example.test/token'
const client = { clientId: 'spa' }
const OIDC = `${ISSUER}/.well-known/openid-configuration`
const RFC8414 = 'https://id.example.test/.well-known/oauth-authorization-server/realms/one'
const metadata = {
  issuer: ISSUER,
  token_endpoint: TOKEN,
  revocation_endpoint: 'https://tokens.example.test/revoke',
  userinfo_endpoint: 'https://tokens.example.test/userinfo',
}

interface Asked {
  url: string
  form: Record<string, string[]>
  request: Request
}

/** A token endpoint that takes whatever comes, and metadata where the test says. */
function serve(documents: Record<string, () => Response> = {}) {
  const asked: Asked[] = []
  let minted = 0
  const fetch = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init)
    const { url } = request
    const body = new URLSearchParams(request.method === 'POST' ? await request.clone().text() : '')
    const form = Object.fromEntries([...new Set(body.keys())].map((name) => [name, body.getAll(name)]))
    asked.push({ url, form, request })
    if (url in documents) return documents[url]!()
    if (url.endsWith('/revoke')) return new Response(null)
    if (url.endsWith('/userinfo')) return Response.json({ sub: 'ann', name: 'Ann' })
    if (url.endsWith('/token'))
      return Response.json({ access_token: `a${++minted}`, refresh_token: `r${minted}`, expires_in: 60 })
    return new Response('not found', { status: 404 })
  }
  return { asked, fetch, forms: () => asked.filter(({ url }) => url === TOKEN).map(({ form }) => form) }
}

function open(options: Partial<OAuth2Options>, server = serve(), more: Partial<SessionOptions> = {}) {
  const session = createSession({
    backend: oauth2({ ...client, ...(!options.issuer && { tokenEndpoint: TOKEN }), ...options }),
    initial: { accessToken: 'a', refreshToken: 'r', user: { sub: 'ann' }, expiresInSeconds: 600 },
    use: [sideTokens()],
    ...more,
    platform: { fetch: server.fetch, ...more.platform },
  })
  onTestFinished(session.dispose)
  return { session, ...server }
}

describe('an organization', () => {
  test('that the app has no name for is refused, and nothing is sent', async () => {
    const { session, asked } = open({})
    await session.ready()
    for (const call of [session.refresh({ organizationId: 'acme' }), session.getToken({ organizationId: 'acme' })]) {
      const error = (await thrownBy(call)) as InvalidOptionError
      expect(error).toBeInstanceOf(InvalidOptionError)
      expect(error.option).toBe('organizationId')
    }
    expect(asked).toEqual([])
  })

  test('is said by the name of the server, and at each refresh from then on', async () => {
    const { session, forms } = open({ names: { organizationId: 'organization_id' } })
    expect((await session.refresh({ organizationId: 'acme' })).organizationId).toBe('acme')
    await session.refresh()
    expect(forms().map((form) => form['organization_id'])).toEqual([['acme'], ['acme']])
    expect((await session.refresh({ organizationId: '' })).organizationId).toBeNull()
    await session.refresh()
    expect(forms().slice(2)).not.toContainEqual(expect.objectContaining({ organization_id: expect.anything() }))
  })

  test('can be a scope, which takes the place of the usual one', async () => {
    const names = { organizationId: (id: string) => ({ scope: `openid organization:${id}` }) }
    const { session, forms } = open({ scope: 'openid', names })
    await session.refresh()
    await session.refresh({ organizationId: 'acme' })
    expect(forms().map(({ scope }) => scope)).toEqual([['openid'], ['openid organization:acme']])
  })

  test('of a side token is not that of the session', async () => {
    const { session, forms } = open({ names: { organizationId: 'organization' } })
    expect(await session.getToken({ organizationId: 'acme' })).toBe('a1')
    expect(session.current.organizationId).toBeFalsy()
    await session.refresh()
    expect(forms().map((form) => form['organization'])).toEqual([['acme'], undefined])
  })
})

describe('a resource', () => {
  test('is called what the server calls it', async () => {
    const { session, forms } = open({ resource: 'https://api.example.test', names: { resource: 'audience' } })
    await session.refresh()
    await session.getToken({ resource: 'https://files.example.test' })
    expect(forms().map(({ audience, resource }) => [audience, resource])).toEqual([
      [['https://api.example.test'], undefined],
      [['https://files.example.test'], undefined],
    ])
  })
})

describe('parameters of the app', () => {
  test('are values, lists, and functions of what is wanted', async () => {
    const { session, forms } = open({
      parameters: {
        audience: 'api',
        resource: ['https://one.example.test', 'https://two.example.test'],
        why: ({ reason }) => reason,
        nothing: () => undefined,
      },
    })
    await session.refresh()
    expect(forms()).toEqual([
      {
        client_id: ['spa'],
        grant_type: ['refresh_token'],
        refresh_token: ['r'],
        audience: ['api'],
        resource: ['https://one.example.test', 'https://two.example.test'],
        why: ['forced'],
      },
    ])
  })

  test('that say nothing this time leave the rest as it is', async () => {
    const { session, forms } = open({
      scope: 'openid',
      resource: 'https://api.example.test',
      names: { organizationId: () => ({ scope: undefined }) },
      parameters: { scope: () => undefined, resource: undefined },
    })
    await session.refresh({ organizationId: 'acme' })
    expect(forms()).toMatchObject([{ scope: ['openid'], resource: ['https://api.example.test'] }])
  })

  test.each(['grant_type', 'refresh_token', 'client_id', 'client_secret', 'client_assertion'])(
    '%s is not theirs to set',
    async (name) => {
      for (const options of [{ parameters: { [name]: 'x' } }, { names: { organizationId: name } }])
        expect(() => oauth2({ ...client, tokenEndpoint: TOKEN, ...options })).toThrow(InvalidOptionError)
      const { session, asked } = open({ names: { organizationId: () => ({ [name]: 'x' }) } })
      expect(await thrownBy(session.refresh({ organizationId: 'acme' }))).toBeInstanceOf(InvalidOptionError)
      expect(asked).toEqual([])
      expect(session.current.status).toBe('authenticated')
    },
  )
})

describe('an option', () => {
  test.each([
    [{ clientID: 'spa' }, 'clientID is no option of oauth2: did you mean clientId?'],
    [{ clientSecret: 'x' }, "clientSecret can't be kept secret in a page: register a public client"],
    [{ client_secret: 'x' }, "client_secret can't be kept secret in a page: register a public client"],
  ])('%o is refused by name', (options, message) => {
    expect(() => oauth2({ ...client, tokenEndpoint: TOKEN, ...options })).toThrow(message)
  })

  test('is needed of issuer and tokenEndpoint', () => {
    expect(() => oauth2(client)).toThrow('tokenEndpoint is missing: this backend needs it, or an issuer')
  })

  test.each(['', 'id.example.test', 'http://id.example.test', 'https://id.example.test?x', 'javascript:alert(1)'])(
    'the issuer %o is refused',
    (issuer) => expect(() => oauth2({ ...client, issuer })).toThrow(InvalidOptionError),
  )

  test('http is for an issuer on this machine', () => {
    for (const issuer of ['http://localhost:8080', 'http://127.0.0.1:3000/a', 'http://[::1]:1'])
      expect(oauth2({ ...client, issuer }).origins).toEqual([new URL(issuer).origin])
  })
})

describe('found by the issuer', () => {
  const found = () => Response.json(metadata)

  test('the token endpoint is asked, the metadata once', async () => {
    const { session, asked } = open({ issuer: ISSUER }, serve({ [OIDC]: found }))
    await session.refresh()
    await session.refresh()
    expect(asked.map(({ url }) => url)).toEqual([OIDC, TOKEN, TOKEN])
    const [{ request }] = asked as [Asked]
    expect([request.credentials, [...request.headers]]).toEqual(['omit', []]) // no preflight
  })

  test('also where only RFC 8414 has them', async () => {
    const { session, asked } = open({ issuer: ISSUER }, serve({ [RFC8414]: found }))
    await session.refresh()
    expect(asked.map(({ url }) => url)).toEqual([OIDC, RFC8414, TOKEN])
  })

  test('nothing is fetched before it is needed, nor beside a tokenEndpoint', async () => {
    const { session, asked } = open({ issuer: ISSUER, tokenEndpoint: TOKEN })
    await session.ready()
    expect(asked).toEqual([])
    await session.refresh()
    expect(asked.map(({ url }) => url)).toEqual([TOKEN])
  })

  test('a sign-out is told, and reload asks userinfo', async () => {
    const { session, asked } = open({ issuer: ISSUER }, serve({ [OIDC]: found }))
    expect((await session.reload()).user).toEqual({ sub: 'ann', name: 'Ann' })
    await session.signOut()
    expect(asked.at(-1)).toMatchObject({ url: metadata.revocation_endpoint, form: { token: ['r1'] } })
  })

  test('what the app gives goes first, and an empty text is none', async () => {
    const options = { issuer: ISSUER, userinfoEndpoint: '', revocationEndpoint: 'https://else.example.test/revoke' }
    const { session, asked } = open(options, serve({ [OIDC]: found }))
    await session.reload()
    await session.signOut()
    expect(asked.map(({ url }) => url)).toEqual([OIDC, TOKEN, 'https://else.example.test/revoke'])
  })

  test.each<[string, Json]>([
    ['another issuer', { issuer: 'https://evil.example.test' }],
    ['one with a slash more', { issuer: `${ISSUER}/` }],
    ['no issuer', { issuer: undefined }],
    ['a token endpoint without https', { token_endpoint: 'http://id.example.test/token' }],
    ['a token endpoint that is no URL', { token_endpoint: '/token' }],
    ['none at all', { token_endpoint: undefined }],
  ])('metadata with %s are not used: the refresh token stays here, and the session is kept', async (_, change) => {
    const body = { ...metadata, ...change }
    const { session, asked } = open({ issuer: ISSUER }, serve({ [OIDC]: () => Response.json(body) }))
    const error = (await thrownBy(session.refresh())) as RefreshFailedError
    expect(error).toBeInstanceOf(RefreshFailedError)
    expect([error.spent, session.current.status]).toEqual([false, 'authenticated'])
    expect(asked.map(({ url }) => url)).toEqual([OIDC])
  })

  test.each<[string, () => Response]>([
    ['503', () => new Response(null, { status: 503 })],
    ['a page', () => new Response('<h1>Wi-Fi</h1>')],
    ['nothing', () => Response.error()],
  ])('metadata that answer %s are asked for again', async (_, broken) => {
    let isBroken = true
    const documents = Object.fromEntries([OIDC, RFC8414].map((url) => [url, () => (isBroken ? broken() : found())]))
    const { session, asked } = open({ issuer: ISSUER }, serve(documents))
    const error = (await thrownBy(session.refresh())) as RefreshFailedError
    expect(error).toBeInstanceOf(RefreshFailedError)
    expect(error.message).toMatch(/no metadata of the issuer.*The session is kept\.$/)
    expect([error.spent, session.current.status, await session.getToken()]).toEqual([false, 'authenticated', 'a'])
    isBroken = false
    await session.refresh()
    expect(asked.at(-1)!.url).toBe(TOKEN)
  })

  test('a page that slept while it asked for the metadata sends nothing before it has looked at the record again', async () => {
    const clock = createClock()
    const storage = sharedStorage()
    const shared = { storage, platform: { ...clock.platform, Math: evenChance } }
    let wake = () => {}
    const asleep = new Promise<void>((done) => (wake = done))
    const slow = serve({ [OIDC]: found })
    const sleepy = open(
      { issuer: ISSUER },
      {
        ...slow,
        async fetch(...args) {
          const response = await slow.fetch(...args)
          await asleep
          return response
        },
      },
      shared,
    )
    await settled()
    const refreshed = sleepy.session.refresh()
    await settled()
    expect(slow.asked.map(({ url }) => url)).toEqual([OIDC])
    clock.setWall(clock.now() + 4_000)
    wake()
    await settled()
    expect(slow.asked.map(({ url }) => url)).toEqual([OIDC])
    // Without Web Locks nobody knows that this attempt was never sent: its deadline has to pass.
    await clock.pass(10_000)
    await refreshed
    expect(slow.asked.map(({ url }) => url)).toEqual([OIDC, TOKEN])
  })
})

describe('before the metadata are known', () => {
  test('origins, identity and its own documents are', () => {
    const backend = oauth2({ ...client, issuer: ISSUER })
    expect(backend.origins).toEqual(['https://id.example.test'])
    expect(backend.identity).toMatchObject({ endpoint: ISSUER, clientId: 'spa' })
    expect([OIDC, RFC8414, `${ISSUER}/api`].map((url) => backend.owns!(url, 'POST'))).toEqual([true, true, false])
  })

  test('two issuers of one client have two sessions', async () => {
    const storage = sharedStorage()
    const keys: string[] = []
    const noting = {
      ...storage,
      async open<U>(place: StoragePlace): Promise<Records<U>> {
        keys.push(place.key)
        return storage.open(place)
      },
    }
    for (const issuer of [ISSUER, 'https://id.example.test/realms/two']) open({ issuer }, serve(), { storage: noting })
    expect(new Set(keys).size).toBe(2)
  })

  test('its endpoints are its own as soon as they are', async () => {
    const backend = oauth2({ ...client, issuer: ISSUER })
    const urls = [TOKEN, metadata.revocation_endpoint, metadata.userinfo_endpoint, OIDC]
    expect(urls.map((url) => backend.owns!(url, 'POST'))).toEqual([false, false, false, true])
    const { fetch } = serve({ [OIDC]: () => Response.json(metadata) })
    await backend.refresh({ refreshToken: 'r' }, { fetch } as never, { reason: 'forced' })
    expect(urls.map((url) => backend.owns!(url, 'POST'))).toEqual([true, true, false, true])
  })
})

describe('a token response', () => {
  const idToken = jwt({ sub: 'ann', nonce: 'n' })

  test('leaves the ID token and the granted scope to the app, and what a later one leaves out stays', async () => {
    let answer: Json = { access_token: 'a', refresh_token: 'r2', id_token: idToken, scope: 'openid api' }
    const { session } = open({}, { ...serve(), fetch: async () => Response.json(answer) })
    await session.refresh()
    expect(session.extras).toEqual({ idToken, scope: 'openid api' })
    answer = { access_token: 'b', scope: 'openid' }
    await session.refresh()
    expect(session.extras).toEqual({ idToken, scope: 'openid' })
    expect(JSON.stringify(session.current)).not.toContain(idToken)
  })

  test('of a login reads as one of a refresh', () => {
    const { readAnswer } = oauth2({ ...client, tokenEndpoint: TOKEN })
    const json = { access_token: 'a', refresh_token: 'r', expires_in: '60', id_token: idToken, token_type: 'bearer' }
    expect(readAnswer!(json)).toEqual({
      accessToken: 'a',
      refreshToken: 'r',
      expiresInSeconds: 60,
      user: { sub: 'ann' },
      extras: { idToken },
    })
  })

  test('may have a type of its own', () => {
    interface Answer {
      access_token: string
      expires_in: number
    }
    const answer: Answer = { access_token: 'a', expires_in: 60 }
    expect(fromTokenResponse(answer)).toMatchObject({ accessToken: 'a', expiresInSeconds: 60 })
    // @ts-expect-error the names are another server's
    expect(() => fromTokenResponse({ accessToken: 'a' })).toThrow(
      'no "access_token" (it has accessToken; is it "accessToken"?)',
    )
  })

  test.each<[string, unknown]>([
    ['the error invalid_grant', { error: 'invalid_grant', error_description: 'secret' }],
    ['no "access_token" (it has error)', { error: 'the token secret is bad' }],
    ['an empty "access_token", or one that is no text (it has access_token)', { access_token: { inner: 'secret' } }],
    ['no "access_token" (it has nothing)', null],
    ['a token of the type DPoP', { access_token: 'secret', token_type: 'DPoP' }],
    ['a token of the type object', { access_token: 'secret', token_type: {} }],
  ])('that has %s signs nobody in', (what, json) => {
    const { readAnswer } = oauth2({ ...client, tokenEndpoint: TOKEN })
    const read = () => readAnswer!(json as Json)
    expect(read).toThrow(RefreshFailedError)
    expect(read).toThrow(what)
    expect(read).not.toThrow(/secret/)
  })

  test('has tokens of another type where the app attaches such', () => {
    const { readAnswer } = oauth2({ ...client, tokenEndpoint: TOKEN, tokenType: 'DPoP' })
    expect(readAnswer!({ access_token: 'a', token_type: 'DPoP' })).toMatchObject({ accessToken: 'a' })
    expect(() => readAnswer!({ access_token: 'a', token_type: 'Bearer' })).toThrow('of the type Bearer')
  })
})
