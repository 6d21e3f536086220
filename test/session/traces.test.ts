// What traces tell: how a request was decided, how a refresh began and ended, with which token, and until when nothing is sent.

import type { Session, Trace } from 'resesh'
import { expect, test } from 'vitest'
import { createClock, login, ORIGIN, settled, setup, sharedStorage, url } from '../support/session.ts'

const tracesOf = (session: Session): Trace[] => {
  const traces: Trace[] = []
  session.on('trace', (trace) => traces.push(trace))
  return traces
}
const only = <T extends Trace['type']>(traces: Trace[], type: T) =>
  traces.filter((trace): trace is Extract<Trace, { type: T }> => trace.type === type)

test('a request that is served: sent with the token of that number, answered, decided, over', async () => {
  const { session } = await setup()
  const traces = tracesOf(session)
  await session.fetch(url('/api/me?q=secret'))
  expect(traces).toMatchObject([
    { type: 'send', id: 1, method: 'GET', url: url('/api/me'), token: 1, hasOwnAuthorization: false },
    { type: 'response', id: 1, status: 200 },
    { type: 'decide', id: 1, status: 200, verdict: 'served' },
    { type: 'end', id: 1, status: 200 },
  ])
})

test('a request that is refused: held, replayed with the next token, and served', async () => {
  const { session, server } = await setup()
  server.expireAccessTokens()
  const traces = tracesOf(session)
  await session.fetch(url('/api/me'))
  expect(traces.map(({ type }) => type)).toEqual([
    'send',
    'response',
    'decide',
    'hold',
    'refresh-start',
    'ask',
    'answer',
    'refresh-end',
    'token',
    'replay',
    'response',
    'decide',
    'end',
  ])
  expect(only(traces, 'decide').map(({ verdict }) => verdict)).toEqual(['refresh', 'served'])
  expect(only(traces, 'hold')).toMatchObject([{ why: 'refused', waiting: 1, method: 'GET', url: url('/api/me') }])
  expect(only(traces, 'replay')).toMatchObject([{ token: 2 }])
})

test('a refresh: why it began, of which token, how many wait; that it brought the next token, and how long it took', async () => {
  const clock = createClock()
  const { session, server, wire } = await setup({}, { clock })
  const refresh = wire.hold('/auth/refresh')
  server.expireAccessTokens()
  const traces = tracesOf(session)
  const all = [1, 2, 3].map((item) => session.fetch(url(`/api/items/${item}`)))
  await refresh.arrived
  await clock.pass(40)
  refresh.release()
  await Promise.all(all)
  expect(only(traces, 'refresh-start')).toMatchObject([{ attempt: 1, reason: 'expired', token: 1 }])
  expect(only(traces, 'refresh-end')).toMatchObject([{ attempt: 1, outcome: 'renewed', token: 2, ms: 40, waiting: 3 }])
})

test.each<[reason: string, start: (session: Session) => Promise<unknown>]>([
  ['forced', ({ refresh }) => refresh()],
  ['reload', ({ reload }) => reload()],
])('a refresh that begins since the app asked: %s', async (reason, start) => {
  const { session } = await setup()
  const traces = tracesOf(session)
  await start(session)
  expect(only(traces, 'refresh-start')).toMatchObject([{ reason }])
})

test('a refresh that fails: code and message, and until when none is sent', async () => {
  const clock = createClock()
  const { session } = await setup({}, { clock, knobs: { refreshFailures: [500] } })
  const traces = tracesOf(session)
  await session.refresh().catch(() => {})
  await settled()
  const [end] = only(traces, 'refresh-end')
  expect(end).toMatchObject({ outcome: 'failed', code: 'ERR_REFRESH_FAILED' })
  expect(end).toHaveProperty('message', expect.stringContaining('answered 500'))
  expect(only(traces, 'answer')).toMatchObject([{ status: 500, url: url('/auth/refresh') }])
  const [backOff] = only(traces, 'back-off')
  expect(backOff!.until).toBeGreaterThan(clock.now())
})

test('a refresh that the server refuses ends the session: the reason is told', async () => {
  const { session, server } = await setup()
  const traces = tracesOf(session)
  server.revoke('ann')
  await session.refresh()
  expect(only(traces, 'refresh-end')).toMatchObject([{ outcome: 'refused', reason: 'expired' }])
  expect(only(traces, 'token')).toMatchObject([{ token: null, source: 'server' }])
})

test('what another tab has refreshed is adopted: its token has the next number here', async () => {
  const shared = sharedStorage()
  const server = (await setup()).server
  const one = await setup({ storage: shared }, { server })
  const two = await setup({ storage: shared, initial: undefined as never }, { server })
  await two.session.ready()
  const traces = tracesOf(two.session)
  await one.session.refresh()
  await two.session.fetch(url('/api/me')).catch(() => {})
  server.expireAccessTokens()
  await one.session.refresh()
  await two.session.fetch(url('/api/me'))
  expect(only(traces, 'token').filter(({ source }) => source === 'other-tab').length).toBeGreaterThan(0)
  const numbers = only(traces, 'token').map(({ token }) => token!)
  expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
})

test('a sign-in is an exchange of its own, and its token has the next number', async () => {
  const { session, server } = await setup()
  await session.signOut()
  const traces = tracesOf(session)
  await session.signIn(() => login(server))
  expect(only(traces, 'exchange-start')).toMatchObject([{ operation: 'sign-in' }])
  expect(only(traces, 'exchange-end')).toMatchObject([{ operation: 'sign-in', outcome: 'done', token: 2 }])
  expect(only(traces, 'token')).toMatchObject([{ token: 2, reason: 'signed-in', canRefresh: true }])
})

test('what a login function throws is not repeated', async () => {
  const { session } = await setup()
  const traces = tracesOf(session)
  await session.signIn(() => Promise.reject(new Error('secret'))).catch(() => {})
  expect(only(traces, 'exchange-end')).toMatchObject([{ outcome: 'failed', code: 'ERR_CALLBACK' }])
  expect(JSON.stringify(traces)).not.toContain('secret')
})

test('a stranger: where it went and what it answered, without its query; not what opted out', async () => {
  const { session } = await setup({ platform: { fetch: async () => new Response(null, { status: 403 }) } })
  const traces = tracesOf(session)
  await session.fetch('https://other.test/a?q=secret', { method: 'post' })
  await session.fetch('https://other.test/b', { session: false })
  await session.fetch('data:text/plain,secret')
  await settled()
  expect(traces).toMatchObject([{ type: 'foreign', method: 'POST', url: 'https://other.test/a', status: 403 }])
})

test('a request that fails tells the name of the error, never its message', async () => {
  const fetch = () => Promise.reject(new TypeError('secret'))
  const { session } = await setup({ platform: { fetch } })
  const traces = tracesOf(session)
  await session.fetch(url('/api/me')).catch(() => {})
  expect(only(traces, 'response')).toMatchObject([{ status: 0, error: 'TypeError' }])
  expect(only(traces, 'end')).toMatchObject([{ status: 0, error: 'TypeError' }])
  expect(JSON.stringify(traces)).not.toContain('secret')
})

test('an Authorization of the caller is told as such, and none of it is shown', async () => {
  const { session } = await setup()
  const traces = tracesOf(session)
  await session.fetch(`${ORIGIN}/api/me`, { headers: { authorization: 'Basic secret' } })
  expect(only(traces, 'send')).toMatchObject([{ hasOwnAuthorization: true }])
  expect(JSON.stringify(traces)).not.toContain('secret')
})
