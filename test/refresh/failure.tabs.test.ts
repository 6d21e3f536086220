// A server that fails: no request is lost that could be answered, nobody is signed out, and all tabs together leave the server
// in peace.

import { expect, test } from 'vitest'
import type { Fault } from '../servers/sample/server.ts'
import { fireAll, signedIn, stateIn, type Tab, untilAll, useTabs } from '../support/tabs.ts'

const world = useTabs()

/** Back-off and jitter at a quarter of what they may be, so that nobody waits long here. */
const luck = () => ({ Math: Object.create(Math, { random: { value: () => 0.25 } }) as Math })

test.each<{ fault: string; faults: Fault[]; graceMs?: number; timeout?: number }>([
  { fault: 'fails twice with 500', faults: [500, 500] },
  // Whether the server has heard of it is unknown: until its deadline it may be under way.
  { fault: 'loses its connection twice', faults: ['drop-before', 'drop-before'], timeout: 1000 },
  { fault: 'answers with nothing, twice', faults: ['empty', 'empty'], timeout: 1000 },
  { fault: 'answers 503 with Retry-After: 1', faults: [503] },
  { fault: 'loses its answer, within the grace', faults: ['drop-after'], graceMs: 20_000 },
])(
  'a refresh that $fault: 40 requests of four tabs, none lost, all still signed in',
  async ({ faults, graceMs = 0, timeout = 20_000 }) => {
    const each = await world({ knobs: { graceMs } })
    const tabs = await signedIn(each, 4, { session: { timeout, replayWindow: graceMs }, platform: luck })
    each.server.expireAccessTokens()
    each.server.knobs.refreshFailures.push(...faults)
    const begun = Date.now()
    expect(await fireAll(tabs, 10)).toEqual({ 200: 40 })
    expect(Date.now() - begun).toBeLessThan(20_000) // nobody has waited for a deadline that says nothing
    expect(each.server.stats).toMatchObject({ refreshes: faults.length + 1, thefts: 0, maxRefreshesInFlight: 1 })
    for (const tab of tabs) expect(await stateIn(tab)).toMatchObject({ status: 'authenticated' })
    await untilAll(tabs, ({ stale }) => !stale)
  },
)

test('a page in place of an answer: whoever waits for that answer is told at once, and nobody is signed out', async () => {
  const each = await world()
  const tabs = await signedIn(each, 4, { session: { timeout: 1000 }, platform: luck })
  each.server.expireAccessTokens()
  each.server.knobs.refreshFailures.push('html')
  const tally = await fireAll(tabs, 10)
  expect(tally['RefreshFailedError']).toBeGreaterThan(0)
  expect((tally['RefreshFailedError'] ?? 0) + (tally['200'] ?? 0)).toBe(40)
  for (const tab of tabs) expect(await stateIn(tab)).toMatchObject({ status: 'authenticated' })
  await untilAll(tabs, ({ stale }) => !stale)
  expect(await fireAll(tabs, 10)).toEqual({ 200: 40 })
})

test('a server that only fails: all tabs share the back-off and the bucket, and nobody is signed out', async () => {
  const each = await world()
  const tabs = await signedIn(each, 6, { session: { timeout: 3000 }, platform: luck })
  each.server.expireAccessTokens()
  each.server.knobs.refreshFailures.push(...Array.from({ length: 500 }, (): Fault => 500))
  expect(await fireAll(tabs, 10)).toEqual({ RefreshFailedError: 60 })
  expect(await fireAll(tabs, 10)).toEqual({ RefreshFailedError: 60 })
  expect(each.server.stats.refreshes).toBeLessThanOrEqual(5)
  expect(each.server.stats.thefts).toBe(0)
  for (const tab of tabs) expect(await stateIn(tab)).toMatchObject({ status: 'authenticated', stale: true })
})

test('503 with a long Retry-After: one attempt over all tabs, and who asks is told at once', async () => {
  const each = await world()
  const tabs = await signedIn(each, 4, { session: { timeout: 1000 } })
  each.server.expireAccessTokens()
  each.server.knobs.refreshFailures.push({ status: 503, retryAfter: 30 })
  expect(await fireAll(tabs, 5)).toEqual({ RefreshFailedError: 20 })
  const begun = Date.now()
  expect(await fireAll(tabs, 5)).toEqual({ RefreshFailedError: 20 })
  expect(Date.now() - begun).toBeLessThan(15_000)
  expect(each.server.stats.refreshes).toBe(1)
  // Forced ones respect it too.
  const forced = await tabs[1].run(({ session }) => session.refresh().catch((error: Error) => error.name))
  expect(forced).toBe('RefreshFailedError')
  expect(each.server.stats.refreshes).toBe(1)
})

test('a network that is gone and comes back: what waited fails, nobody is signed out, and it heals by itself', async () => {
  const each = await world()
  const tabs = await signedIn(each, 3, { session: { timeout: 1000 }, platform: luck })
  each.server.expireAccessTokens()
  await each.context.setOffline(true)
  expect(await fireAll(tabs, 2)).toEqual({ TypeError: 6 })
  await tabs[0].run(({ session }) => session.refresh().catch(() => {}))
  await each.context.setOffline(false)
  expect(await fireAll(tabs, 2)).toEqual({ 200: 6 })
  expect(each.server.stats).toMatchObject({ refreshes: 1, thefts: 0 })
})

test('a refused route in one tab: its 401 comes back, and no tab refreshes again and again for it', async () => {
  const each = await world()
  const tabs = await signedIn(each, 3)
  const got = await Promise.all(tabs.map((tab) => tab.run(({ fire }) => fire(3, { path: '/api/refused' }))))
  expect(got).toEqual(Array.from({ length: 3 }, () => ({ 401: 3 })))
  expect(each.server.stats.refreshes).toBeLessThanOrEqual(3)
  expect(await fireAll(tabs, 3)).toEqual({ 200: 9 })
})

test('a browser that keeps no cookie: nobody is signed in, and nothing loops (84)', async () => {
  const each = await world({ cookies: false, knobs: { bffSilentRefresh: false } })
  const [tab] = (await each.open(1, { kind: 'cookie' })) as [Tab]
  expect(await tab.run(({ signIn }) => signIn())).toMatchObject({ status: 'unauthenticated' })
  expect(await tab.run(({ fire }) => fire(5))).toEqual({ 401: 5 })
  expect(each.server.stats).toMatchObject({ refreshes: 0, api: 5 })
})
