// Lifetimes that are none, too short, too long or over already: never a refresh in a circle.

import type { Credentials } from 'resesh'
import { bearer } from 'resesh/backends/bearer'
import { expect, test } from 'vitest'
import { answering } from '../support/answering.ts'
import { createClock, oauth2Backend, setup, url } from '../support/session.ts'

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
