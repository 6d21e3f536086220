// Whose turn it is over all tabs, when somebody does not let go of it. A simulated browser gives the locks.

import { type Credentials, defineBackend } from 'resesh'
import { expect, test } from 'vitest'
import { custom } from 'resesh/storage/custom'
import { createLock } from '../../src/refresh/lock.ts'
import { globalsOf } from '../../src/runtime/globals.ts'
import { createRuntime } from '../../src/runtime/runtime.ts'
import { beginAttempt } from '../../src/state/steps.ts'
import { BLANK, type SessionRecord } from '../../src/state/record.ts'
import { createBrowser } from '../sim/browser.ts'
import { createClock } from '../sim/clock.ts'
import { createDice } from '../sim/dice.ts'
import { createTab } from '../sim/tab.ts'
import { createClock as createTestClock, setup as signedIn, sharedStorage, url } from '../support/session.ts'

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
    const runtime = createRuntime(globalsOf(tab.platform), custom(browser.storageOf(tab)), 'lock', () => {})
    const { records } = runtime
    const withLock = createLock(runtime, TIMEOUT)
    return {
      stall: () => withLock(() => new Promise(() => {})),
      /** An attempt that is journalled, and takes so long. */
      attempt: (ms: number) =>
        withLock(async () => {
          seen.most = Math.max(seen.most, ++seen.inside)
          await records.update((old) => beginAttempt(old ?? BLANK, clock.time, TIMEOUT))
          await new Promise<void>((done) => runtime.clock.after(ms, done))
          seen.inside--
          seen.done++
        }),
    }
  })
  const pass = (ms: number) => clock.until(clock.time + ms, () => false)
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
    storage: custom({
      getItem: () => stored,
      setItem: (_, value) => (stored = value),
      update(_, change) {
        const next = change(stored)
        if (next === undefined) return false
        stored = next
        // What is written now is the journal: the lock goes in that very moment, once.
        rob?.(new DOMException('Stolen', 'AbortError'))
        rob = null
        return true
      },
    }),
    platform: {
      navigator: {
        locks: {
          request: (name: string, _: LockOptions, hold: () => Promise<unknown>) =>
            new Promise((resolve, reject) => {
              // Beside the lock of the session, each attempt holds one of its own.
              if (!name.includes(':attempt:') && ++turns === 1) rob = reject
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

// The tab that has sent the last attempt is client `a`, this tab is client `b`, and it believes that it has the lock.
test.each([
  { holder: 'a', sends: 0, what: 'that tab has the lock: this tab lost it, and leaves the healthy answer alone' },
  { holder: 'b', sends: 1, what: 'that tab has lost the lock: the server forgives one more use' },
])('an attempt is under way in another tab, and $what', async ({ holder, sends }) => {
  let name = ''
  const clock = createTestClock()
  const storage = sharedStorage()
  const held: LockInfo[] = []
  const locks = {
    request: (asked: string, _: LockOptions, hold: () => Promise<unknown>) => {
      if (asked.includes(':attempt:')) held.push({ name: asked, clientId: 'b' })
      else name = asked
      return hold()
    },
    query: async () => ({ held: [...held, { name, clientId: holder }] }),
  }
  const platform = { navigator: { locks } as unknown as Navigator, BroadcastChannel: null }
  const { wire, session } = await signedIn(
    { storage, replayWindow: 30_000, refreshAhead: 'never', platform },
    { clock },
  )
  await session.refresh()
  const row = JSON.parse(storage.text!) as { record: SessionRecord }
  row.record = beginAttempt(row.record, clock.now(), TIMEOUT, true)
  storage.text = JSON.stringify(row)
  const { version, attempt } = row.record
  held.splice(0, held.length, { name: `${name}:attempt:${version.generation}.${attempt}`, clientId: 'a' })

  const before = wire.to('/auth/refresh').length
  const refreshed = session.refresh().catch(() => {})
  await clock.pass(2000)
  expect(wire.to('/auth/refresh').length - before).toBe(sends)
  await clock.pass(TIMEOUT)
  await refreshed
})

// Its lock is held for the late answer, and the tab has the lock of the session again: that is no other tab.
test.each([false, true])(
  'a late attempt of this very tab costs the next one no turn (cookies: %s)',
  async (cookies) => {
    const clock = createTestClock()
    const storage = sharedStorage()
    const held = new Set<LockInfo>()
    const locks = {
      async request(name: string, _: LockOptions, hold: () => Promise<unknown>) {
        const lock = { name, clientId: 'me' }
        held.add(lock)
        await hold().finally(() => held.delete(lock))
      },
      query: async () => ({ held: [...held] }),
    }
    const platform = { navigator: { locks } as unknown as Navigator, BroadcastChannel: null }
    const answers: Promise<object>[] = [new Promise(() => {}), Promise.resolve({ accessToken: 'next' })]
    const backend = { ...defineBackend({ refresh: () => answers.shift()! as Promise<Credentials> }), cookies }
    const initial = { accessToken: 'first', expiresInSeconds: 3600 }
    const options = { backend, initial, storage, refreshAhead: 'never', platform } as const
    const { session } = await signedIn(options, { clock })
    const attempt = () => (JSON.parse(storage.text!) as { record: SessionRecord }).record.attempt
    const before = attempt()
    const late = session.refresh().catch(() => {})
    await clock.pass(TIMEOUT)
    await late
    const next = session.refresh()
    await clock.pass(1_000)
    await next
    expect(attempt() - before).toBe(2)
    expect(await session.getToken()).toBe('next')
  },
)
