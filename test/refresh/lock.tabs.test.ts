// What becomes of the others when the tab that refreshes is closed, frozen or stalled: they are served within the refresh
// timeout and one refresh of their own. A server that takes each second use for theft stays content, wherever it can be.

import { expect, test } from 'vitest'
import { fireAll, sum, stateIn, type Tab, untilAll, useTabs, type World, type PageOptions } from '../support/tabs.ts'

const TIMEOUT = 1000

const world = useTabs({ canSleep: true })

/** Four tabs of one session that has just expired, and how long they usually take to get over it. */
const expired = async (
  { open, server }: World,
  options: PageOptions = {},
): Promise<{ first: Tab; rest: [Tab, Tab, Tab]; usual: number }> => {
  const tabs = await open(4, { ...options, session: { timeout: TIMEOUT, ...options.session } })
  const [first, ...rest] = tabs as [Tab, Tab, Tab, Tab]
  await first.run((tab) => tab.signIn())
  await untilAll(tabs, ({ status }) => status === 'authenticated')
  server.expireAccessTokens()
  const { ms } = await others(tabs)
  Object.assign(server.stats, { refreshes: 0, maxRefreshesInFlight: 0 })
  server.expireAccessTokens()
  return { first, rest, usual: 3 * ms + 1500 }
}

const begin = (tab: Tab): Promise<void> => tab.run(({ later, fire }) => void (later['mine'] = fire(3)))
const mine = (tab: Tab) => tab.run(({ later }) => later['mine'])

/** What the others get from then on, and after how long. */
const others = async (tabs: readonly Tab[]) => {
  const begun = Date.now()
  const got = await fireAll(tabs, 5)
  return { got, ms: Date.now() - begun }
}

const freeze = async ({ context }: World, { page }: Tab, other: Tab): Promise<() => Promise<unknown>> => {
  await other.page.bringToFront() // only what is hidden can be frozen
  const devtools = await context.newCDPSession(page)
  await devtools.send('Page.setWebLifecycleState', { state: 'frozen' })
  return () => devtools.send('Page.setWebLifecycleState', { state: 'active' })
}

/** Without waiting for the page, which may be no more. */
const crash = async ({ context }: World, { page }: Tab): Promise<void> => {
  const devtools = await context.newCDPSession(page)
  const crashed = new Promise<void>((done) => page.once('crash', () => done()))
  void devtools.send('Page.crash').catch(() => {})
  await crashed
}

test.each([
  { fate: 'closed', end: (_: World, tab: Tab) => tab.close() },
  { fate: 'crashed', end: crash },
])('$fate before the server saw its request: the next one asks at once (61)', async ({ end }) => {
  const each = await world()
  const { first, rest, usual } = await expired(each, { session: { timeout: 20_000 } })
  const { arrived } = each.holdRequest('/auth/refresh')
  await begin(first)
  await arrived
  await end(each, first)
  const { got, ms } = await others(rest)
  expect(got).toEqual({ 200: 15 })
  expect(ms).toBeLessThan(usual)
  expect(each.server.stats).toMatchObject({ refreshes: 1, thefts: 0, maxRefreshesInFlight: 1 })
})

test('its connection was dropped before the server saw its request: all are served after the back-off', async () => {
  const each = await world()
  const { first, rest, usual } = await expired(each, { session: { timeout: 20_000 } })
  each.server.knobs.refreshFailures.push('drop-before')
  const { got, ms } = await others([first, ...rest])
  expect(got).toEqual({ 200: 20 })
  expect(ms).toBeLessThan(2000 + usual)
  expect(each.server.stats).toMatchObject({ refreshes: 2, thefts: 0, maxRefreshesInFlight: 1 })
})

test('closed before the server saw its cookie: the browser may still get the answer, so its deadline counts (61)', async () => {
  const each = await world({ knobs: { bffSilentRefresh: false } })
  const timeout = 4 * TIMEOUT
  const { first, rest, usual } = await expired(each, { kind: 'cookie', session: { timeout } })
  const { arrived } = each.holdRequest('/bff/refresh')
  await begin(first)
  await arrived
  await first.close()
  const { got, ms } = await others(rest)
  expect(got).toEqual({ 200: 15 })
  expect(ms).toBeGreaterThan(timeout - 1000)
  expect(ms).toBeLessThan(timeout + usual)
  expect(each.server.stats).toMatchObject({ refreshes: 1, thefts: 0, maxRefreshesInFlight: 1 })
})

test('closed after the server rotated, within its grace: the token is sent again at once (61)', async () => {
  const each = await world({ knobs: { graceMs: 30_000 } })
  const { first, rest, usual } = await expired(each, { session: { replayWindow: 20_000, timeout: 20_000 } })
  const { arrived } = each.holdAnswer('/auth/refresh')
  await begin(first)
  await arrived
  await first.close()
  const { got, ms } = await others(rest)
  expect(got).toEqual({ 200: 15 })
  expect(ms).toBeLessThan(usual)
  expect(each.server.stats).toMatchObject({ refreshes: 2, rotations: 2, thefts: 0 })
})

test('closed after a server without grace rotated: asked once more, and the end reaches every tab, once (61)', async () => {
  const each = await world()
  const { first, rest, usual } = await expired(each)
  const { arrived } = each.holdAnswer('/auth/refresh')
  await begin(first)
  await arrived
  await first.close()
  const { got, ms } = await others(rest)
  expect(got).toEqual({ 401: 15 })
  expect(ms).toBeLessThan(TIMEOUT + usual)
  expect(each.server.stats).toMatchObject({ refreshes: 2, thefts: 1 })
  await untilAll(rest, ({ status, reason }) => status === 'unauthenticated' && reason === 'reused')
  for (const tab of rest)
    expect(await tab.run(({ heard }) => heard.filter(({ reason }) => reason === 'reused').length)).toBe(1)
})

test('closed after a cookie was rotated: the browser has kept it, and the next one asks with it (61)', async () => {
  const each = await world({ knobs: { bffSilentRefresh: false } })
  const { first, rest, usual } = await expired(each, { kind: 'cookie', session: { timeout: 2 * TIMEOUT } })
  const { arrived, release } = each.holdAnswer('/bff/refresh')
  await begin(first)
  await arrived
  await first.close()
  const sent = each.sent.filter(({ path }) => path.startsWith('/api/')).length
  const served = others(rest)
  await expect.poll(() => each.sent.filter(({ path }) => path.startsWith('/api/')).length).toBe(sent + 15)
  release()
  const { got, ms } = await served
  expect(got).toEqual({ 200: 15 })
  expect(ms).toBeLessThan(2 * TIMEOUT + usual)
  expect(each.server.stats).toMatchObject({ refreshes: 2, thefts: 0 })
})

test('frozen before the server saw its request: the others go on, and it goes on with theirs (59)', async () => {
  const each = await world()
  const { first, rest, usual } = await expired(each)
  const { arrived } = each.holdRequest('/auth/refresh')
  await begin(first)
  await arrived
  const thaw = await freeze(each, first, rest[0])
  const { got, ms } = await others(rest)
  expect(got).toEqual({ 200: 15 })
  expect(ms).toBeLessThan(TIMEOUT + usual)
  await thaw()
  expect(await mine(first)).toEqual({ 200: 3 })
  expect(await first.run(({ fire }) => fire(3))).toEqual({ 200: 3 })
  expect(each.server.stats).toMatchObject({ refreshes: 1, thefts: 0 })
})

test('frozen after its request left, answered meanwhile: what it brings home later does not overwrite (60)', async () => {
  const each = await world({ knobs: { graceMs: 30_000 } })
  const { first, rest, usual } = await expired(each, { session: { replayWindow: 20_000, timeout: 20_000 } })
  const { arrived, release } = each.holdAnswer('/auth/refresh')
  await begin(first)
  await arrived
  const thaw = await freeze(each, first, rest[0])
  release()
  const { got, ms } = await others(rest)
  expect(got).toEqual({ 200: 15 })
  expect(ms).toBeLessThan(usual)
  await rest[0].run(({ session }) => session.refresh())
  const { refreshes } = each.server.stats
  await thaw()
  expect(await mine(first)).toEqual({ 200: 3 })
  const tokens = await Promise.all([first, ...rest].map((tab) => tab.run(({ session }) => session.getToken())))
  expect(new Set(tokens).size).toBe(1)
  expect(await fireAll([first, ...rest], 2)).toEqual({ 200: 8 })
  expect(each.server.stats).toMatchObject({ refreshes, thefts: 0 })
})

test('a cookie that comes home to a frozen tab serves the others (60)', async () => {
  const each = await world({ knobs: { bffSilentRefresh: false } })
  const { first, rest, usual } = await expired(each, { kind: 'cookie' })
  const { arrived, release } = each.holdAnswer('/bff/refresh')
  await begin(first)
  await arrived
  const thaw = await freeze(each, first, rest[0])
  release()
  const { got, ms } = await others(rest)
  expect(got).toEqual({ 200: 15 })
  expect(ms).toBeLessThan(TIMEOUT + usual)
  await thaw()
  expect(await mine(first)).toEqual({ 200: 3 })
  expect(each.server.stats.thefts).toBe(0)
})

test.each([
  { fate: 'the server saw its request', grace: 10_000, hold: 'holdAnswer' },
  { fate: 'nobody saw its request', grace: 0, hold: 'holdRequest' },
] as const)('its script stalled, and $fate: its lock is taken after the timeout (92, 93)', async ({ grace, hold }) => {
  const each = await world({ knobs: { graceMs: grace } })
  const { first, rest, usual } = await expired(each, { session: { replayWindow: grace } })
  const { arrived } = each[hold]('/auth/refresh')
  await begin(first)
  await arrived
  const stalled = first.run(() => {
    const end = performance.now() + 2200
    while (performance.now() < end);
  })
  const { got, ms } = await others(rest)
  expect(got).toEqual({ 200: 15 })
  expect(ms).toBeLessThan(TIMEOUT + usual)
  expect(each.server.stats.thefts).toBe(0)
  await stalled
  expect(await mine(first)).toEqual({ 200: 3 })
  expect(sum([await first.run(({ fire }) => fire(3))])).toEqual({ 200: 3 })
  expect((await stateIn(first)).stale).toBe(false)
  expect(each.server.stats.thefts).toBe(0)
})

test('its script stalled, and the server forgives for long: its lock is taken early, of a slow one it is not (92, 93)', async () => {
  const each = await world({ knobs: { graceMs: 60_000 } })
  const { first, rest } = await expired(each, { session: { replayWindow: 60_000, timeout: 10_000 } })
  const { arrived } = each.holdAnswer('/auth/refresh')
  await begin(first)
  await arrived
  const stalled = first.run(() => {
    const end = performance.now() + 8000
    while (performance.now() < end);
  })
  const { got, ms } = await others(rest)
  expect(got).toEqual({ 200: 15 })
  expect(ms).toBeLessThan(4000)
  await stalled
  expect(await mine(first)).toEqual({ 200: 3 })
  const { refreshes } = each.server.stats
  each.server.expireAccessTokens()
  const slow = each.holdAnswer('/auth/refresh')
  await begin(first)
  await slow.arrived
  const served = others(rest)
  await first.run(({ sleep }) => sleep(4000))
  expect(each.server.stats).toMatchObject({ refreshes: refreshes + 1, thefts: 0 })
  slow.release()
  expect((await served).got).toEqual({ 200: 15 })
  expect(each.server.stats).toMatchObject({ refreshes: refreshes + 1, thefts: 0 })
})
