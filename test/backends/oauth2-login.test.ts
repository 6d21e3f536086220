// The login by redirect, as far as it needs no browser: what the page is sent to, which answers count, and what is left behind.

import { createSession, InvalidOptionError, type Json, LoginError } from 'resesh'
import { oauth2 } from 'resesh/backends/oauth2'
import { createLogin, type CreateLoginOptions } from 'resesh/oauth2/login'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { jwt, thrownBy } from '../support/session.ts'

const ISSUER = 'https://id.example.test'
const APP = 'https://app.example.test'
const server = { issuer: ISSUER, clientId: 'spa' }
const OIDC = `${ISSUER}/.well-known/openid-configuration`
const metadata: Json = {
  issuer: ISSUER,
  authorization_endpoint: `${ISSUER}/authorize?tenant=one`,
  token_endpoint: `${ISSUER}/token`,
  end_session_endpoint: `${ISSUER}/logout`,
  authorization_response_iss_parameter_supported: true,
}

/** What a login touches of a page. It is never really left. */
function openPage(href = `${APP}/start?a=1#part`) {
  const items = new Map<string, string>()
  const left: URL[] = []
  let url = new URL(href)
  const events: Record<string, (event: object) => void> = {}
  const platform = {
    location: {
      get href() {
        return url.href
      },
      get origin() {
        return url.origin
      },
      assign: (to: string) => void left.push(new URL(to)),
    } as Location,
    history: {
      state: { kept: 1 },
      replaceState: (_: unknown, __: string, to: string) => (url = new URL(to, url)),
    } as unknown as History,
    sessionStorage: {
      get length() {
        return items.size
      },
      key: (index: number) => [...items.keys()][index] ?? null,
      getItem: (key: string) => items.get(key) ?? null,
      setItem: (key: string, value: string) => void items.set(key, value),
      removeItem: (key: string) => void items.delete(key),
    } as unknown as Storage,
    addEventListener: ((name: string, run: (event: object) => void) => (events[name] = run)) as never,
  }
  return {
    platform,
    items,
    left,
    get href() {
      return url.href
    },
    /** The server sends the user to this URL. */
    arrive: (to: string | URL) => (url = new URL(to, APP)),
    showAgain: () => events['pageshow']?.({ persisted: true }),
  }
}

interface World {
  documents?: Record<string, () => Response | Promise<Response>>
  options?: Partial<CreateLoginOptions>
  page?: ReturnType<typeof openPage>
}

function open({ documents = {}, options = {}, page = openPage() }: World = {}) {
  const asked: Request[] = []
  /** What the ID token says beyond what it has to. */
  const claims: Json = {}
  const answers: Record<string, () => Response | Promise<Response>> = {
    [OIDC]: () => Response.json(metadata),
    [`${ISSUER}/token`]: () => {
      const nonce = page.left.at(-1)?.searchParams.get('nonce')
      const now = Math.floor(Date.now() / 1000)
      const payload = { iss: ISSUER, aud: 'spa', sub: 'ann', iat: now, exp: now + 600, nonce, ...claims }
      const idToken = jwt(payload).replace(/^[^.]+/, Buffer.from('{"alg":"RS256"}').toString('base64url'))
      return Response.json({
        access_token: 'secret-access',
        refresh_token: 'secret-refresh',
        id_token: idToken.replace(/x$/, 'c2ln'),
        expires_in: 60,
        token_type: 'Bearer',
      })
    },
    ...documents,
  }
  const fetch = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init)
    asked.push(request)
    return (await answers[request.url]?.()) ?? new Response('no', { status: 404 })
  }
  const session = createSession({ backend: oauth2(server), initial: null, platform: { fetch } })
  onTestFinished(session.dispose)
  const create = (more: Partial<CreateLoginOptions> = {}) =>
    createLogin(session, {
      ...server,
      redirectUri: '/callback',
      platform: { ...page.platform, fetch },
      ...options,
      ...more,
    })
  const login = create()
  /** Begins a login and waits until the page is left. */
  async function depart(...args: Parameters<typeof login.login>): Promise<URLSearchParams> {
    const before = page.left.length
    void login.login(...args)
    await vi.waitFor(() => expect(page.left.length).toBe(before + 1))
    return page.left.at(-1)!.searchParams
  }
  /** The server's answer to the login that was begun last. */
  function answer(more: Record<string, string> = {}): string {
    const state = page.left.at(-1)!.searchParams.get('state')!
    const url = new URL('/callback', APP)
    url.search = new URLSearchParams({ code: 'secret-code', state, iss: ISSUER, ...more }).toString()
    return url.href
  }
  return { session, page, asked, claims, create, depart, answer, ...login }
}

const isTidy = (page: ReturnType<typeof openPage>) => {
  expect(page.href).not.toMatch(/code|state|iss=|error/)
  expect([...page.items]).toEqual([])
}

describe('login', () => {
  test('asks for a code with PKCE, state and nonce, and keeps the secrets here', async () => {
    const { depart, page, asked } = open()
    const sent = Object.fromEntries(await depart())
    expect(sent).toEqual({
      tenant: 'one',
      response_type: 'code',
      client_id: 'spa',
      redirect_uri: `${APP}/callback`,
      scope: 'openid offline_access',
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
    })
    expect(asked.map(({ url, credentials }) => [url, credentials])).toEqual([[OIDC, 'omit']])
    const [[key, stored]] = [...page.items] as [[string, string]]
    expect(key).toContain(sent['state'])
    const { verifier, returnTo } = JSON.parse(stored)
    const digest = Buffer.from(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier)))
    expect([digest.toString('base64url'), returnTo]).toEqual([sent['code_challenge'], `${APP}/start?a=1#part`])
    expect(page.left[0]!.href).not.toContain(verifier)
  })

  test('says what the app asks for, and the call before the options', async () => {
    const { depart } = open({
      options: {
        scope: 'api',
        resource: ['https://one.example.test', 'https://two.example.test'],
        parameters: { audience: 'a', organization: 'acme' },
      },
    })
    const sent = await depart({
      maxAgeSeconds: 0,
      acrValues: 'phr phrh',
      prompt: 'login',
      loginHint: 'ann',
      parameters: { organization: 'globex', state: 'forged', redirect_uri: 'https://evil.example.test' },
    })
    expect(sent.getAll('resource')).toEqual(['https://one.example.test', 'https://two.example.test'])
    expect(Object.fromEntries(sent)).toMatchObject({
      audience: 'a',
      organization: 'globex',
      max_age: '0',
      acr_values: 'phr phrh',
      prompt: 'login',
      login_hint: 'ann',
      redirect_uri: `${APP}/callback`,
    })
    expect([sent.get('state'), sent.has('nonce')]).toEqual([expect.stringMatching(/^[\w-]{43}$/), false])
  })

  test('leaves the options as they are where the call says nothing', async () => {
    const parameters = {
      prompt: 'consent',
      max_age: '9',
      acr_values: 'phr',
      login_hint: 'bob',
      resource: 'https://a.example.test',
    }
    const { depart } = open({ options: { parameters } })
    expect(Object.fromEntries(await depart())).toMatchObject(parameters)
    const { depart: again } = open({ options: { parameters } })
    expect(Object.fromEntries(await again({ prompt: 'login', parameters: { login_hint: undefined } }))).toMatchObject({
      ...parameters,
      prompt: 'login',
    })
  })

  test('a second call joins the first; after a while it begins anew, since the page was not left', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    onTestFinished(() => void vi.useRealTimers())
    const { login, page } = open()
    void login()
    void login()
    await vi.waitFor(() => expect(page.left).toHaveLength(1))
    void login()
    await Promise.resolve()
    vi.setSystemTime(Date.now() + 5_000)
    void login()
    await vi.waitFor(() => expect(page.left).toHaveLength(2))
    expect(page.items.size).toBe(2)
  })

  test('resolves where the user comes back to the page as it was', async () => {
    const { login, page } = open()
    const back = login()
    await vi.waitFor(() => expect(page.left).toHaveLength(1))
    page.showAgain()
    await back
  })

  test.each(['https://evil.example.test/', '//evil.example.test', 'javascript:alert(1)'])(
    'a return to %s is refused',
    async (returnTo) => {
      const { login, page } = open()
      expect(await thrownBy(login({ returnTo }))).toBeInstanceOf(InvalidOptionError)
      expect([page.left, page.items.size]).toEqual([[], 0])
    },
  )

  test.each<[string, LoginError['reason'], () => Response]>([
    ['503', 'unavailable', () => new Response(null, { status: 503 })],
    ['a page', 'unavailable', () => new Response('<h1>Wi-Fi</h1>')],
    [
      'nothing',
      'unavailable',
      () => {
        throw new TypeError('fetch failed')
      },
    ],
    ['another issuer', 'invalid', () => Response.json({ ...metadata, issuer: 'https://evil.example.test' })],
    ['a slash more', 'invalid', () => Response.json({ ...metadata, issuer: `${ISSUER}/` })],
    [
      'a script for an endpoint',
      'unavailable',
      () => Response.json({ ...metadata, authorization_endpoint: 'javascript:alert(1)' }),
    ],
  ])('metadata that say %s: the page stays', async (_, reason, answer) => {
    const { login, page } = open({ documents: { [OIDC]: answer } })
    const error = (await thrownBy(login())) as LoginError
    expect(error).toBeInstanceOf(LoginError)
    expect([error.reason, page.left, page.items.size]).toEqual([reason, [], 0])
  })

  test('metadata are also where RFC 8414 has them', async () => {
    const other = `${ISSUER}/.well-known/oauth-authorization-server`
    const gone = () => new Response(null, { status: 404 })
    const { depart, asked } = open({ documents: { [OIDC]: gone, [other]: () => Response.json(metadata) } })
    await depart()
    expect(asked.map(({ url }) => url)).toEqual([OIDC, other])
  })

  const full = {
    setItem() {
      throw new DOMException('full', 'QuotaExceededError')
    },
  }
  test.each([null, full as unknown as Storage])(
    'where nothing can be stored (%o) the page stays',
    async (sessionStorage) => {
      const { create, page } = open()
      const { login } = create({
        platform: { ...page.platform, sessionStorage },
        authorizationEndpoint: `${ISSUER}/a`,
        tokenEndpoint: `${ISSUER}/token`,
      })
      const error = (await thrownBy(login())) as LoginError
      expect([error.reason, error.message]).toEqual(['unavailable', expect.stringContaining('sessionStorage')])
      expect(page.left).toEqual([])
    },
  )
})

describe('handleRedirect', () => {
  test.each([
    '/',
    '/callback',
    '/callback?code=1',
    '/callback?error=1&code=2',
    '/elsewhere?code=1&state=2',
    '/callback#code=1&state=2',
  ])('at %s there is nothing to handle: no request, no change', async (url) => {
    const { handleRedirect, page, asked } = open()
    page.arrive(url)
    const { href } = page
    expect([await handleRedirect(), page.href, asked]).toEqual([null, href, []])
  })

  test('without a page there is nothing to handle either', async () => {
    const { create } = open()
    const absent = { location: null, history: null, sessionStorage: null }
    expect(await create({ platform: absent }).handleRedirect()).toBeNull()
  })

  test('signs in, and nothing is left of code and state from the first moment on', async () => {
    const { handleRedirect, session, depart, answer, page, asked } = open()
    await depart()
    const verifier = JSON.parse([...page.items.values()][0]!).verifier
    page.arrive(answer({ session_state: 'x' }))
    const handling = handleRedirect()
    expect(page.href).toBe(`${APP}/callback`)
    isTidy(page)
    expect(await handling).toEqual({ returnTo: `${APP}/start?a=1#part` })
    expect(page.href).toBe(`${APP}/start?a=1#part`)
    expect(session.current).toMatchObject({ status: 'authenticated', user: { sub: 'ann' } })
    expect(session.extras).toMatchObject({ idToken: expect.any(String) })
    const form = new URLSearchParams(await asked.at(-1)!.text())
    expect(Object.fromEntries(form)).toEqual({
      grant_type: 'authorization_code',
      client_id: 'spa',
      code: 'secret-code',
      code_verifier: verifier,
      redirect_uri: `${APP}/callback`,
    })
  })

  test('a second call shares the first, while it runs and after; not once the app has gone elsewhere', async () => {
    const { handleRedirect, depart, answer, page, asked } = open()
    await depart()
    page.arrive(answer())
    const [first, second] = await Promise.all([handleRedirect(), handleRedirect()])
    expect(second).toBe(first)
    expect(await handleRedirect()).toBe(first)
    expect(asked.filter(({ method }) => method === 'POST')).toHaveLength(1)
    page.arrive('/elsewhere')
    expect(await handleRedirect()).toBeNull()
  })

  test('an error is shared as well', async () => {
    const { handleRedirect, page } = open()
    page.arrive('/callback?code=secret-code&state=forged')
    const [first, second] = await Promise.all([thrownBy(handleRedirect()), thrownBy(handleRedirect())])
    expect(second).toBe(first)
  })

  test('logins of several servers and several at once find their own', async () => {
    const page = openPage()
    const one = open({ page })
    const first = new URL((await one.depart({ returnTo: '/first' })) && one.answer())
    const two = one.create({
      clientId: 'other',
      authorizationEndpoint: `${ISSUER}/other`,
      tokenEndpoint: `${ISSUER}/token`,
    })
    void two.login({ returnTo: '/other' })
    await vi.waitFor(() => expect(page.left).toHaveLength(2))
    const others = one.answer()
    page.arrive(others)
    expect(await one.handleRedirect()).toBeNull()
    expect(page.href).toBe(others)
    expect(page.items.size).toBe(2)
    page.left.pop()
    page.arrive(first)
    expect(await one.handleRedirect()).toEqual({ returnTo: `${APP}/first` })
    expect(page.items.size).toBe(1)
  })

  describe('refuses', () => {
    interface Refusal {
      answer?: Record<string, string>
      documents?: World['documents']
      claims?: Json
      login?: { maxAgeSeconds: number }
    }
    const past = { auth_time: 1 }
    const refused = (body: object, status = 400) => ({ [`${ISSUER}/token`]: () => Response.json(body, { status }) })

    test.each<[string, LoginError['reason'], string | undefined, Refusal]>([
      ['the denial of the user', 'denied', 'access_denied', { answer: { error: 'access_denied' } }],
      ['another error', 'refused', 'login_required', { answer: { error: 'login_required' } }],
      ['an error that is none', 'refused', undefined, { answer: { error: 'see https://evil.example.test secret-x' } }],
      ['a forged state', 'stale', undefined, { answer: { state: 'forged' } }],
      ['a wrong iss', 'invalid', undefined, { answer: { iss: 'https://evil.example.test' } }],
      [
        'a denial with a wrong iss',
        'invalid',
        undefined,
        { answer: { iss: 'https://evil.example.test', error: 'access_denied' } },
      ],
      ['a missing iss', 'invalid', undefined, { answer: { iss: '' } }],
      ['tokens in the URL', 'invalid', undefined, { answer: { id_token: 'secret-id' } }],
      ['a wrong nonce', 'invalid', undefined, { claims: { nonce: 'forged' } }],
      ['a wrong audience', 'invalid', undefined, { claims: { aud: 'other' } }],
      ['the ID token of another issuer', 'invalid', undefined, { claims: { iss: 'https://evil.example.test' } }],
      ['an authentication that is too old', 'invalid', undefined, { claims: past, login: { maxAgeSeconds: 60 } }],
      ['one of unknown age', 'invalid', undefined, { login: { maxAgeSeconds: 60 } }],
      ['a code that is used up', 'refused', 'invalid_grant', { documents: refused({ error: 'invalid_grant' }) }],
      [
        'no ID token',
        'invalid',
        undefined,
        { documents: refused({ access_token: 'secret-x', token_type: 'bearer' }, 200) },
      ],
      ['a server that is down', 'unavailable', undefined, { documents: refused({}, 503) }],
    ])(
      '%s: nobody is signed in, and all is tidy',
      async (_, reason, code, { answer: more, documents, claims, login }) => {
        const {
          handleRedirect,
          session,
          depart,
          answer,
          page,
          claims: said,
        } = open({ ...(documents && { documents }) })
        Object.assign(said, claims)
        await depart(login)
        page.arrive(answer(more))
        const error = (await thrownBy(handleRedirect())) as LoginError
        expect(error).toBeInstanceOf(LoginError)
        expect([error.reason, error.error, error.code]).toEqual([reason, code, 'ERR_LOGIN'])
        if (reason !== 'stale') expect(error.returnTo).toBe(`${APP}/start?a=1#part`)
        else page.items.clear() // the login that was begun is still to come
        isTidy(page)
        expect(session.current.status).toBe('unauthenticated')
        const told = [error.message, error.stack, JSON.stringify(error), String(Object(error.cause).stack)].join()
        expect(told).not.toMatch(/secret|evil.example.test\?/)
        for (const secret of page.left[0]!.searchParams.getAll('nonce')) expect(told).not.toContain(secret)
      },
    )

    test('an answer that was handled before', async () => {
      const { handleRedirect, session, depart, answer, page } = open()
      await depart()
      page.arrive(answer())
      await handleRedirect()
      page.arrive(answer())
      expect(((await thrownBy(handleRedirect())) as LoginError).reason).toBe('stale')
      expect([page.href, session.current.status]).toEqual([`${APP}/callback`, 'authenticated'])
    })

    test('an answer after more than a day, and its secrets are dropped at the next login', async () => {
      vi.useFakeTimers({ toFake: ['Date'] })
      onTestFinished(() => void vi.useRealTimers())
      const { handleRedirect, depart, answer, page } = open()
      await depart()
      const late = answer()
      vi.setSystemTime(Date.now() + 86_400_001)
      await depart()
      expect(page.items.size).toBe(1)
      page.arrive(late)
      expect(((await thrownBy(handleRedirect())) as LoginError).reason).toBe('stale')
    })
  })

  test('a login that takes long is no older for it', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    onTestFinished(() => void vi.useRealTimers())
    const { handleRedirect, depart, answer, page, claims } = open()
    await depart({ maxAgeSeconds: 0 })
    claims['auth_time'] = Math.floor(Date.now() / 1000) + 1
    vi.setSystemTime(Date.now() + 300_000)
    page.arrive(answer())
    expect(await handleRedirect()).not.toBeNull()
  })

  test.each(['RS256', 'ES256', 'EdDSA'])('without metadata an ID token may be signed with %s', async (alg) => {
    const { create, page, answer, session } = open({
      documents: {
        [`${ISSUER}/token`]: () => {
          const now = Math.floor(Date.now() / 1000)
          const nonce = page.left.at(-1)!.searchParams.get('nonce')
          const claims = { iss: ISSUER, aud: 'spa', sub: 'ann', iat: now, exp: now + 600, nonce }
          const parts = [{ alg }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
          return Response.json({ access_token: 'a', token_type: 'bearer', id_token: `${parts.join('.')}.c2ln` })
        },
      },
    })
    const { login, handleRedirect } = create({
      authorizationEndpoint: `${ISSUER}/authorize`,
      tokenEndpoint: `${ISSUER}/token`,
    })
    void login()
    await vi.waitFor(() => expect(page.left).toHaveLength(1))
    page.arrive(answer())
    await handleRedirect()
    expect(session.current.user).toMatchObject({ sub: 'ann' })
  })

  test('a server without OpenID Connect needs no issuer', async () => {
    const plain = () => Response.json({ access_token: 'a', token_type: 'bearer', refresh_token: 'r' })
    const { create, page, session, answer } = open({ documents: { 'https://else.example.test/token': plain } })
    const { login, handleRedirect } = createLoginWithout(create)
    void login()
    await vi.waitFor(() => expect(page.left).toHaveLength(1))
    const url = new URL(answer())
    url.searchParams.delete('iss')
    page.arrive(url)
    expect(await handleRedirect()).not.toBeNull()
    expect(await session.getToken()).toBe('a')
  })

  const createLoginWithout = (create: ReturnType<typeof open>['create']) =>
    create({
      issuer: undefined as never,
      scope: 'api',
      authorizationEndpoint: 'https://else.example.test/authorize',
      tokenEndpoint: 'https://else.example.test/token',
    })
})

describe('step-up', () => {
  const challenge = { type: 'insufficient_user_authentication', acr_values: 'phr', max_age: '300' }

  test('asks for what the server asked for, once for all requests that wait', async () => {
    const { stepUp, page } = open()
    void stepUp({ challenge })
    void stepUp({ challenge })
    await vi.waitFor(() => expect(page.left).toHaveLength(1))
    expect(Object.fromEntries(page.left[0]!.searchParams)).toMatchObject({ acr_values: 'phr', max_age: '300' })
  })

  test('does not send the user in circles, where the login did not help', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    onTestFinished(() => void vi.useRealTimers())
    const { stepUp, page, handleRedirect, answer } = open()
    void stepUp({ challenge })
    await vi.waitFor(() => expect(page.left).toHaveLength(1))
    page.arrive(answer({ error: 'access_denied' }))
    await thrownBy(handleRedirect())
    vi.setSystemTime(Date.now() + 10_000)
    expect(await stepUp({ challenge })).toBe(false)
    expect(page.left).toHaveLength(1)
    void stepUp({ challenge: { ...challenge, acr_values: 'phrh' } }) // something else
    await vi.waitFor(() => expect(page.left).toHaveLength(2))
    vi.setSystemTime(Date.now() + 60_001)
    void stepUp({ challenge }) // the user tries again
    await vi.waitFor(() => expect(page.left).toHaveLength(3))
  })
})

describe('logout', () => {
  const signedIn = async (world?: World) => {
    const opened = open(world)
    await opened.depart()
    opened.page.arrive(opened.answer())
    await opened.handleRedirect()
    return opened
  }

  test('signs out here first, then at the server, with the ID token', async () => {
    const { logout, session, page } = await signedIn({ options: { postLogoutRedirectUri: '/bye' } })
    const { idToken } = session.extras!
    void logout({ parameters: { ui_locales: 'de' } })
    await vi.waitFor(() => expect(page.left).toHaveLength(2))
    expect(session.current).toMatchObject({ status: 'unauthenticated', reason: 'signed-out' })
    expect(page.left[1]!.origin + page.left[1]!.pathname).toBe(`${ISSUER}/logout`)
    expect(Object.fromEntries(page.left[1]!.searchParams)).toEqual({
      id_token_hint: idToken,
      client_id: 'spa',
      post_logout_redirect_uri: `${APP}/bye`,
      ui_locales: 'de',
    })
  })

  test('a typo keeps nobody signed in', async () => {
    const { logout, session } = await signedIn()
    await expect(logout({ postLogoutRedirectURI: '/' } as never)).rejects.toThrow('postLogoutRedirectUri')
    expect(session.current.status).toBe('unauthenticated')
  })

  test('stays where the server has no logout', async () => {
    const { end_session_endpoint: _, ...rest } = metadata
    const { logout, session, page } = await signedIn({ documents: { [OIDC]: () => Response.json(rest) } })
    await logout()
    expect([session.current.status, page.left.length]).toEqual(['unauthenticated', 1])
  })

  test('says what is still true where the server is away', async () => {
    const { create, session, page } = await signedIn()
    const away = () => Promise.reject(new TypeError('fetch failed'))
    const error = (await thrownBy(create({ platform: { ...page.platform, fetch: away } }).logout())) as LoginError
    expect([error.reason, error.message]).toEqual(['unavailable', expect.stringContaining('signed out here')])
    expect(session.current.status).toBe('unauthenticated')
  })
})

test.each<[Json, string]>([
  [{ clientId: '' }, 'clientId is missing'],
  [{ redirectUri: '' }, 'redirectUri is missing'],
  [{ issuer: undefined }, 'issuer is missing'],
  [{ issuer: 'http://id.example.test' }, 'issuer must be an https URL'],
  [{ redirectURI: '/x' }, 'did you mean redirectUri?'],
  [{ clientSecret: 'x' }, "can't be kept secret in a page"],
])('options %o are refused by name', (options, message) => {
  const { session } = open()
  expect(() => createLogin(session, { ...server, redirectUri: '/callback', ...options })).toThrow(message)
})
