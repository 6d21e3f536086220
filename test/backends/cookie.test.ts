// The cookie backend: what pages and servers do that the sample server does not.

import { createSession, InvalidOptionError, RefreshFailedError, type SessionOptions } from 'resesh'
import { cookie, type CookieOptions } from 'resesh/backends/cookie'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { evenChance, setup, thrownBy, url } from '../support/session.ts'

const PAGE = 'https://app.example.test'
const ann = { user: { id: 'ann' } }
const no = () => new Response(null, { status: 401 })
const json = (body: unknown, status = 200) => Response.json(body, { status })

interface Call {
  readonly route: string
  readonly init: RequestInit | undefined
  readonly headers: Headers
}

/** A page of PAGE, in front of routes that answer from a list: the last answer again and again. */
const page = (
  routes: Record<string, (() => Response)[]>,
  options: Partial<CookieOptions> = {},
  more: Partial<SessionOptions> = {},
) => {
  const calls: Call[] = []
  const errors: unknown[] = []
  const fetch = async (input: unknown, init?: RequestInit) => {
    const route = new URL(input instanceof Request ? input.url : String(input), PAGE).href.replace(PAGE, '')
    calls.push({ route, init, headers: new Headers(init?.headers) })
    const answers = routes[route] ?? [() => new Response('served')]
    return (answers.length > 1 ? answers.shift()! : answers[0]!)()
  }
  const session = createSession({
    backend: cookie({ sessionUrl: '/me', ...options }),
    ...more,
    platform: {
      fetch,
      location: { origin: PAGE, href: `${PAGE}/` } as Location,
      Math: evenChance,
      ...more.platform,
    },
  })
  session.on('error', ({ error }) => errors.push(error))
  onTestFinished(session.dispose)
  const to = (route: string) => calls.filter((each) => each.route === route).length
  return { session, calls, errors, to }
}

const signedIn = async (...args: Parameters<typeof page>) => {
  const all = page(...args)
  expect((await all.session.ready()).status).toBe('authenticated')
  return all
}

const dead = () => new Response(null, { status: 401 })
const served = () => new Response('served')

test('a cookie that is not encoded is copied as it is', async () => {
  const backend = cookie({ sessionUrl: url('/session'), csrf: { cookie: 'csrf', header: 'x-csrf' } })
  const document = { cookie: 'csrf=100%; csrf2=a', baseURI: url('/') } as Document
  const sent: (string | null)[] = []
  const fetch = async (_input: unknown, init?: RequestInit) => {
    sent.push(new Headers(init?.headers).get('x-csrf'))
    return new Response('served')
  }
  const { session } = await setup({ backend, initial: {}, platform: { document, fetch } })
  await session.fetch(url('/api'))
  expect(sent).toEqual(['100%'])
})

describe('a refusal of the refresh counts once the session route says no as well', () => {
  test('another subdomain has replaced the cookie meanwhile: the session goes on', async () => {
    const { session, to } = await signedIn(
      { '/me': [() => json(ann)], '/refresh': [no], '/api': [dead, served] },
      { refreshUrl: '/refresh' },
    )
    expect((await session.fetch('/api')).status).toBe(200)
    expect([session.current.status, to('/refresh'), to('/me')]).toEqual(['authenticated', 1, 2])
  })

  test('both say no: over, after one look', async () => {
    const { session, to } = await signedIn(
      { '/me': [() => json(ann), no], '/refresh': [no], '/api': [dead] },
      { refreshUrl: '/refresh' },
    )
    expect((await session.fetch('/api')).status).toBe(401)
    expect(session.current).toMatchObject({ status: 'unauthenticated', reason: 'expired' })
    expect([to('/refresh'), to('/me')]).toEqual([1, 2])
  })

  test('the look can’t be made: the session is kept', async () => {
    const { session } = await signedIn(
      { '/me': [() => json(ann), () => json({}, 503)], '/refresh': [no] },
      { refreshUrl: '/refresh' },
    )
    expect(await thrownBy(session.refresh())).toBeInstanceOf(RefreshFailedError)
    expect(session.current.status).toBe('authenticated')
  })

  test('where a refresh is a look, it is made twice', async () => {
    const { session, to } = await signedIn({ '/me': [() => json(ann), no, () => json(ann)], '/api': [dead, served] })
    expect((await session.fetch('/api')).status).toBe(200)
    expect([session.current.status, to('/me')]).toEqual(['authenticated', 3])
  })

  test('a reload that finds nobody looks again', async () => {
    const { session } = await signedIn(
      {
        '/me': [() => json(ann), no, () => json({ user: { id: 'ann', name: 'Anna' } })],
        '/refresh': [() => json({ expiresIn: 9 })],
      },
      { refreshUrl: '/refresh' },
    )
    expect((await session.reload()).user).toEqual({ id: 'ann', name: 'Anna' })
  })

  test('at the start: once where nobody was known, twice where somebody was', async () => {
    const stranger = page({ '/me': [no] })
    expect((await stranger.session.ready()).status).toBe('unauthenticated')
    expect(stranger.to('/me')).toBe(1)
    const { backend } = { backend: cookie({ sessionUrl: '/me' }) }
    const answers = [no(), json(ann)]
    const io = { fetch: async () => answers.shift()!, cookie: () => null } as never
    expect(await backend.restore!(io, { user: { id: 'ann' } })).toEqual(ann)
  })
})

describe('who gets the cookie', () => {
  const api = 'https://api.example.test'
  const cdn = 'https://cdn.example.org'
  const origins = [PAGE, api, cdn]
  const token = { ...ann, accessToken: 'token' }
  const credentialsTo = async (
    target: string,
    options: Partial<CookieOptions>,
    answer: unknown,
    init?: RequestInit,
  ) => {
    const { session, calls } = await signedIn(
      { '/me': [() => json(answer)], [`${api}/me`]: [() => json(answer)] },
      options,
      { origins },
    )
    await session.fetch(target, init)
    return calls.at(-1)!.init?.credentials
  }

  test.each<[what: string, target: string, options: Partial<CookieOptions>, answer: unknown, expected: unknown]>([
    // A download that is redirected to storage with `*` must not fail: fetch sends cookies to the page's own origin anyway.
    ['the page’s own origin, by itself', '/api', {}, ann, undefined],
    ['the page’s own origin, spelled out', `${PAGE}/api`, {}, ann, undefined],
    ['an API on another subdomain', `${api}/x`, {}, ann, 'include'],
    ['an API that takes the token in place of the cookie', `${api}/x`, {}, token, undefined],
    ['an API where a token is still to come', `${api}/x`, { needsToken: true }, token, undefined],
    ['the origin of the endpoints, beside a token', `${api}/x`, { sessionUrl: `${api}/me` }, token, 'include'],
    ['a listed origin, beside a token', `${api}/x`, { credentials: [api] }, token, 'include'],
    ['an origin that the list leaves out', `${cdn}/x`, { credentials: [api] }, ann, undefined],
    ['none, by an empty list', `${api}/x`, { credentials: [] }, ann, undefined],
    ['what a function says', `${cdn}/private`, { credentials: (at) => at.includes('/private') }, token, 'include'],
    ['what a function leaves out', `${cdn}/public`, { credentials: (at) => at.includes('/private') }, ann, undefined],
  ])('%s', async (_what, target, options, answer, expected) => {
    expect(await credentialsTo(target, options, answer)).toBe(expected)
  })

  test.each(['omit', 'same-origin', 'include'] as const)('a caller’s own `%s` stands', async (credentials) => {
    expect(await credentialsTo(`${api}/x`, {}, ann, { credentials })).toBe(credentials)
    expect(await credentialsTo(`${api}/x`, {}, token, { credentials })).toBe(credentials)
  })

  test('a listed origin is one of the session’s, too', async () => {
    const { session, calls } = await signedIn(
      { '/me': [() => json(ann)] },
      { credentials: [api], headers: { 'x-bff': '1' } },
    )
    await session.fetch(`${api}/x`)
    expect(calls.at(-1)!.headers.get('x-bff')).toBe('1')
    await session.fetch(`${cdn}/x`)
    expect(calls.at(-1)!.headers.get('x-bff')).toBeNull()
  })

  test('what is no origin is refused by name', () => {
    expect(() => cookie({ sessionUrl: '/me', credentials: [`${api}/v1`] })).toThrow('credentials must be origins')
  })
})

test('a mediated token is waited for: the first request of a page carries it', async () => {
  const answer = { ...ann, accessToken: 'token', expiresIn: 60 }
  const { session, calls } = page({ '/me': [() => json(answer)] }, { needsToken: true })
  await session.fetch('/api')
  expect(calls.map(({ route, headers }) => [route, headers.get('authorization')])).toEqual([
    ['/me', null],
    ['/api', 'Bearer token'],
  ])
})

test('without `needsToken` nothing is waited for', async () => {
  const { session, calls } = page({ '/me': [() => json(ann)] })
  await session.fetch('/api')
  expect(calls[0]!.route).toBe('/api')
})

describe('what the session route says', () => {
  test.each<[string, () => Response]>([
    ['401', no],
    ['null', () => json(null)],
    ['204', () => new Response(null, { status: 204 })],
    ['an empty 200', () => new Response('')],
    ['{ "user": null }', () => json({ user: null })],
    ['{ "authenticated": false }', () => json({ authenticated: false })],
  ])('%s: nobody', async (_said, answer) => {
    const { session, errors } = page({ '/me': [answer] })
    expect(await session.ready()).toMatchObject({ status: 'unauthenticated', user: null })
    expect(errors).toEqual([])
  })

  test.each<[string, () => Response, string]>([
    ['{}', () => json({}), 'it has nothing'],
    ['other names', () => json({ profile: 1, ok: true }), 'it has profile, ok'],
    ['a list', () => json([{ type: 'sub', value: 'ann' }]), 'it is a list of 1'],
    ['403', () => json({}, 403), 'answered 403: does it want a header'],
    ['404', () => json({}, 404), 'answered 404: there is no such route'],
    ['405', () => json({}, 405), 'answered 405: there is no such route for that method'],
    ['500', () => json({}, 500), 'answered 500'],
    [
      'the HTML of a page',
      () => new Response('<p>', { headers: { 'content-type': 'text/html' } }),
      'not with a JSON object (text/html)',
    ],
  ])('%s: unknown, with a message that names the route', async (_said, answer, part) => {
    const { session, errors } = page({ '/me': [answer] })
    await vi.waitFor(() => expect(errors.length).toBeGreaterThan(0))
    expect(errors[0]).toBeInstanceOf(RefreshFailedError)
    expect((errors[0] as Error).message).toContain('GET /me: ')
    expect((errors[0] as Error).message).toContain(part)
    expect(session.current.status).toBe('loading')
  })

  test('an answer that can’t be read names the option, and no value', async () => {
    const { errors } = page({ '/me': [() => json({ secret: 'pssst' })] })
    await vi.waitFor(() => expect(errors.length).toBeGreaterThan(0))
    expect((errors[0] as Error).message).toContain('say with cookie({ read })')
    expect((errors[0] as Error).message).not.toContain('pssst')
  })

  test('`read` may take a list of claims, as Duende’s BFF sends them', async () => {
    const claims = [
      { type: 'sub', value: 'ann' },
      { type: 'name', value: 'Ann' },
      { type: 'bff:logout_url', value: '/bff/logout?sid=1' },
    ]
    const { session } = page(
      { '/bff/user': [() => json(claims)] },
      {
        sessionUrl: '/bff/user',
        headers: { 'x-csrf': '1' },
        read: (list: typeof claims) => ({ user: Object.fromEntries(list.map(({ type, value }) => [type, value])) }),
      },
    )
    expect((await session.ready()).user).toEqual({ sub: 'ann', name: 'Ann', 'bff:logout_url': '/bff/logout?sid=1' })
  })

  test('`read` may say that an empty object is nobody', async () => {
    const { session } = page({ '/me': [() => json({})] }, { read: ({ id }) => (id ? { user: { id } } : null) })
    expect((await session.ready()).status).toBe('unauthenticated')
  })
})

describe('what the refresh route says', () => {
  test.each<[string, () => Response]>([
    ['nothing', () => new Response(null, { status: 204 })],
    ['{ "ok": true }', () => json({ ok: true })],
  ])('%s: the session route is asked', async (_said, answer) => {
    const { session } = await signedIn(
      { '/me': [() => json(ann), () => json({ user: { id: 'ann', name: 'Anna' } })], '/refresh': [answer] },
      { refreshUrl: '/refresh' },
    )
    expect((await session.refresh()).user).toEqual({ id: 'ann', name: 'Anna' })
  })

  test('only a token: the user stays', async () => {
    const { session } = await signedIn(
      {
        '/me': [() => json({ ...ann, accessToken: 'a' })],
        '/refresh': [() => json({ accessToken: 'b', expiresIn: 60 })],
      },
      { refreshUrl: '/refresh' },
    )
    expect(await session.refresh()).toMatchObject({ status: 'authenticated', user: ann.user })
    expect(await session.getToken()).toBe('b')
  })

  test('what is asked beyond a refresh goes into its body', async () => {
    const { session, calls } = await signedIn(
      { '/me': [() => json(ann)], '/refresh': [() => json({ ...ann, organizationId: 'acme' })] },
      { refreshUrl: '/refresh', refreshBody: { organizationId: (tenant) => ({ tenant }) } },
    )
    expect(await session.refresh({ organizationId: 'acme' })).toMatchObject({ organizationId: 'acme' })
    const { init, headers } = calls.at(-1)!
    expect([init?.body, headers.get('content-type')]).toEqual(['{"tenant":"acme"}', 'application/json'])
    await session.refresh()
    expect(calls.at(-1)!.init?.body).toBeUndefined()
    expect(await thrownBy(session.refresh({ data: { role: 'x' } }))).toBeInstanceOf(InvalidOptionError)
  })

  test('a switch that is refused, though the session goes on, is an error', async () => {
    const { session } = await signedIn(
      { '/me': [() => json(ann)], '/refresh': [no] },
      { refreshUrl: '/refresh', refreshBody: { data: (data) => data } },
    )
    const error = await thrownBy(session.refresh({ data: { role: 'x' } }))
    expect(String(error)).toContain('nothing was switched or updated')
    expect(session.current.status).toBe('authenticated')
  })

  test('input for a refresh needs a refresh', () => {
    expect(() => cookie({ sessionUrl: '/me', refreshBody: { data: (data) => data } })).toThrow(InvalidOptionError)
  })
})

test('a header that the caller has set is left alone', async () => {
  const { session, calls } = await signedIn({ '/me': [() => json(ann)] }, { headers: { accept: 'application/json' } })
  await session.fetch('/report', { headers: { accept: 'text/csv' } })
  await session.fetch('/api')
  expect(calls.slice(-2).map(({ headers }) => headers.get('accept'))).toEqual(['text/csv', 'application/json'])
})
