// A tab that refreshes is gone, sleeps, or stands still: how long the others wait for it, and that no refresh token is sent again
// while somebody can still receive the answer. Tabs of a simulated browser, and a server that answers when the test says so.

import { createSession, type Backend } from 'resesh'
import { custom } from 'resesh/storage/custom'
import { describe, expect, test } from 'vitest'
import { createBrowser } from '../sim/browser.ts'
import { createClock } from '../sim/clock.ts'
import { createDice } from '../sim/dice.ts'
import { createTab } from '../sim/tab.ts'
import { settled } from '../support/session.ts'

const TIMEOUT = 10_000

interface Asked {
  readonly tab: number
  readonly refreshToken: string
  answer(): void
  drop(): void
}

const setup = async (
  count: number,
  {
    cookies = false,
    replayWindow = 0,
    before,
    hasLocks = true,
  }: Partial<Backend> & { before?: () => Promise<void>; hasLocks?: boolean } = {},
) => {
  const dice = createDice(1)
  const clock = createClock(dice.fork())
  const wall = { skew: 0 }
  const asked: Asked[] = []
  const browser = createBrowser({
    clock,
    dice: dice.fork(),
    faults: () => 0,
    onPost() {},
    onStolen() {},
    onStored() {},
  })
  const tabs = Array.from({ length: count }, (__, id) => {
    const tab = createTab(id, {
      clock,
      browser,
      dice: dice.fork(),
      wall: () => 1e12 + wall.skew + clock.time,
      isOnline: () => true,
      fetchOf: (): typeof fetch => (_input, init) =>
        new Promise((resolve, reject) => {
          const refreshToken = init!.body as string
          const nth = asked.length + 2
          const body = JSON.stringify({ accessToken: `access-${nth}`, refreshToken: `refresh-${nth}` })
          const later = (run: () => void): void => void clock.at(1, tab, run)
          asked.push({
            tab: id,
            refreshToken,
            answer: () => later(() => resolve(new Response(body))),
            drop: () => later(() => reject(new TypeError('fetch failed'))),
          })
        }),
    })
    const session = createSession({
      backend: {
        name: 'test',
        cookies,
        needsToken: cookies,
        replayWindow,
        attach() {},
        restore: async (_io, stored) => stored,
        async refresh({ refreshToken }, { fetch }) {
          await before?.()
          return (await fetch('https://auth.test/refresh', { method: 'POST', body: refreshToken! })).json()
        },
      },
      storage: custom(browser.storageOf(tab)),
      platform: hasLocks ? tab.platform : { ...tab.platform, navigator: { onLine: true } as Navigator },
      timeout: TIMEOUT,
      refreshAhead: 'never',
    })
    return { tab, session }
  })
  const pass = (ms: number) => clock.until(clock.time + ms, () => false)
  /** Time passes until that many refreshes were sent. @returns how many ms */
  const untilAsked = async (wanted: number): Promise<number> => {
    const begun = clock.time
    await clock.until(begun + 5 * TIMEOUT, () => asked.length >= wanted)
    return clock.time - begun
  }
  const signedIn = tabs[0]!.session.signIn({ accessToken: 'access-1', refreshToken: 'refresh-1' })
  await pass(500)
  await signedIn
  const refresh = (at: number): void => void tabs[at]!.session.refresh().catch(() => {})
  return { tabs, asked, browser, wall, pass, untilAsked, refresh }
}

const both = [
  { backend: 'tokens in a body', options: {}, most: 600 },
  { backend: 'a cookie', options: { cookies: true }, most: TIMEOUT + 1000 },
]

test.each(both)('the tab that refreshes is killed, with $backend', async ({ options: { cookies = false }, most }) => {
  const { tabs, asked, pass, untilAsked, refresh } = await setup(3, { cookies })
  refresh(0)
  await untilAsked(1)
  refresh(1)
  refresh(2)
  await pass(300)
  tabs[0]!.tab.kill()
  const ms = await untilAsked(2)
  expect(ms).toBeLessThan(most)
  if (cookies) expect(ms).toBeGreaterThan(TIMEOUT - 1000)
  asked[1]!.answer()
  await pass(1000)
  expect(asked.map(({ refreshToken }) => refreshToken).slice(0, 2)).toEqual(['refresh-1', 'refresh-1'])
})

test.each(both)('its connection is dropped, with $backend', async ({ options: { cookies = false }, most }) => {
  const { asked, pass, untilAsked, refresh } = await setup(2, { cookies })
  refresh(0)
  await untilAsked(1)
  await pass(300)
  asked[0]!.drop()
  await pass(100)
  refresh(1)
  const ms = await untilAsked(2)
  expect(ms).toBeLessThan(Math.max(2500, most))
  if (cookies) expect(ms).toBeGreaterThan(TIMEOUT - 1500)
})

describe('a cookie, where asking again uses nothing up', () => {
  const options = { cookies: true, replayWindow: Infinity }

  test('the tab that refreshes is killed: another asks at once', async () => {
    const { tabs, asked, pass, untilAsked, refresh } = await setup(3, options)
    refresh(0)
    await untilAsked(1)
    refresh(1)
    refresh(2)
    await pass(300)
    tabs[0]!.tab.kill()
    expect(await untilAsked(2)).toBeLessThan(600)
    asked[1]!.answer()
    await pass(5000)
    expect(asked.map(({ tab }) => tab === 0)).toEqual([true, false, ...asked.slice(2).map(() => false)])
    expect(tabs[1]!.session.current).toMatchObject({ status: 'authenticated', stale: false })
  })

  test.each([true, false])(
    'its connection is dropped: asked for again on back-off; with Web Locks: %s',
    async (hasLocks) => {
      const { asked, pass, untilAsked, refresh } = await setup(2, { ...options, hasLocks })
      refresh(0)
      await untilAsked(1)
      await pass(300)
      asked[0]!.drop()
      await pass(100)
      refresh(1)
      expect(await untilAsked(2)).toBeLessThan(2500)
    },
  )

  test('an answer that is only slow keeps its turn', async () => {
    const { asked, pass, refresh, untilAsked } = await setup(2, options)
    refresh(0)
    await untilAsked(1)
    refresh(1)
    await pass(8000)
    expect(asked).toHaveLength(1)
  })
})

test('it is frozen: nobody takes it for dead, its deadline counts', async () => {
  const { tabs, untilAsked, refresh } = await setup(2)
  refresh(0)
  await untilAsked(1)
  tabs[0]!.tab.sleep('freeze')
  refresh(1)
  const ms = await untilAsked(2)
  expect(ms).toBeGreaterThan(TIMEOUT - 500)
  expect(ms).toBeLessThan(TIMEOUT + 1000)
})

test('it is frozen, and killed as it sleeps: the next one asks as soon as it is gone', async () => {
  const { tabs, asked, pass, untilAsked, refresh } = await setup(2)
  refresh(0)
  await untilAsked(1)
  tabs[0]!.tab.sleep('freeze')
  refresh(1)
  await pass(3000)
  expect(asked).toHaveLength(1)
  tabs[0]!.tab.kill()
  expect(await untilAsked(2)).toBeLessThan(600)
})

test('an old attempt that sleeps hides no later one that is gone', async () => {
  const { tabs, asked, pass, untilAsked, refresh } = await setup(3)
  refresh(0)
  await untilAsked(1)
  tabs[0]!.tab.sleep('freeze')
  refresh(1)
  await untilAsked(2)
  refresh(2)
  await pass(300)
  tabs[1]!.tab.kill()
  expect(await untilAsked(3)).toBeLessThan(600)
  expect(asked.map(({ tab }) => tab)).toEqual([0, 1, 2])
})

test('the late answer of a frozen tab is adopted, where nobody has asked since', async () => {
  const { tabs, asked, pass, untilAsked, refresh } = await setup(2)
  refresh(0)
  await untilAsked(1)
  tabs[0]!.tab.sleep('freeze')
  await pass(3000)
  refresh(1)
  asked[0]!.answer()
  await pass(1000)
  tabs[0]!.tab.wake()
  await untilAsked(2)
  expect(asked[1]!.refreshToken).toBe('refresh-2')
})

test.each([
  { holder: 'stands still', isStill: true, least: 1500, most: 3500 },
  { holder: 'is only slow to be answered', isStill: false, least: TIMEOUT - 1000, most: TIMEOUT + 2000 },
])(
  'the holder of the lock $holder, and the server forgives: when its lock is taken',
  async ({ isStill, least, most }) => {
    const { tabs, untilAsked, refresh } = await setup(4, { replayWindow: 60_000 })
    refresh(0)
    await untilAsked(1)
    if (isStill) tabs[0]!.tab.sleep('stall')
    for (const at of [1, 2, 3]) refresh(at)
    const ms = await untilAsked(2)
    expect(ms).toBeGreaterThan(least)
    expect(ms).toBeLessThan(most)
  },
)

test('it stands still, and the server forgives nothing: its lock is left to it until its deadline', async () => {
  const { tabs, untilAsked, refresh } = await setup(2)
  refresh(0)
  await untilAsked(1)
  tabs[0]!.tab.sleep('stall')
  refresh(1)
  expect(await untilAsked(2)).toBeGreaterThan(TIMEOUT - 500)
})

// The backend waits for something of its own between the journal and its request: all may happen there.
const mishaps: [what: string, ms: number, happen: (world: Awaited<ReturnType<typeof setup>>) => void][] = [
  ['nothing', 1000, () => {}],
  ['the storage is cleared', 1000, ({ browser }) => browser.clear()],
  ['the wall clock is set back', 1000, ({ wall }) => (wall.skew -= 3_600_000)],
  ['the wall clock is set forward', 1000, ({ wall }) => (wall.skew += 3_600_000)],
  ['the machine sleeps, and only Date moves', 0, ({ wall }) => (wall.skew += 7_200_000)],
  ['the machine sleeps, and both clocks move', 7_200_000, ({ tabs }) => tabs[0]!.tab.sleep('freeze')],
  ['the tab is frozen', 5000, ({ tabs }) => tabs[0]!.tab.sleep('freeze')],
  ['the tab stands still', 15_000, ({ tabs }) => tabs[0]!.tab.sleep('stall')],
  [
    'the tab is frozen, and the wall clock is set back as far',
    5000,
    ({ tabs, wall }) => {
      tabs[0]!.tab.sleep('freeze')
      wall.skew -= 5000
    },
  ],
  [
    'the tab is frozen, and the storage is cleared',
    5000,
    ({ tabs, browser }) => {
      tabs[0]!.tab.sleep('freeze')
      browser.clear()
    },
  ],
  [
    'the tab stands still, and the wall clock is set back as far',
    15_000,
    ({ tabs, wall }) => {
      tabs[0]!.tab.sleep('stall')
      wall.skew -= 15_000
    },
  ],
  [
    'the tab stands still, and the storage is cleared',
    15_000,
    ({ tabs, browser }) => {
      tabs[0]!.tab.sleep('stall')
      browser.clear()
    },
  ],
]

test.each(mishaps)('between the journal and the request %s: one token is spent once', async (_, ms, happen) => {
  let go!: () => void
  let isFirst = true
  const before = (): Promise<void> => {
    if (!isFirst) return Promise.resolve()
    isFirst = false
    return new Promise((done) => (go = done))
  }
  const world = await setup(2, { before })
  const { tabs, asked, pass, refresh } = world
  refresh(0)
  await pass(200)
  happen(world)
  refresh(1)
  await pass(ms / 2)
  asked.forEach(({ answer }) => answer())
  await pass(ms / 2)
  tabs[0]!.tab.wake()
  go()
  for (let n = 0; n < 10; n++) {
    await pass(2000)
    asked.forEach(({ answer }) => answer())
  }
  await settled()
  const spent = asked.map(({ refreshToken }) => refreshToken)
  expect(new Set(spent).size, spent.join()).toBe(spent.length)
  expect(spent.length).toBeGreaterThanOrEqual(1)
})

test('a frozen tab waits for its answer, and the storage is cleared: no other tab sends that token before the deadline', async () => {
  const { tabs, asked, browser, pass, untilAsked, refresh } = await setup(2)
  refresh(0)
  await untilAsked(1)
  tabs[0]!.tab.sleep('freeze')
  browser.clear()
  refresh(1)
  await pass(TIMEOUT / 2)
  expect(asked).toHaveLength(1)
  asked[0]!.answer()
  tabs[0]!.tab.wake()
  await untilAsked(2)
  expect(asked[1]!.refreshToken).toBe('refresh-2')
})
