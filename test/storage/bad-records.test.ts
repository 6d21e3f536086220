// Records in the storage that nobody can have meant: never read in a circle, never taken for a session.

import { createSession, type Credentials } from 'resesh'
import { expect, onTestFinished, test } from 'vitest'
import type { SessionRecord } from '../../src/state/record.ts'
import { bearerBackend, createClock, login, setup, sharedStorage, url } from '../support/session.ts'

test('a record that was cleared away, and begun anew by somebody else, is not read in a circle', async () => {
  const clock = createClock()
  const storage = sharedStorage()
  const { session, server } = await setup({ storage, refreshAhead: 'always' }, { clock })
  await session.signIn(await login(server))
  await session.signIn(await login(server))
  storage.text = null
  const two = await setup({ storage }, { clock, server })
  two.session.dispose()
  let reads = 0
  storage.getItem = async function () {
    if (++reads > 500) session.dispose()
    return this.text
  }
  await clock.pass(65_000)
  expect(reads).toBeLessThan(200)
})

test('a record that speaks of credentials which nobody has kept: a refresh says so', async () => {
  const storage = sharedStorage()
  const { session } = await setup({ storage })
  await session.refresh()
  storage.text = JSON.stringify({ ...JSON.parse(storage.text!), credentials: null })
  await expect(session.refresh()).rejects.toThrow('no credentials are stored')
})

test('a stored token that cannot stand in a header is nobody’s, and shows in no error', async () => {
  const storage = sharedStorage()
  const first = await setup({ storage })
  await first.session.refresh()
  first.session.dispose()
  const row = JSON.parse(storage.text!) as { credentials: Credentials }
  storage.text = JSON.stringify({ ...row, credentials: { ...row.credentials, accessToken: 'secret\nfragment' } })
  const platform = { fetch: async () => new Response('as nobody') }
  const again = createSession({ backend: bearerBackend(), storage, platform })
  onTestFinished(again.dispose)
  expect((await again.ready()).status).toBe('unauthenticated')
  expect(await (await again.fetch(url('/api/me'))).text()).toBe('as nobody')
})

test('a generation that no sign-in could be newer than is nobody’s', async () => {
  const storage = sharedStorage()
  const { session, server } = await setup({ storage })
  const { record } = JSON.parse(storage.text!)
  const version = { generation: Number.MAX_SAFE_INTEGER, revision: 0 }
  storage.text = JSON.stringify({ record: { ...record, version }, credentials: { accessToken: 'forged' } })
  await session.signIn(await login(server))
  await session.signOut()
  await session.signIn(await login(server))
  expect(session.current.status).toBe('authenticated')
  expect((await session.fetch(url('/api/me'))).status).toBe(200)
})

const FAR = 9e15
test.each<[string, (record: SessionRecord, now: number) => Record<string, unknown>]>([
  ['an attempt that is under way for 285,000 years', (_, now) => ({ sent: { first: now, at: now, deadline: FAR } })],
  ['an attempt that began with time itself', () => ({ sent: { first: 0, at: 0, deadline: FAR } })],
  ['an attempt whose times are texts', () => ({ sent: { first: '0', at: '0', deadline: '9e15' } })],
  ['an attempt without times', () => ({ sent: {} })],
  ['an attempt that is no object', () => ({ sent: true })],
  ['a cool-down of 285,000 years', () => ({ coolUntil: FAR, isOrdered: true })],
  ['an attempt number that none could be later than', () => ({ attempt: Number.MAX_SAFE_INTEGER })],
  ['a refresh by an attempt that was never made', () => ({ mintedBy: FAR, reloadedBy: FAR })],
  ['a revision that none could be newer than', ({ version }) => ({ version: { ...version, revision: 1e300 } })],
  ['a lifetime that is a text', () => ({ lifetime: 'long' })],
  ['a lifetime below nothing', () => ({ lifetime: -1 })],
  ['a receipt in the far future', () => ({ receivedAt: FAR, lifetime: FAR })],
  ['charges that are no times', () => ({ charges: [FAR, FAR, FAR, FAR, FAR, 'x', null] })],
])('%s: blocks nothing for long, and a forced refresh is fresh', async (_, change) => {
  const clock = createClock()
  const storage = sharedStorage()
  const platform = { navigator: null, BroadcastChannel: null }
  const first = await setup({ storage, platform }, { clock })
  await first.session.refresh()
  first.session.dispose()
  const row = JSON.parse(storage.text!) as { record: SessionRecord }
  storage.text = JSON.stringify({ ...row, record: { ...row.record, ...change(row.record, clock.now()) } })
  const { server, wire } = first
  const session = createSession({
    backend: bearerBackend(),
    storage,
    refreshAhead: 'never',
    platform: { ...platform, ...clock.platform, fetch: wire.fetch },
  })
  onTestFinished(session.dispose)
  await clock.pass(0)
  if (session.current.status !== 'authenticated') await session.signIn(await login(server))
  const before = server.stats.refreshes
  const forced = session.getToken({ skipCache: true })
  await clock.pass(20_000)
  expect(await forced).toBeTypeOf('string')
  expect(server.stats).toMatchObject({ refreshes: before + 1, thefts: 0 })
  server.expireAccessTokens()
  const asked = session.fetch(url('/api/me'))
  await clock.pass(1_000)
  expect((await asked).status).toBe(200)
})
