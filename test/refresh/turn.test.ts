// Whose turn it is over all tabs, when somebody does not let go of it. A simulated browser gives the locks.

import { expect, test } from 'vitest'
import { BLANK, journalled } from '../../src/core/record.ts'
import { createTurn } from '../../src/flow/turn.ts'
import { globalsOf } from '../../src/platform/globals.ts'
import { createWorld } from '../../src/platform/world.ts'
import { createBrowser } from '../sim/browser.ts'
import { createClock } from '../sim/clock.ts'
import { createDice } from '../sim/dice.ts'
import { createTab } from '../sim/tab.ts'
import { setup as signedIn, url } from '../support/session.ts'

const TIMEOUT = 10_000

const setup = async (count: number) => {
  const dice = createDice(1)
  const clock = createClock(dice.fork())
  const seen = { robbed: 0, inside: 0, most: 0, done: 0 }
  const browser = createBrowser({
    clock,
    dice: dice.fork(),
    faults: () => 0,
    onPost() {},
    onStolen: () => seen.robbed++,
    onStored() {},
  })
  const tabs = Array.from({ length: count }, (_, id) => {
    const wall = () => clock.time
    const tab = createTab(id, { clock, browser, dice: dice.fork(), wall, isOnline: () => true, fetchOf: () => fetch })
    const world = createWorld(globalsOf(tab.platform), browser.storageOf(tab), 'turn', () => {})
    const turn = createTurn(world, TIMEOUT)
    return {
      read: world.read,
      stall: () => turn(() => new Promise(() => {})),
      /** An attempt that is journalled, and takes so long. */
      attempt: (ms: number) =>
        turn(async () => {
          seen.most = Math.max(seen.most, ++seen.inside)
          await world.update((old) => journalled(old ?? BLANK, clock.time, TIMEOUT))
          await new Promise<void>((done) => world.after(ms, done))
          seen.inside--
          seen.done++
        }),
    }
  })
  const pass = (ms: number) => clock.until(clock.time + ms, () => false)
  // The storage is loaded as it is needed, and that takes real time.
  const loaded = new Set<unknown>()
  for (const { read } of tabs) void read().then(() => loaded.add(read))
  while (loaded.size < count) await pass(1)
  return { tabs, seen, pass }
}

test('of the tabs that lose patience with one that stalls, one robs it, and the others wait for that one', async () => {
  const { tabs, seen, pass } = await setup(8)
  const [stalled, ...others] = tabs
  void stalled!.stall()
  await pass(100)
  others.forEach(({ attempt }) => void attempt(9000))
  await pass(100_000)
  expect(seen).toEqual({ robbed: 1, inside: 0, most: 1, done: 7 })
})

test('who has waited for its own tab has lost no patience with the others', async () => {
  const { tabs, seen, pass } = await setup(2)
  const [one, other] = tabs
  void one!.attempt(15_000)
  void one!.attempt(10)
  await pass(8000)
  void other!.attempt(5000)
  await pass(50_000)
  expect(seen).toEqual({ robbed: 0, inside: 0, most: 1, done: 3 })
})

test('a holder that was robbed before it sent its refresh takes another turn first', async () => {
  let stored: string | null = null
  let rob: ((reason: Error) => void) | null = null
  let turns = 0
  const { wire, session, server } = await signedIn({
    replayWindow: 10_000,
    storage: {
      getItem: () => stored,
      setItem: (_, value) => (stored = value),
      removeItem: () => (stored = null),
      update(_, change) {
        const next = change(stored)
        if (next === undefined) return false
        stored = next
        // What is written now is the journal: the lock goes in that very moment, once.
        rob?.(new DOMException('Stolen', 'AbortError'))
        rob = null
        return true
      },
    },
    platform: {
      navigator: {
        locks: {
          request: (_: string, __: LockOptions, hold: () => Promise<unknown>) =>
            new Promise((resolve, reject) => {
              if (++turns === 1) rob = reject
              void hold().then(resolve)
            }),
        },
      } as unknown as Navigator,
    },
  })
  server.expireAccessTokens()
  expect((await session.fetch(url('/api/me'))).status).toBe(200)
  expect([turns, wire.to('/auth/refresh').length]).toEqual([2, 1])
})
