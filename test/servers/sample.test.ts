// The sample server itself, over real node:http: what the other tests lean on.

import { createHash } from 'node:crypto'
import { jwtVerify } from 'jose'
import { setupServer } from 'msw/node'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { sampleHandler } from './sample/msw.ts'
import { listen, type Listening } from './sample/node.ts'
import { createSampleServer } from './sample/server.ts'

let time = 0
const server = createSampleServer({ now: () => Date.now() + time })
let site: Listening

beforeAll(async () => {
  site = await listen(server)
})
afterAll(() => site.close())
beforeEach(() => {
  time = 0
  server.reset()
})

interface Signed {
  accessToken: string
  refreshToken: string
  expiresIn?: number
  user: { name: string }
}

const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(site.origin + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
const form = (path: string, fields: Record<string, string>) =>
  fetch(site.origin + path, { method: 'POST', body: new URLSearchParams(fields) })
const get = (path: string, token?: string) =>
  fetch(site.origin + path, { headers: token ? { authorization: `Bearer ${token}` } : {} })
const signIn = async (username = 'ann'): Promise<Signed> =>
  (await post('/auth/login', { username, password: 'secret' })).json()
const refresh = (refreshToken: string) => post('/auth/refresh', { refreshToken })
const refreshed = async (refreshToken: string): Promise<Signed> => (await refresh(refreshToken)).json()
const cookieOf = (response: Response) => response.headers.getSetCookie()[0]!.split(';')[0]!
const preflightFrom = (origin: string) =>
  fetch(`${site.origin}/api/me`, {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'PATCH', 'access-control-request-headers': 'x-bff' },
  })
const played = 'https://app.example.test'
const atPlayed = (path: string, init: RequestInit = {}) =>
  fetch(played + path, { ...init, headers: { 'x-bff': '1' }, credentials: 'include' })
const claimsOf = async (token: string) =>
  (await jwtVerify(token, await server.publicKey, { currentDate: new Date(0) })).payload

describe('access tokens', () => {
  test('are signed, carry the profile, and open the API', async () => {
    const { accessToken, expiresIn } = await signIn()
    expect(expiresIn).toBe(60)
    const claims = await claimsOf(accessToken)
    expect(claims).toMatchObject({ sub: 'ann', name: 'Ann', role: 'reader', org: 'acme' })
    expect(claims.exp! - claims.iat!).toBe(60)
    expect(await (await get('/api/me', accessToken)).json()).toMatchObject({ id: 'ann', city: 'Lisbon' })
  })

  test('are refused when spent, expired by the server, or revoked', async () => {
    const { accessToken, refreshToken } = await signIn()
    server.expireAccessTokens()
    const refused = await get('/api/me', accessToken)
    expect(refused.status).toBe(401)
    expect(refused.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"')
    expect((await get('/api/me')).headers.get('www-authenticate')).toBe('Bearer')

    const next = await refreshed(refreshToken)
    expect((await get('/api/me', next.accessToken)).status).toBe(200)
    time += 61_000
    expect((await get('/api/me', next.accessToken)).status).toBe(401)
    const last = await refreshed(next.refreshToken)
    server.revoke('ann')
    expect((await get('/api/me', last.accessToken)).status).toBe(401)
    expect((await refresh(last.refreshToken)).status).toBe(401)
  })

  test('keep the old claims after an edit, until a refresh', async () => {
    const { accessToken, refreshToken } = await signIn()
    await fetch(`${site.origin}/api/me`, {
      method: 'PATCH',
      headers: { authorization: `Bearer ${accessToken}` },
      body: '{"role":"editor"}',
    })
    expect(await (await get('/auth/user', accessToken)).json()).toMatchObject({ role: 'editor' })
    expect(await claimsOf(accessToken)).toMatchObject({ role: 'reader' })
    expect(await claimsOf((await refreshed(refreshToken)).accessToken)).toMatchObject({ role: 'editor' })
  })

  test('have the claims of the moment at which a slow refresh arrived', async () => {
    const { refreshToken } = await signIn()
    server.knobs.refreshDelayMs = 80
    const slow = refreshed(refreshToken)
    await expect.poll(() => server.stats.refreshesInFlight).toBe(1)
    server.users.edit('ann', { role: 'editor' })
    expect(await claimsOf((await slow).accessToken)).toMatchObject({ role: 'reader' })
  })

  test('are not counted any more where a refresh was under way at a reset', async () => {
    const { refreshToken } = await signIn()
    server.knobs.refreshDelayMs = 80
    const slow = refresh(refreshToken)
    await expect.poll(() => server.stats.refreshesInFlight).toBe(1)
    server.reset()
    await slow.catch(() => {})
    expect(server.stats.refreshesInFlight).toBe(0)
  })
})

describe('refresh tokens', () => {
  test('are good once, and a second use ends the family', async () => {
    const { refreshToken } = await signIn()
    const next = await refreshed(refreshToken)
    const again = await refresh(refreshToken)
    expect(again.status).toBe(401)
    expect(await again.json()).toEqual({ error: 'reuse' })
    expect((await get('/api/me', next.accessToken)).status).toBe(401)
    expect((await refresh(next.refreshToken)).status).toBe(401)
    expect(server.stats).toMatchObject({ thefts: 1, rotations: 1, refreshes: 3 })
  })

  test('of two at once one wins, and then neither', async () => {
    const { refreshToken } = await signIn()
    server.knobs.refreshDelayMs = 50
    const both = await Promise.all([refresh(refreshToken), refresh(refreshToken)])
    expect(new Set(both.map(({ status }) => status))).toEqual(new Set([200, 401]))
    expect(server.stats).toMatchObject({ thefts: 1, maxRefreshesInFlight: 2, refreshesInFlight: 0 })
  })

  test('get the same successor inside the grace window only', async () => {
    server.knobs.graceMs = 1000
    const { refreshToken } = await signIn()
    const first = await refreshed(refreshToken)
    expect(await refreshed(refreshToken)).toEqual(first)
    expect(server.stats.thefts).toBe(0)
    time += 1001
    expect((await refresh(refreshToken)).status).toBe(401)
    expect(server.stats.thefts).toBe(1)
  })

  test('end with sign-out and with the session', async () => {
    const { refreshToken } = await signIn()
    expect((await post('/auth/logout', { refreshToken })).status).toBe(204)
    expect(await (await refresh(refreshToken)).json()).toEqual({ error: 'session_over' })
    const other = await signIn('bob')
    time += 3_600_000
    expect((await refresh(other.refreshToken)).status).toBe(401)
    expect(server.stats.thefts).toBe(0)
  })

  test('a wrong password is a 401 that names itself', async () => {
    const response = await post('/auth/login', { username: 'ann', password: 'guess' })
    expect(response.status).toBe(401)
    expect(await response.json()).toEqual({ error: 'wrong_password' })
  })
})

describe('the OAuth face', () => {
  test('answers as RFC 6749 and RFC 7009 say', async () => {
    const grant = { grant_type: 'password', client_id: 'spa', username: 'ann', password: 'secret' }
    const tokens: Record<string, string> = await (await form('/oauth/token', grant)).json()
    expect(tokens).toMatchObject({ token_type: 'Bearer', expires_in: 60, scope: 'openid profile' })
    expect(await (await get('/oauth/userinfo', tokens['access_token'])).json()).toMatchObject({
      sub: 'ann',
      name: 'Ann',
    })

    const again = { grant_type: 'refresh_token', client_id: 'spa', refresh_token: tokens['refresh_token']! }
    const response = await form('/oauth/token', again)
    expect(response.headers.get('cache-control')).toBe('no-store')
    const next: Record<string, string> = await response.json()
    expect((await form('/oauth/revoke', { token: next['refresh_token']! })).status).toBe(200)
    expect((await form('/oauth/revoke', { token: 'unknown' })).status).toBe(200)
    expect((await get('/api/me', next['access_token'])).status).toBe(401)
  })

  test.each([
    [{ grant_type: 'refresh_token', client_id: 'spa', refresh_token: 'unknown' }, 'invalid_grant'],
    [{ grant_type: 'password', client_id: 'spa', username: 'ann', password: 'guess' }, 'invalid_grant'],
    [{ grant_type: 'refresh_token', refresh_token: 'x' }, 'invalid_request'],
    [{ grant_type: 'refresh_token', client_id: 'spa' }, 'invalid_request'],
    [{ grant_type: 'device', client_id: 'spa' }, 'unsupported_grant_type'],
  ])('refuses %j', async (fields, error) => {
    const response = await form('/oauth/token', fields)
    expect(response.status).toBe(400)
    expect(await response.json()).toEqual({ error })
  })
})

describe('the cookie face', () => {
  const guard = { 'x-bff': '1' }
  const enter = async () => cookieOf(await post('/bff/login', { username: 'ann', password: 'secret' }, guard))
  const ask = (path: string, cookie?: string, method = 'GET') =>
    fetch(site.origin + path, { method, headers: { ...guard, ...(cookie && { cookie }) } })

  test('tells who is there, and needs the custom header', async () => {
    const cookie = await enter()
    expect(await (await ask('/bff/session', cookie)).json()).toMatchObject({ authenticated: true, user: { id: 'ann' } })
    expect(await (await ask('/bff/session')).json()).toEqual({ authenticated: false })
    const bare = await get('/bff/session')
    expect(bare.status).toBe(403)
    expect(await bare.json()).toEqual({ error: 'missing_header' })
    const { headers } = await post('/bff/login', { username: 'ann', password: 'secret' }, guard)
    expect(headers.getSetCookie()[0]).toMatch(/; Path=\/; HttpOnly; SameSite=Strict; Max-Age=3600$/)
  })

  test('renews the hidden token itself', async () => {
    const cookie = await enter()
    server.expireAccessTokens()
    expect((await ask('/api/me', cookie)).status).toBe(200)
    expect(server.stats).toMatchObject({ silentRefreshes: 1, refreshes: 0 })
  })

  test('or answers 401 until POST /bff/refresh, which rotates the cookie', async () => {
    server.knobs.bffSilentRefresh = false
    const cookie = await enter()
    server.expireAccessTokens()
    expect((await ask('/api/me', cookie)).status).toBe(401)
    const next = cookieOf(await ask('/bff/refresh', cookie, 'POST'))
    expect(next).not.toBe(cookie)
    expect((await ask('/api/me', next)).status).toBe(200)
    expect((await ask('/api/me', cookie)).status).toBe(401)
    expect((await ask('/api/me', next)).status).toBe(200)
    expect((await ask('/bff/refresh', cookie, 'POST')).status).toBe(401)
    expect(server.stats.thefts).toBe(1)
    expect((await ask('/api/me', next)).status).toBe(401)
  })

  test('signs out', async () => {
    const cookie = await enter()
    const response = await ask('/bff/logout', cookie, 'POST')
    expect(response.status).toBe(204)
    expect(response.headers.getSetCookie()[0]).toContain('Max-Age=0')
    expect(await (await ask('/bff/session', cookie)).json()).toEqual({ authenticated: false })
  })
})

describe('the API', () => {
  test('echoes method, headers and body bytes', async () => {
    const { accessToken } = await signIn()
    const body = new Uint8Array([0, 255, 128, 10])
    const response = await fetch(`${site.origin}/api/echo?a=1`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${accessToken}`, 'x-mine': 'yes' },
      body,
    })
    expect(await response.json()).toMatchObject({
      method: 'PUT',
      path: '/api/echo?a=1',
      headers: { 'x-mine': 'yes', authorization: `Bearer ${accessToken}` },
      body: Buffer.from(body).toString('base64'),
      sha256: createHash('sha256').update(body).digest('hex'),
    })
  })

  test('counts orders by id, and refuses for reasons of its own', async () => {
    const { accessToken } = await signIn()
    const headers = { authorization: `Bearer ${accessToken}` }
    await post('/api/orders', { id: 'a' }, headers)
    await post('/api/orders', { id: 'a' }, headers)
    await post('/api/orders', { id: 'b' })
    expect(server.stats.orders).toEqual({ a: 2 })
    expect((await get('/api/refused', accessToken)).status).toBe(401)
    server.knobs.alwaysExpired = true
    expect((await get('/api/items/7', accessToken)).status).toBe(401)
    expect(server.stats.byPath['GET /api/items/7']).toBe(1)
  })

  test('lets local pages of other origins in, with credentials, and no others', async () => {
    const { headers } = await preflightFrom('http://localhost:1234')
    expect(headers.get('access-control-allow-origin')).toBe('http://localhost:1234')
    expect(headers.get('access-control-allow-headers')).toBe('x-bff')
    expect((await preflightFrom('https://evil.example')).headers.get('access-control-allow-origin')).toBe(null)
    expect(server.stats).toMatchObject({ preflights: 2, requests: 0 })
  })
})

describe('faults', () => {
  test.each([
    [500, 500, null],
    [503, 503, '1'],
    [{ status: 429, retryAfter: 7 }, 429, '7'],
    ['html' as const, 200, null],
    ['empty' as const, 200, null],
  ])('%j: answered instead, and the token stays unspent', async (fault, status, retryAfter) => {
    const { refreshToken } = await signIn()
    server.knobs.refreshFailures = [fault]
    const response = await refresh(refreshToken)
    expect(response.status).toBe(status)
    expect(response.headers.get('retry-after')).toBe(retryAfter)
    await expect(response.json().then((body: Signed) => body.accessToken ?? Promise.reject())).rejects.not.toBeNull()
    expect((await refresh(refreshToken)).status).toBe(200)
    expect(server.stats).toMatchObject({ refreshes: 2, thefts: 0, rotations: 1 })
  })

  test('a refused refresh may spend the token all the same', async () => {
    const { refreshToken } = await signIn()
    server.knobs.refreshFailures = [{ status: 400, body: '{"error":"invalid_target"}', spends: true }]
    expect((await refresh(refreshToken)).status).toBe(400)
    expect(await (await refresh(refreshToken)).json()).toEqual({ error: 'reuse' })
  })

  test('dropped before: unspent; dropped after: spent', async () => {
    const { refreshToken } = await signIn()
    server.knobs.refreshFailures = ['drop-before', 'drop-after']
    await expect(refresh(refreshToken)).rejects.toThrow(TypeError)
    expect(server.stats.rotations).toBe(0)
    await expect(refresh(refreshToken)).rejects.toThrow(TypeError)
    expect(server.stats).toMatchObject({ rotations: 1, byStatus: { drop: 2 } })
    expect(await (await refresh(refreshToken)).json()).toEqual({ error: 'reuse' })
  })

  test('one that hangs is let go when the caller leaves', async () => {
    const { refreshToken } = await signIn()
    server.knobs.refreshFailures = ['hang']
    const signal = AbortSignal.timeout(50)
    const hung = fetch(`${site.origin}/auth/refresh`, {
      method: 'POST',
      body: JSON.stringify({ refreshToken }),
      signal,
    })
    await expect(hung).rejects.toMatchObject({ name: 'TimeoutError' })
    await expect.poll(() => server.stats.refreshesInFlight).toBe(0)
    expect(server.stats.rotations).toBe(0)
  })

  test('odd tokens are accepted, whatever they say of themselves', async () => {
    let { refreshToken } = await signIn()
    server.knobs.refreshFailures = ['no-expiry', 'past-exp', 'negative', 'opaque']
    const seen: Signed[] = []
    for (let round = 0; round < 4; round++) {
      seen.push(await refreshed(refreshToken))
      refreshToken = seen.at(-1)!.refreshToken
      expect((await get('/api/me', seen.at(-1)!.accessToken)).status).toBe(200)
    }
    expect(seen.map(({ expiresIn }) => expiresIn)).toEqual([undefined, undefined, -1, 60])
    expect((await claimsOf(seen[0]!.accessToken)).exp).toBeUndefined()
    expect((await claimsOf(seen[1]!.accessToken)).exp! * 1000).toBeLessThan(Date.now())
    expect(seen[3]!.accessToken).not.toContain('.')
  })

  test('the API can be cut off too, after it has acted', async () => {
    const { accessToken } = await signIn()
    server.knobs.apiFailures = ['drop-after']
    await expect(post('/api/orders', { id: 'a' }, { authorization: `Bearer ${accessToken}` })).rejects.toThrow(
      TypeError,
    )
    expect(server.stats.orders).toEqual({ a: 1 })
  })
})

test('everything can be set and read over HTTP', async () => {
  const { accessToken } = await signIn()
  expect(await (await post('/sample/knobs', { refreshDelayMs: 9 })).json()).toMatchObject({
    refreshDelayMs: 9,
    graceMs: 0,
  })
  expect((await post('/sample/knobs', { refreshDelayMs: 'slow' })).status).toBe(400)
  expect((await post('/sample/knobs', { unknown: 1 })).status).toBe(400)
  await post('/sample/expire', {})
  expect((await get('/api/me', accessToken)).status).toBe(401)
  expect(await (await get('/sample/state')).json()).toMatchObject({
    sessions: 1,
    stats: { requests: 2 },
    knobs: { refreshDelayMs: 9 },
    users: { ann: {} },
  })
  await post('/sample/reset', {})
  expect(server.knobs.refreshDelayMs).toBe(0)
  expect(server.sessions).toBe(0)
})

test('plays any origin behind msw, cookie and all', async () => {
  const msw = setupServer(sampleHandler(server, played))
  msw.listen({ onUnhandledRequest: 'bypass' })
  try {
    const body = JSON.stringify({ username: 'ann', password: 'secret' })
    expect((await atPlayed('/bff/login', { method: 'POST', body })).status).toBe(200)
    expect(await (await atPlayed('/bff/session')).json()).toMatchObject({ authenticated: true })
    expect((await atPlayed('/bff/refresh', { method: 'POST' })).status).toBe(200)
    expect((await atPlayed('/api/me')).status).toBe(200)
    server.knobs.apiFailures = ['drop-before']
    await expect(atPlayed('/api/me')).rejects.toThrow(TypeError)
  } finally {
    msw.close()
  }
})
