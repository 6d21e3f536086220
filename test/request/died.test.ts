// Tokens that die early, or come late: a refusal is a route's own only right after a refresh, by a token that must still be good. And
// what another tab has got is used as soon as it is here, not when this tab has its turn to refresh.

import { createSession, type SessionOptions } from 'resesh'
import { expect, onTestFinished, test } from 'vitest'
import {
  bearerBackend,
  createClock,
  defer,
  evenChance,
  login,
  settled,
  setup,
  sharedStorage,
  url,
} from '../support/session.ts'

const LIFE = 60_000

test('a token that died while its refusal was on the way is renewed once more', async () => {
  const clock = createClock()
  const { server, session, wire } = await setup({ refreshAhead: 'never' }, { clock })
  server.knobs.alwaysExpired = true
  const [, second] = [wire.hold('/api/me'), wire.hold('/api/me')].map((held, nth) => (nth || held.release(), held))
  const response = session.fetch(url('/api/me'))
  await second!.arrived
  server.knobs.alwaysExpired = false
  await clock.pass(LIFE)
  second!.release()
  expect((await response).status).toBe(200)
  expect(server.stats.refreshes).toBe(2)
})

test('what a route refused moments ago says nothing about a token that has died since', async () => {
  const clock = createClock()
  const { server, session, wire } = await setup(
    { refreshAhead: 'never' },
    { clock, knobs: { accessTokenLifeSeconds: 1 } },
  )
  server.knobs.alwaysExpired = true
  expect((await session.fetch(url('/api/me'))).status).toBe(401)
  await clock.pass(700)
  const late = wire.hold('/api/me')
  const response = session.fetch(url('/api/me'))
  await late.arrived
  server.knobs.alwaysExpired = false
  await clock.pass(200)
  late.release()
  expect((await response).status).toBe(200)
})

/** Two tabs of one browser. The first has its turn to refresh only once `turn` is resolved, as if another one was frozen in its own. */
const twoTabs = async ({ areNewsHeard, ...options }: { areNewsHeard: boolean } & Partial<SessionOptions>) => {
  const clock = createClock()
  const storage = sharedStorage()
  const turn = defer()
  const channels = new Set<{ onmessage?: (event: { data: unknown }) => void }>()
  class Channel {
    declare onmessage?: (event: { data: unknown }) => void
    constructor() {
      channels.add(this)
    }
    postMessage(data: unknown): void {
      for (const each of channels) if (each !== this) queueMicrotask(() => each.onmessage?.({ data }))
    }
    close(): void {
      channels.delete(this)
    }
  }
  const navigatorOf = (untilFree: Promise<void> | undefined) =>
    ({
      locks: {
        async request(name: string, _: LockOptions, hold: () => Promise<unknown>) {
          if (!name.includes(':attempt:')) await untilFree
          return hold()
        },
        query: async () => ({ held: [], pending: [] }),
      },
    }) as unknown as Navigator
  const shared = {
    ...clock.platform,
    Math: evenChance,
    BroadcastChannel: areNewsHeard ? (Channel as unknown as typeof BroadcastChannel) : null,
  }
  const settings = { storage, refreshAhead: 'never' as const, ...options }
  const platform = { ...shared, navigator: navigatorOf(turn.promise) }
  const { server, session, wire } = await setup({ ...settings, platform }, { clock })
  const other = createSession({
    backend: bearerBackend(),
    origins: [url('')],
    ...settings,
    platform: { ...shared, navigator: navigatorOf(undefined), fetch: wire.fetch },
  })
  onTestFinished(other.dispose)
  await clock.pass(0)
  await other.ready()
  return { server, session, other, wire, clock, turn }
}

test('what another tab has got serves the requests that wait here, long before the turn of this tab', async () => {
  const { server, session, other, wire, clock, turn } = await twoTabs({ areNewsHeard: true })
  server.expireAccessTokens()
  const response = session.fetch(url('/api/me'))
  await clock.pass(1)
  await other.refresh()
  expect((await response).status).toBe(200)
  turn.resolve()
  await settled()
  expect([server.stats.refreshes, wire.to('/api/me').length]).toEqual([1, 2])
})

test('a request that was held unsent goes out with what another tab has got', async () => {
  const { session, other, wire, clock } = await twoTabs({ areNewsHeard: true })
  await clock.pass(LIFE)
  const response = session.fetch(url('/api/me'))
  await settled()
  await other.refresh()
  expect((await response).status).toBe(200)
  expect(wire.to('/api/me')).toHaveLength(1)
})

test('a token that another tab got a second ago may have died since: its refusal is not the route’s own', async () => {
  const { server, session, other, clock, turn } = await twoTabs({ areNewsHeard: false })
  server.expireAccessTokens()
  const response = session.fetch(url('/api/me'))
  await settled()
  await other.refresh()
  await clock.pass(1_500)
  server.expireAccessTokens()
  turn.resolve()
  expect((await response).status).toBe(200)
  expect(server.stats.refreshes).toBe(2)
})

test('a held request is not sent with a token that another tab got, and that is spent by the turn of this tab', async () => {
  const { server, session, other, wire, clock, turn } = await twoTabs({ areNewsHeard: false, timeout: 2 * LIFE })
  await clock.pass(LIFE)
  const response = session.fetch(url('/api/me'))
  await settled()
  await other.refresh()
  await clock.pass(LIFE)
  turn.resolve()
  expect((await response).status).toBe(200)
  expect([server.stats.refreshes, wire.to('/api/me').length]).toEqual([2, 1])
})

test('a request that waits beside a forced caller is not content with the token that it was refused with', async () => {
  const { server, session, other, wire, turn } = await twoTabs({ areNewsHeard: true })
  const forced = session.getToken({ skipCache: true })
  await settled()
  await other.refresh()
  server.expireAccessTokens()
  const response = session.fetch(url('/api/me'))
  await settled()
  turn.resolve()
  expect((await response).status).toBe(200)
  expect(await forced).not.toBe(null)
  expect([server.stats.refreshes, wire.to('/api/me').length]).toEqual([2, 2])
})

test('a sign-in as another user in one tab, while the other tab waits for its turn, wakes nothing as that one', async () => {
  const { server, session, other } = await twoTabs({ areNewsHeard: true })
  server.expireAccessTokens()
  const response = session.fetch(url('/api/me'))
  response.catch(() => {})
  await settled()
  await other.signIn(await login(server, 'bob'))
  await expect(response).rejects.toMatchObject({ name: 'SessionEndedError' })
})
