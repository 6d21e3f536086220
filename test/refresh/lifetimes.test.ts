// Lifetimes that are none, too short, too long or over already: never a refresh in a circle.

import { type Backend, type Credentials, defineBackend, type Io, memory } from 'resesh'
import { bearer } from 'resesh/backends/bearer'
import { sideTokens } from 'resesh/side-tokens'
import { describe, expect, test } from 'vitest'
import { answering } from '../support/answering.ts'
import { createClock, defer, jwt, oauth2Backend, setup, sharedStorage, url } from '../support/session.ts'

const day = 86_400_000

test('an access token that was dead on arrival is used until the server refuses it', async () => {
  const { server, session } = await setup({}, { knobs: { refreshFailures: ['past-exp'] } })
  await session.refresh()
  expect((await session.fetch(url('/api/me'))).status).toBe(200)
  expect(server.stats.refreshes).toBe(1)
})

test('an expiresAt that has passed does not refresh in a circle', async () => {
  const past = { accessToken: 'next', expiresAt: 1 }
  const { session, clock, refreshes } = await answering(past, { initial: past, refreshAhead: 'always' })
  await session.fetch(url('/api'))
  await clock.pass(day)
  expect(refreshes()).toBe(0)
})

test.each([undefined, NaN, -1, 0, '0', 'soon', null, 1e308, Infinity, -Infinity, {}])(
  'a lifetime of %s is none: used as it is, refreshed when refused',
  async (expiresInSeconds) => {
    const answer = { accessToken: 'next', expiresInSeconds }
    const { session, clock, refreshes } = await answering(answer, { refreshAhead: 'always' })
    await clock.pass(day)
    expect(refreshes()).toBe(1)
    expect((await session.fetch(url('/api'))).status).toBe(200)
    expect(session.current.expiresAt).toBeNull()
  },
)

test('a lifetime that is the text of a number counts as that number', async () => {
  const clock = createClock()
  const answer = { accessToken: 'next', expiresIn: '60' }
  const fetch = async () => Response.json(answer)
  const backend = bearer({ refreshUrl: url('/refresh') })
  const { session } = await setup({ backend, initial: { refreshToken: 'r' }, platform: { fetch } }, { clock })
  expect((await session.refresh()).expiresAt).toBe(clock.now() + 60_000)
})

test.each(['no-expiry', 'negative'] as const)(
  'over bearer a refresh with %s leaves the expiry unknown',
  async (shape) => {
    const { server, session } = await setup({}, { knobs: { refreshFailures: [shape] } })
    expect((await session.refresh()).expiresAt).toBeNull()
    expect((await session.fetch(url('/api/me'))).status).toBe(200)
    expect(server.stats.refreshes).toBe(1)
  },
)

test.each(['no-expiry', 'negative'] as const)(
  'over OAuth 2 a refresh with %s leaves the expiry unknown',
  async (shape) => {
    const { server, session } = await setup({ backend: oauth2Backend() }, { knobs: { refreshFailures: [shape] } })
    expect((await session.refresh()).expiresAt).toBeNull()
    expect((await session.fetch(url('/api/me'))).status).toBe(200)
    expect(server.stats.refreshes).toBe(1)
  },
)

test('a lifetime shorter than twice the leeway does not make every token spent', async () => {
  const clock = createClock()
  const { server, session } = await setup({}, { clock, knobs: { accessTokenLifeSeconds: 4 } })
  await session.fetch(url('/api/me'))
  await clock.pass(2_000)
  await session.fetch(url('/api/me'))
  expect(server.stats.refreshes).toBe(0)
})

test('a lifetime shorter than twice the leeway is refreshed ahead in step with it', async () => {
  const clock = createClock()
  const knobs = { accessTokenLifeSeconds: 4 }
  const { server } = await setup({ refreshAhead: 'always' }, { clock, knobs })
  await clock.pass(60_000)
  expect(server.stats.refreshes).toBeGreaterThanOrEqual(15)
  expect(server.stats.refreshes).toBeLessThanOrEqual(30)
})

test('a lifetime longer than a timer can hold is not refreshed at once', async () => {
  const month = { accessToken: 'next', expiresInSeconds: (30 * day) / 1000 }
  const { clock, refreshes } = await answering(month, { initial: month, refreshAhead: 'always' })
  await clock.pass(29 * day)
  expect(refreshes()).toBe(0)
  await clock.pass(day)
  expect(refreshes()).toBe(1)
})

test.each<[string, Partial<Credentials>]>([
  ['that live for a millisecond', { expiresInSeconds: 0.001 }],
  ['that all die at one time', { expiresAt: Date.UTC(2026, 0, 1) + 60_000 }],
])('tokens %s are not refreshed ahead in a circle', async (_, life) => {
  const token = { accessToken: 'next', ...life }
  const { clock, refreshes } = await answering(token, { initial: token, refreshAhead: 'always' })
  await clock.pass(5_000)
  expect(refreshes()).toBeLessThanOrEqual(5)
  await clock.pass(60_000)
  expect(refreshes()).toBeLessThanOrEqual(65)
})

// A server and a device whose clocks differ.
const apart = async (skew: number, json: (now: number) => object, hidesDate = false) => {
  const clock = createClock()
  let refreshes = 0
  const fetch = async (input: RequestInfo | URL) => {
    const now = clock.now() - skew
    const headers: HeadersInit = hidesDate ? {} : { date: new Date(now).toUTCString() }
    if (!String(input instanceof Request ? input.url : input).endsWith('/refresh')) return new Response('served')
    refreshes++
    return Response.json({ refreshToken: `r${refreshes}`, ...json(now) }, { headers })
  }
  const backend = bearer({ refreshUrl: url('/refresh') })
  const initial = { refreshToken: 'r', accessToken: 'first', expiresInSeconds: 60 }
  const { session } = await setup({ backend, initial, refreshAhead: 'never', platform: { fetch } }, { clock })
  return { session, clock, fetch, refreshes: () => refreshes }
}

const hour = 3_600_000
const expOnly = (now: number) => ({ accessToken: jwt({ sub: 'ann', exp: now / 1000 + 60 }) })
const atTime = (now: number) => ({ accessToken: 'opaque', expiresAt: now + 60_000 })
const atText = (now: number) => ({ accessToken: 'opaque', expiresAt: new Date(now + 60_000).toISOString() })

describe.each([
  { what: 'a JWT with exp and no iat', json: expOnly },
  { what: 'an expiresAt of the server', json: atTime },
  { what: 'an expiresAt of the server in text', json: atText },
])('$what', ({ json }) => {
  test.each([0, hour, -hour])('lives as long on a device whose clock is %i ms off', async (skew) => {
    const { session, clock, refreshes } = await apart(skew, json)
    expect((await session.refresh()).expiresAt).toBe(clock.now() + 60_000)
    await clock.pass(45_000)
    await session.getToken()
    expect(refreshes()).toBe(1)
    await clock.pass(10_000)
    await session.getToken()
    expect(refreshes()).toBe(2)
  })

  test.each([0, hour, -hour])('has no known life where the Date is hidden (%i ms off)', async (skew) => {
    const { session, clock, refreshes } = await apart(skew, json, true)
    expect((await session.refresh()).expiresAt).toBeNull()
    await clock.pass(2 * hour)
    await session.getToken()
    expect(refreshes()).toBe(1)
  })
})

test('the exp of a token that a login function brings is compared with the Date of that answer', async () => {
  const { session, clock } = await apart(hour, expOnly)
  const signedIn = await session.signIn(async ({ fetch }) => (await fetch(url('/refresh'))).json())
  expect(signedIn.expiresAt).toBe(clock.now() + 60_000)
})

test('the expiresAt that the app hands over is by the clock of this device', async () => {
  const { session, clock } = await apart(hour, expOnly)
  const expiresAt = clock.now() + 90_000
  expect((await session.signIn({ accessToken: 'mine', expiresAt })).expiresAt).toBe(expiresAt)
  expect((await session.signIn(async () => ({ accessToken: 'mine', expiresAt }))).expiresAt).toBe(expiresAt)
  expect((await session.signIn(expOnly(clock.now()))).expiresAt).toBeNull()
})

test('the body of an answer may take its time: the Date is that of its head', async () => {
  const clock = createClock()
  const date = new Date(clock.now() - hour).toUTCString()
  const body = defer()
  const backend = defineBackend({
    async refresh(_, { fetch }) {
      await fetch(url('/refresh'))
      await body.promise
      return { accessToken: jwt({ exp: (clock.now() - hour) / 1000 + 55 }) }
    },
  })
  const fetch = async () => new Response('', { headers: { date } })
  const { session } = await setup({ backend, initial: { accessToken: 'first' }, platform: { fetch } }, { clock })
  const refreshed = session.refresh()
  await clock.pass(5000)
  body.resolve()
  expect((await refreshed).expiresAt).toBe(clock.now() + 55_000)
})

test('the exp of a side token is compared with the Date of its answer', async () => {
  const clock = createClock()
  const headers = { date: new Date(clock.now() - hour).toUTCString() }
  let minted = 0
  const backend = {
    ...defineBackend({ refresh: async () => ({ accessToken: 'next' }) }),
    mints: ['template'] as const,
    async token(_: Credentials, { fetch }: Io) {
      await fetch(url('/token'))
      return { accessToken: jwt({ n: ++minted, exp: (clock.now() - hour) / 1000 + 600 }) }
    },
  }
  const fetch = async () => new Response('', { headers })
  const initial = { accessToken: 'first' }
  const { session } = await setup({ backend, initial, use: [sideTokens()], platform: { fetch } }, { clock })
  await session.getToken({ template: 't' })
  await clock.pass(590_000)
  await session.getToken({ template: 't' })
  expect(minted).toBe(1)
  await clock.pass(6000)
  await session.getToken({ template: 't' })
  expect(minted).toBe(2)
})

// An answer that brings no new access token makes the one that is held no younger.
const keeping = async (answer: object, initial: object = { accessToken: 'first', expiresInSeconds: 60 }) => {
  const clock = createClock()
  let refreshes = 0
  const backend: Backend = {
    ...defineBackend({ refresh: async () => (refreshes++, answer) }),
    cookies: true,
    restore: async () => answer,
  }
  const statuses: number[] = []
  const fetch = async () => new Response('', { status: statuses.shift() ?? 200 })
  const storage = sharedStorage()
  const options = { backend, storage, origins: [url('')], refreshAhead: 'never', platform: { fetch } } as const
  const { session } = await setup({ ...options, initial }, { clock })
  return { session, clock, options, statuses, refreshes: () => refreshes }
}

const again = jwt({ sub: 'ann', iat: 100, exp: 160 })
const tokenless = [
  { what: 'a user alone', answer: { user: { id: 'ann' } }, initial: undefined },
  { what: 'a user, and an expiresIn', answer: { user: { id: 'ann' }, expiresInSeconds: 60 }, initial: undefined },
  { what: 'the same JWT again', answer: { accessToken: again }, initial: { accessToken: again } },
]

test.each(tokenless)('a refresh or reload that answers $what makes the held token no younger', async (each) => {
  const { session, clock, refreshes } = await keeping(each.answer, each.initial)
  const { expiresAt } = session.current
  await clock.pass(40_000)
  expect((await session.refresh()).expiresAt).toBe(expiresAt)
  expect((await session.reload()).expiresAt).toBe(expiresAt)
  await session.getToken()
  expect(refreshes()).toBe(2)
  await clock.pass(15_000)
  await session.getToken()
  expect(refreshes()).toBe(3)
})

test.each(tokenless)('a restore that answers $what makes the stored token no younger', async (each) => {
  const { session, clock, options } = await keeping(each.answer, each.initial)
  const { expiresAt } = session.current
  await clock.pass(40_000)
  session.dispose()
  const next = await setup({ ...options, initial: undefined as never }, { clock })
  await clock.pass(1000)
  expect(next.session.current).toMatchObject({ status: 'authenticated', expiresAt })
})

test('refreshes that bring no newer token are bounded, however often a dead token is asked for', async () => {
  const { session, clock, refreshes } = await keeping({ user: { id: 'ann' } })
  await clock.pass(70_000)
  for (let nth = 0; nth < 20; nth++) await session.fetch(url('/api'))
  expect(refreshes()).toBe(5)
  await expect(session.getToken()).rejects.toThrow('did not help')
  await clock.pass(61_000)
  await session.fetch(url('/api'))
  expect(refreshes()).toBe(6)
})

test('a token that is refused and not replaced is remembered for its route, after one refresh', async () => {
  const { session, clock, statuses, refreshes } = await keeping({ user: { id: 'ann' } })
  await clock.pass(5000)
  statuses.push(401, 401)
  expect((await session.fetch(url('/api'))).status).toBe(401)
  expect(refreshes()).toBe(1)
  statuses.push(401)
  expect((await session.fetch(url('/api'))).status).toBe(401)
  expect(refreshes()).toBe(1)
})

test('refreshing ahead does not go in a circle where no newer token comes', async () => {
  const { options, clock, refreshes } = await keeping({ user: { id: 'ann' } })
  const initial = { accessToken: 'first', expiresInSeconds: 60 }
  await setup({ ...options, storage: memory(), refreshAhead: 'always', initial }, { clock })
  await clock.pass(55_000)
  expect(refreshes()).toBeLessThanOrEqual(6)
  await clock.pass(10 * 60_000)
  expect(refreshes()).toBeLessThanOrEqual(30)
})

test('a cookie without a token lives as long as each answer says', async () => {
  const { session, clock, options, refreshes } = await keeping(
    { user: { id: 'ann' }, expiresInSeconds: 60 },
    { user: { id: 'ann' }, expiresInSeconds: 60 },
  )
  await clock.pass(40_000)
  expect((await session.refresh()).expiresAt).toBe(clock.now() + 60_000)
  await clock.pass(40_000)
  await session.fetch(url('/api'))
  expect(refreshes()).toBe(1)
  session.dispose()
  const next = await setup({ ...options, initial: undefined as never }, { clock })
  await clock.pass(1)
  expect(next.session.current.expiresAt).toBe(clock.now() - 1 + 60_000)
})

test('a reload whose second call takes its time makes the token of the first call no younger', async () => {
  const clock = createClock()
  const answer = defer()
  const fetch = async (input: RequestInfo | URL) => {
    if ((input as string).endsWith('/refresh'))
      return Response.json({ accessToken: 'next', refreshToken: 'r2', expiresIn: 60 })
    await answer.promise
    return Response.json({ id: 'ann' })
  }
  const backend = bearer({ refreshUrl: url('/refresh'), userUrl: url('/me') })
  const initial = { accessToken: 'first', refreshToken: 'r' }
  const { session } = await setup({ backend, initial, refreshAhead: 'never', platform: { fetch } }, { clock })
  const reloaded = session.reload()
  await clock.pass(5000)
  answer.resolve()
  expect((await reloaded).expiresAt).toBe(clock.now() + 55_000)
})
