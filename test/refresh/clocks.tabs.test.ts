// Clocks that are wrong, jump, stop or are stubbed: a live token is not refreshed for that, and a dead one is, once.

import type { Platform } from 'resesh'
import { expect, test } from 'vitest'
import { fireAll, signedIn, type Tab, untilAll, useTabs } from '../support/tabs.ts'

const world = useTabs()

const HOUR = 3_600_000

/** Clocks that the test sets: `shift.wall` and `shift.mono`, in ms. */
const clocks = (): Platform => {
  const shift = { wall: 0, mono: 0, ...JSON.parse(localStorage.getItem('shift') ?? '{}') }
  Object.assign(globalThis, { shift })
  return {
    Date: Object.assign(class extends Date {}, { now: () => Date.now() + shift.wall }) as DateConstructor,
    performance: { now: () => performance.now() + shift.mono } as Performance,
  }
}
const shift = (tabs: readonly Tab[], by: { wall?: number; mono?: number }) =>
  Promise.all(
    tabs.map((tab) =>
      tab.run((_, { wall = 0, mono = 0 }) => {
        const { shift: all } = globalThis as unknown as { shift: { wall: number; mono: number } }
        all.wall += wall
        all.mono += mono
        localStorage.setItem('shift', JSON.stringify({ wall: all.wall })) // the device's, for pages to come
      }, by),
    ),
  )

test.each([HOUR, -HOUR])(
  'a device clock that is %i ms wrong makes no difference, in any tab or after a reload (53)',
  async (wall) => {
    const each = await world()
    const tabs = await each.open(2, { platform: clocks })
    await shift(tabs, { wall })
    await tabs[0]!.run((tab) => tab.signIn())
    await untilAll(tabs, ({ status }) => status === 'authenticated')
    expect(await fireAll(tabs, 3)).toEqual({ 200: 6 })
    await tabs[1]!.page.reload()
    const again = await each.tabIn(tabs[1]!.page)
    expect(await again.run(({ fire }) => fire(3))).toEqual({ 200: 3 })
    expect(each.server.stats.refreshes).toBe(0)
    each.server.expireAccessTokens()
    expect(await fireAll([tabs[0]!, again], 3)).toEqual({ 200: 6 })
    expect(each.server.stats).toMatchObject({ refreshes: 1, thefts: 0 })
  },
)

test.each([
  { wall: HOUR, refreshes: 1 }, // from within a page, that looks like a sleep
  { wall: -HOUR, refreshes: 0 },
])('the wall clock jumps by $wall ms: $refreshes refreshes of a live token (54)', async ({ wall, refreshes }) => {
  const each = await world()
  const tabs = await signedIn(each, 2, { platform: clocks })
  await shift(tabs, { wall })
  expect(await fireAll(tabs, 3)).toEqual({ 200: 6 })
  expect(await tabs[0].run(({ session }) => session.getToken())).toEqual(expect.any(String))
  expect(each.server.stats.refreshes).toBe(refreshes)
})

test.each([HOUR, -HOUR])(
  'the wall clock jumps by %i ms while requests are held: they are served (54)',
  async (wall) => {
    const each = await world()
    const tabs = await signedIn(each, 2, { platform: clocks, session: { timeout: 2000 } })
    each.server.expireAccessTokens()
    const { arrived, release } = each.holdAnswer('/auth/refresh')
    const got = fireAll(tabs, 3)
    await arrived
    await shift(tabs, { wall })
    release()
    expect(await got).toEqual({ 200: 6 })
    expect(each.server.stats).toMatchObject({ refreshes: 1, thefts: 0 })
  },
)

test.each([
  { what: 'stood still', mono: 0 },
  { what: 'went on', mono: 2 * HOUR },
])('asleep for two hours while the monotonic clock $what: one refresh after waking (55)', async ({ mono }) => {
  const each = await world()
  const tabs = await signedIn(each, 2, { platform: clocks })
  await shift(tabs, { wall: 2 * HOUR, mono })
  each.server.expireAccessTokens()
  await Promise.all(tabs.map((tab) => tab.run(() => dispatchEvent(new Event('pageshow')))))
  expect(await fireAll(tabs, 5)).toEqual({ 200: 10 })
  // No request set out with the token that had died.
  expect(each.server.stats).toMatchObject({ refreshes: 1, thefts: 0, api: 10 })
})

test('asleep for two hours, and no event tells of it: no tab hands out the token that died (55)', async () => {
  const each = await world()
  const tabs = await signedIn(each, 2, { platform: clocks, session: { refreshAhead: 'never' } })
  const old = await tabs[0].run(({ session }) => session.getToken())
  await shift(tabs, { wall: 2 * HOUR })
  each.server.expireAccessTokens()
  const tokens = await Promise.all(tabs.map((tab) => tab.run(({ session }) => session.getToken())))
  expect(new Set(tokens).size).toBe(1)
  expect(tokens[0]).not.toBe(old)
  expect(each.server.stats).toMatchObject({ refreshes: 1, thefts: 0 })
})

test('a Date that some test library of the page has stopped: no loop, and a spent token is still known as such (57)', async () => {
  const each = await world()
  const [tab] = (await each.open(1)) as [Tab]
  await tab.run(({ signIn, sleep }) => {
    const now = Date.now()
    Date.now = () => now
    return signIn({ lifeSeconds: 0.3 }).then(() => sleep(320))
  })
  each.server.expireAccessTokens()
  expect(await tab.run(({ fire }) => fire(5))).toEqual({ 200: 5 })
  expect(each.server.stats).toMatchObject({ refreshes: 1, api: 5 })
})

test('refreshed ahead by one tab of four, without a request of the app (56)', async () => {
  const each = await world({ knobs: { accessTokenLifeSeconds: 2 } })
  const tabs = await each.open(4, { session: { refreshAhead: 'always', leeway: 500 } })
  await tabs[0]!.run((tab) => tab.signIn())
  await untilAll(tabs, ({ status }) => status === 'authenticated')
  each.server.knobs.accessTokenLifeSeconds = 600
  await expect.poll(() => each.server.stats.refreshes, { timeout: 3000 }).toBe(1)
  await untilAll(tabs, ({ expiresAt }) => expiresAt! - Date.now() > 500_000)
  await tabs[0]!.run(({ sleep }) => sleep(1000))
  expect(each.server.stats).toMatchObject({ refreshes: 1, thefts: 0, api: 0 })
})
