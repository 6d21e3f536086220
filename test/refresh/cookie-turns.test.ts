// Tabs that share a cookie take turns with it, also where each keeps its session in its own memory.

import { createSession, memory, type Session } from 'resesh'
import { bearer } from 'resesh/backends/bearer'
import { expect, test } from 'vitest'
import { createBrowser } from '../sim/browser.ts'
import { createClock } from '../sim/clock.ts'
import { createDice } from '../sim/dice.ts'
import { createTab } from '../sim/tab.ts'
import { jwt } from '../support/session.ts'

/** A server that takes each cookie once, and ends the session that uses one twice. */
const openTabs = (count: number, answerMs: number, refreshTokenIn: 'cookie' | 'none' = 'cookie') => {
  const dice = createDice(1)
  const clock = createClock(dice.fork())
  const faults = () => 0
  const seen = { robbed: 0 }
  const browser = createBrowser({ clock, dice, faults, onPost() {}, onStolen: () => seen.robbed++, onStored() {} })
  const server = { refreshes: 0, inFlight: 0, most: 0, jar: 1, isOver: false }
  const fetchOf = () => async (input: RequestInfo | URL) => {
    if (!(input as string).endsWith('/refresh')) {
      return new Response(null, { status: 401 })
    }
    const sent = server.jar
    server.most = Math.max(server.most, ++server.inFlight)
    await new Promise<void>((done) => clock.at(answerMs, null, done))
    server.inFlight--
    server.isOver ||= sent !== server.jar
    if (server.isOver) return new Response('{}', { status: 401 })
    server.jar++
    return Response.json({ accessToken: jwt({ sub: 'ann', n: ++server.refreshes }) })
  }
  const sessions: Session[] = Array.from({ length: count }, (_, id) => {
    const wall = () => clock.time
    const tab = createTab(id, {
      clock,
      browser,
      dice: dice.fork(),
      wall,
      isOnline: () => true,
      fetchOf,
    })
    return createSession({
      backend: bearer({ refreshUrl: 'https://app.test/refresh', refreshTokenIn }),
      storage: memory(),
      refreshAhead: 'never',
      platform: tab.platform,
      ...(refreshTokenIn === 'none' && { initial: { accessToken: 'old' } }),
    })
  })
  const pass = (ms: number) => clock.until(clock.time + ms, () => false)
  return { sessions, server, seen, pass }
}

test.each([2, 8])('%d tabs in memory never have two refreshes in flight, and all end up signed in', async (count) => {
  const { sessions, server, seen, pass } = openTabs(count, 300)
  await pass(20_000)
  expect(sessions.map(({ current }) => current.status)).toEqual(sessions.map(() => 'authenticated'))
  expect(server).toMatchObject({ refreshes: count, most: 1, isOver: false })
  const forced = Promise.all(sessions.map((each) => each.getToken({ skipCache: true })))
  await pass(20_000)
  expect(new Set(await forced).size).toBe(count)
  expect(server).toMatchObject({ refreshes: 2 * count, most: 1, isOver: false })
  expect(seen.robbed).toBe(0)
  sessions.forEach((each) => each.dispose())
})

test('a tab whose turn has only begun is not robbed by one that has waited long', async () => {
  const { sessions, server, seen, pass } = openTabs(2, 9_000)
  await pass(60_000)
  const forced = Promise.allSettled(sessions.map((each) => each.refresh()))
  await pass(60_000)
  expect((await forced).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled'])
  expect(server).toMatchObject({ most: 1, isOver: false })
  expect(seen.robbed).toBe(0)
  sessions.forEach((each) => each.dispose())
})

test('tabs in memory that share no cookie wait for nobody', async () => {
  const { sessions, server, pass } = openTabs(3, 300, 'none')
  const forced = Promise.allSettled(sessions.map((each) => each.refresh()))
  await pass(5_000)
  await forced
  expect(server.most).toBe(3)
  sessions.forEach((each) => each.dispose())
})
