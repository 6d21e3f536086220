// The server ends the session under a request. Where the app wants that, the request waits for the same user's next sign-in.

import { SessionEndedError, type SessionOptions } from 'resesh'
import { expect, test, vi } from 'vitest'
import { askSignIn, askStepUp, type SignInAsked, type StepUpAsked } from '../extensions/asking.ts'
import { createSampleServer } from '../servers/sample/server.ts'
import {
  createClock,
  fetchOf,
  login,
  type Setup,
  settled,
  setup,
  type SetupOptions,
  thrownBy,
  url,
} from '../support/session.ts'

const ORDERS = url('/api/orders')
const order = (id: string, init?: RequestInit): [string, RequestInit] => [
  ORDERS,
  { method: 'POST', body: JSON.stringify({ id }), ...init },
]

/** Ann's session is over, and only the server knows. Whoever asks for her to sign in again is in `asked`. */
const ended = async ({ use = [], ...options }: Partial<SessionOptions> = {}, how?: SetupOptions) => {
  const asked: SignInAsked[] = []
  const all = await setup({ use: [askSignIn(asked), ...use], ...options }, how)
  all.server.revoke('ann')
  return { ...all, asked }
}

/** An order that waits. */
const parked = async (init?: RequestInit, options: Partial<SessionOptions> = {}) => {
  const all = await ended(options)
  const response = all.session.fetch(...order('o-1', init))
  response.catch(() => {})
  await vi.waitUntil(() => all.asked.length > 0)
  return { ...all, response }
}

const signIn = async ({ session, server }: Pick<Setup, 'session' | 'server'>, username = 'ann') =>
  session.signIn(await login(server, username))
const sentTo = ({ wire }: Pick<Setup, 'wire'>, path: string) => wire.to(path).length

test('it is told of each request, and why; they wait, whatever becomes of the rest', async () => {
  const { session, asked, wire } = await ended()
  const responses = [session.fetch(...order('o-1')), session.fetch(url('/api/me'))]
  await vi.waitUntil(() => asked.length === 2)
  expect(asked.map(({ reason, request }) => [reason, request.method, request.url])).toEqual([
    ['expired', 'POST', ORDERS],
    ['expired', 'GET', url('/api/me')],
  ])
  expect(session.current).toMatchObject({ status: 'unauthenticated', reason: 'expired' })
  // Nobody's own request, made after the end, is as ever.
  expect((await session.fetch(url('/api/empty'))).status).toBe(401)
  expect(asked).toHaveLength(2)
  expect(await Promise.race([...responses, settled()])).toBe(undefined)
  expect(wire.to('/api/orders')).toHaveLength(1)
})

test('the same user signs in: they go on with the new credentials, each accepted once', async () => {
  const all = await ended()
  const { session, server, asked, wire } = all
  const responses = Array.from({ length: 20 }, (_, nth) => session.fetch(...order(`o-${nth}`)))
  await vi.waitUntil(() => asked.length === 20)
  await signIn(all)
  expect((await Promise.all(responses)).map(({ status }) => status)).toEqual(responses.map(() => 201))
  expect(Object.values(server.stats.orders)).toEqual(responses.map(() => 1))
  const token = await session.getToken()
  const replays = wire.to('/api/orders').slice(20)
  expect(new Set(replays.map(({ headers }) => headers.get('authorization')))).toEqual(new Set([`Bearer ${token}`]))
  expect(server.stats.refreshes).toBe(1)
})

test('another user signs in: they reject, and nothing is sent as that one', async () => {
  const all = await parked()
  await signIn(all, 'bob')
  expect(await thrownBy(all.response)).toMatchObject({ code: 'ERR_SESSION_ENDED', reason: 'signed-in' })
  await signIn(all)
  await settled()
  expect(sentTo(all, '/api/orders')).toBe(1)
})

test.each([
  ['no name', {}],
  ['no id', { user: { name: 'Ann' } }],
  ['an id of null', { user: { id: null } }],
])('a user of whom it can’t be told that it is the same is another: %s', async (_, whose) => {
  const all = await parked({}, { initial: { accessToken: 'opaque', refreshToken: 'unknown', ...whose } })
  await all.session.signIn({ accessToken: 'opaque-2', ...whose })
  expect(await thrownBy(all.response)).toMatchObject({ reason: 'signed-in' })
  expect(sentTo(all, '/api/orders')).toBe(1)
})

test('an abort frees the one that waits; it is never sent again', async () => {
  const caller = new AbortController()
  const all = await parked({ signal: caller.signal })
  caller.abort('gone')
  expect(await thrownBy(all.response)).toBe('gone')
  await signIn(all)
  await settled()
  expect(sentTo(all, '/api/orders')).toBe(1)
})

test('reject() hands back the server’s answer', async () => {
  const all = await parked()
  all.asked[0]!.reject()
  expect((await all.response).status).toBe(401)
  expect(await (await all.response).json()).toMatchObject({ error: 'invalid_token' })
  expect(sentTo(all, '/api/orders')).toBe(1)
})

test('a sign-out says that nobody will come back: they reject', async () => {
  const all = await parked()
  await all.session.signOut()
  expect(await thrownBy(all.response)).toBeInstanceOf(SessionEndedError)
  expect(await thrownBy(all.response)).toMatchObject({ reason: 'expired' })
  await signIn(all)
  await settled()
  expect(sentTo(all, '/api/orders')).toBe(1)
})

test('a session that is disposed of lets those that wait go', async () => {
  const all = await parked()
  all.session.dispose()
  expect((await all.response).status).toBe(401)
})

test('where nobody listens, each gets its own answer at once', async () => {
  const { session, server, wire } = await setup()
  server.revoke('ann')
  expect((await session.fetch(...order('o-1'))).status).toBe(401)
  expect(wire.to('/api/orders')).toHaveLength(1)
})

test('one that was never sent waits, too, and then goes out for the first time', async () => {
  const clock = createClock()
  const all = await ended({}, { clock })
  await clock.pass(61_000)
  const [first, second] = [all.session.fetch(...order('o-1')), all.session.fetch(...order('o-2'))]
  await vi.waitUntil(() => all.asked.length === 2)
  expect(sentTo(all, '/api/orders')).toBe(0)
  all.asked[1]!.reject() // goes without, as where nobody listens
  expect((await second).status).toBe(401)
  await signIn(all)
  expect((await first).status).toBe(201)
  expect(all.server.stats.orders).toEqual({ 'o-1': 1 })
})

test('an answer that comes after the end waits, too', async () => {
  const all = await ended()
  const late = all.wire.hold('/api/orders')
  const response = all.session.fetch(...order('o-1'))
  await late.arrived
  await all.session.refresh()
  expect(all.session.current.reason).toBe('expired')
  late.release()
  await vi.waitUntil(() => all.asked.length === 1)
  await signIn(all)
  expect((await response).status).toBe(201)
  expect(all.server.stats.orders).toEqual({ 'o-1': 1 })
})

test('an answer that comes after the end is handed back where the request may not be sent again', async () => {
  const all = await ended()
  const late = all.wire.hold('/api/orders')
  const response = all.session.fetch(...order('o-1', { session: { replay: 'never' } } as RequestInit))
  await late.arrived
  await all.session.refresh()
  late.release()
  expect((await response).status).toBe(401)
  expect(all.asked).toEqual([])
})

test('an answer that comes after a sign-out, or to nobody, is handed back', async () => {
  const all = await ended()
  const late = all.wire.hold('/api/orders')
  const response = all.session.fetch(...order('o-1'))
  await late.arrived
  await all.session.signOut()
  late.release()
  expect((await response).status).toBe(401)
  expect((await all.session.fetch(...order('o-2'))).status).toBe(401)
  expect(all.asked).toEqual([])
})

/** As {@link ended}; from `isOn` on, orders want more of the user. */
const demanding = async () => {
  const server = createSampleServer()
  const demand = { isOn: false }
  const challenge = { 'www-authenticate': 'Bearer error="insufficient_user_authentication"' }
  const fetch: typeof globalThis.fetch = async (...args) =>
    demand.isOn && new Request(...args).url === ORDERS
      ? new Response(null, { status: 401, headers: challenge })
      : fetchOf(server)(...args)
  const steps: StepUpAsked[] = []
  const all = await ended({ use: [askStepUp(steps)], platform: { fetch } }, { server })
  return { ...all, demand, steps }
}

test('one that waits for a step-up waits on for the sign-in', async () => {
  const all = await demanding()
  all.demand.isOn = true
  const response = all.session.fetch(...order('o-1'))
  await vi.waitUntil(() => all.steps.length === 1)
  await all.session.refresh()
  await vi.waitUntil(() => all.asked.length === 1)
  all.demand.isOn = false
  await signIn(all)
  expect((await response).status).toBe(201)
})

test('gone on, it belongs to the new session, and may wait for a step-up there', async () => {
  const all = await demanding()
  const response = all.session.fetch(...order('o-1'))
  await vi.waitUntil(() => all.asked.length === 1)
  all.demand.isOn = true
  await signIn(all)
  await vi.waitUntil(() => all.steps.length === 1)
  await all.session.refresh()
  all.demand.isOn = false
  all.steps[0]!.resolve()
  expect((await response).status).toBe(201)
})

test.each([
  ['replay: never', { session: { replay: 'never' } }],
  ['a body that can be sent once', { body: new ArrayBuffer(64 * 2 ** 20 + 1) }],
])('%s: the answer is handed back', async (_, init) => {
  const { session, asked, server } = await ended()
  const response = await session.fetch(...order('o-1', init as RequestInit))
  expect(response.status).toBe(401)
  await settled()
  expect([asked, server.stats.orders]).toEqual([[], {}])
})

test('a thousand wait; the others get their answer', async () => {
  const all = await ended()
  const responses = Array.from({ length: 1001 }, (_, nth) => all.session.fetch(url(`/api/items/${nth}`)))
  expect((await Promise.race(responses)).status).toBe(401)
  expect(all.asked).toHaveLength(1000)
  await signIn(all)
  const tally = (await Promise.all(responses)).map(({ status }) => status)
  expect(tally.filter((status) => status === 200)).toHaveLength(1000)
  // Then there is room again.
  all.server.revoke('ann')
  all.session.fetch(url('/api/items/1')).catch(() => {})
  await vi.waitUntil(() => all.asked.length === 1001)
})
