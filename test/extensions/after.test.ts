// After an edit: what the token says is renewed without a call, by a rule of the app or by the server's word.

import { type SessionOptions, StepUpRequiredError } from 'resesh'
import { refreshAfter, type RefreshAfterRule } from 'resesh/refresh-after'
import { expect, test, vi } from 'vitest'
import { createSampleServer, type SampleServerOptions } from '../servers/sample/server.ts'
import {
  bearerBackend,
  createClock,
  createWire,
  fetchOf,
  ORIGIN,
  settled,
  setup,
  thrownBy,
  url,
} from '../support/session.ts'

const ME = url('/api/me')
const by = (rules?: RefreshAfterRule[]): Partial<SessionOptions> => ({ use: [refreshAfter(rules)] })
const byRule = (action: 'refresh' | 'reload', wait = false) => by([{ method: 'PATCH', path: '/api/me', action, wait }])
const saying = (editSays: string): SampleServerOptions => ({ knobs: { editSays } })

const edited = async (...args: Parameters<typeof setup>) => {
  const { session, ...rest } = await setup(...args)
  const edit = (change: object, init?: RequestInit) =>
    session.fetch(ME, { method: 'PATCH', body: JSON.stringify(change), ...init })
  return { session, edit, ...rest }
}

test.each([
  ['a rule', byRule('refresh'), {}],
  ['the server', by(), saying('refresh')],
])('%s says refresh: the new claims come without a call', async (_, options, server) => {
  const { edit, session, states, wire } = await edited(options, server)
  expect((await edit({ role: 'admin' })).status).toBe(200)
  await vi.waitUntil(() => states.length > 0)
  expect(session.current).toMatchObject({ reason: 'refreshed', claims: { role: 'admin' } })
  expect(wire.sent.map(({ path }) => path)).toEqual(['/api/me', '/auth/refresh'])
})

test.each([
  ['a rule', byRule('reload'), {}],
  ['the server', by(), saying('reload')],
  ['the server, beyond a rule', byRule('refresh'), saying('reload')],
  ['a rule, beyond the server', byRule('reload'), saying('refresh')],
])('%s says reload: the new user comes, too', async (_, options, server) => {
  const { edit, session, states, wire } = await edited(options, server)
  await edit({ name: 'Anna' })
  await vi.waitUntil(() => states.length > 0)
  expect(session.current).toMatchObject({ reason: 'reloaded', claims: { name: 'Anna' }, user: { name: 'Anna' } })
  expect(wire.sent.map(({ path }) => path)).toEqual(['/api/me', '/auth/refresh', '/auth/user'])
})

test.each([
  ['reading, by a rule for all that is not', [{ path: '/api/*', action: 'reload' as const }], {}, { method: 'GET' }],
  ['another method', [{ method: 'PUT', path: '/api/me', action: 'reload' as const }], {}, {}],
  ['another path', [{ path: '/api/m', action: 'reload' as const }], {}, {}],
  ['an edit that was refused', [{ path: '/api/*', action: 'reload' as const }], { apiFailures: [409] }, {}],
  ['a word that nobody knows', [], { editSays: 'restart' }, {}],
  ['a rule that leaves it to a server which says nothing', [{ path: '/api/me' }], {}, {}],
])('%s starts nothing', async (_, rules, knobs, init) => {
  const { edit, server } = await edited(by(rules), { knobs })
  await edit({ name: 'Anna' }, { body: null, ...init })
  await settled()
  expect(server.stats.refreshes).toBe(0)
})

test('the header is believed from the origins of the session only, wherever a redirect led', async () => {
  const said = async (place: string, asked = ME) => {
    const answer = Object.defineProperties(new Response(null, { headers: { 'refresh-session': 'refresh' } }), {
      url: { value: place },
      redirected: { value: place !== asked },
    })
    const server = createSampleServer()
    const { session } = await setup(
      {
        ...by(),
        platform: {
          fetch: async (...args) => (new Request(...args).url === asked ? answer : fetchOf(server)(...args)),
        },
      },
      { server },
    )
    expect(await session.fetch(asked)).toBe(answer)
    await settled()
    return server.stats.refreshes
  }
  expect(await said(`${ORIGIN}/landed`)).toBe(1)
  expect(await said('https://elsewhere.test/')).toBe(0)
  expect(await said('https://elsewhere.test/', 'https://elsewhere.test/')).toBe(0)
})

test('twenty edits at once: one refresh runs, one waits, and the last edit is in what is published', async () => {
  const { edit, session, server } = await edited(byRule('refresh'), { knobs: { refreshDelayMs: 5 } })
  await Promise.all(Array.from({ length: 20 }, (_each, nth) => edit({ role: `role ${nth}` })))
  await vi.waitUntil(() => session.current.claims?.['role'] === 'role 19')
  await settled()
  expect(server.stats.refreshes).toBeLessThanOrEqual(2)
  expect(server.stats.maxRefreshesInFlight).toBe(1)
})

test('edits that come while the refresh runs share one more, which is a reload if any wants one', async () => {
  const { edit, session, states, server, wire } = await edited(
    by([
      { path: '/api/me', action: 'refresh' },
      { path: '/api/echo', action: 'reload' },
    ]),
  )
  const first = wire.hold('/auth/refresh')
  await edit({ name: 'Ann 0' })
  await first.arrived
  for (let nth = 1; nth <= 5; nth++) await edit({ name: `Ann ${nth}` })
  await session.fetch(url('/api/echo'), { method: 'POST' })
  first.release()
  await vi.waitUntil(() => states.length === 2)
  await settled()
  expect(states.map(({ claims }) => claims?.['name'])).toEqual(['Ann 0', 'Ann 5'])
  expect(session.current).toMatchObject({ reason: 'reloaded', user: { name: 'Ann 5' } })
  expect(server.stats.refreshes).toBe(2)
})

test('as a rule nobody waits for it', async () => {
  const { edit, states, wire } = await edited(byRule('refresh'))
  const refresh = wire.hold('/auth/refresh')
  expect((await edit({ role: 'admin' })).status).toBe(200)
  expect(states).toEqual([])
  refresh.release()
})

test.each([
  ['its rule', byRule('reload', true), {}],
  ['its rule, which leaves the rest to the server', by([{ path: '/api/*', wait: true }]), saying('reload')],
])('with wait in %s, the caller goes on with the change published', async (_, options, server) => {
  const { edit, session } = await edited(options, server)
  const response = await edit({ name: 'Anna' })
  expect(session.current).toMatchObject({ claims: { name: 'Anna' }, user: { name: 'Anna' } })
  expect(await response.json()).toMatchObject({ name: 'Anna' })
})

test('an abort frees whoever waits; the change is published all the same', async () => {
  const { edit, session, wire } = await edited(byRule('refresh', true))
  const refresh = wire.hold('/auth/refresh')
  const caller = new AbortController()
  const leaving = thrownBy(edit({ role: 'admin' }, { signal: caller.signal }))
  await refresh.arrived
  caller.abort('gone')
  expect(await leaving).toBe('gone')
  refresh.release()
  await vi.waitUntil(() => session.current.claims?.['role'] === 'admin')
})

test('where the refresh fails, whoever waits gets the response; the session is stale, and heals to the change', async () => {
  const clock = createClock()
  const { edit, session, states, wire } = await edited(byRule('reload', true), {
    clock,
    knobs: { refreshFailures: [500, 500] },
  })
  expect((await edit({ name: 'Anna' })).status).toBe(200)
  expect(session.current).toMatchObject({ stale: true, user: { name: 'Ann' } })
  await clock.pass(30_000)
  expect(session.current).toMatchObject({ stale: false, claims: { name: 'Anna' }, user: { name: 'Anna' } })
  expect(states.map(({ reason }) => reason)).toEqual(['stale', 'reloaded'])
  expect(wire.to('/auth/user')).toHaveLength(1)
})

test('a refresh that needs more of the user is told of as an error; the caller of the edit gets its response', async () => {
  const stepUp = new StepUpRequiredError({ type: 'mfa' })
  const refresh = async () => {
    throw stepUp
  }
  const { edit, session } = await edited({ ...byRule('refresh', true), backend: { ...bearerBackend(), refresh } })
  const errors: unknown[] = []
  session.on('error', ({ error }) => errors.push(error))
  expect((await edit({ role: 'admin' })).status).toBe(200)
  expect(errors).toEqual([stepUp])
  expect(session.current).toMatchObject({ status: 'authenticated', stale: false })
})

test('an edit that met an expired session is followed by a refresh of its own: the one before it is too old', async () => {
  const { edit, session, server } = await edited(byRule('refresh', true))
  server.expireAccessTokens()
  await edit({ role: 'admin' })
  expect(session.current.claims).toMatchObject({ role: 'admin' })
  expect(server.stats.refreshes).toBe(2)
})

test('after a sign-out meanwhile nothing is refreshed', async () => {
  const server = createSampleServer()
  const wire = createWire(fetchOf(server))
  const { edit, session } = await edited({ ...byRule('refresh', true), platform: { fetch: wire.fetch } }, { server })
  const answer = wire.hold('/api/me')
  const response = edit({ role: 'admin' })
  await answer.arrived
  await session.signOut()
  answer.release()
  expect((await response).status).toBe(200)
  expect(server.stats.refreshes).toBe(0)
})
