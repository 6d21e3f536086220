// Nonsense from a backend or its server in place of a refresh: a failure by type, never a hang.

import { createSession, defineBackend, InvalidTokenError, RefreshFailedError, RefreshTimeoutError } from 'resesh'
import { fromTokenResponse } from 'resesh/backends/oauth2'
import { expect, onTestFinished, test } from 'vitest'
import { answering } from '../support/answering.ts'
import { cookieBackend, createClock, createWire, setup, thrownBy } from '../support/session.ts'

test('a refresh that answers a token with control characters fails, and the session is kept', async () => {
  const { session, states } = await answering({ accessToken: 'a\r\nx-evil: 1' })
  const error = await thrownBy(session.refresh())
  expect(error).toBeInstanceOf(RefreshFailedError)
  expect((error as Error).cause).toBeInstanceOf(InvalidTokenError)
  expect(states).toEqual([])
})

test.each<[string, unknown]>([
  ['nothing', undefined],
  ['a number', 42],
  ['a text', 'text'],
  ['true', true],
  ['a list', []],
  ['an access token that is a number', { accessToken: 42 }],
  ['a refresh token that is a number', { refreshToken: 42 }],
])('a backend that answers %s has failed, and the session is kept', async (_, junk) => {
  const { session } = await answering(junk)
  expect(await thrownBy(session.refresh())).toBeInstanceOf(RefreshFailedError)
  expect(session.current.status).toBe('authenticated')
  expect(await session.getToken()).toBe('first')
})

test('a backend that throws before it returns a promise has failed, and the session is kept', async () => {
  const backend = defineBackend({
    refresh() {
      throw new Error('synchronous')
    },
  })
  const { session } = await setup({ backend, initial: { accessToken: 'first' } })
  expect(await thrownBy(session.refresh())).toMatchObject({
    code: 'ERR_REFRESH_FAILED',
    cause: new Error('synchronous'),
  })
  expect(session.current.status).toBe('authenticated')
})

test('a backend that throws what is no error has failed, and the session is kept', async () => {
  // oxlint-disable-next-line typescript/prefer-promise-reject-errors
  const backend = defineBackend({ refresh: () => Promise.reject<null>(undefined) })
  const { session } = await setup({ backend, initial: { accessToken: 'first' } })
  expect(await thrownBy(session.refresh())).toBeInstanceOf(RefreshFailedError)
  expect(session.current.status).toBe('authenticated')
})

test('a backend that never answers is a RefreshTimeoutError', async () => {
  const clock = createClock()
  const backend = defineBackend({ refresh: () => new Promise<null>(() => {}) })
  const { session } = await setup({ backend, initial: { accessToken: 'first' } }, { clock })
  const error = thrownBy(session.refresh())
  await clock.pass(10_000)
  expect(await error).toBeInstanceOf(RefreshTimeoutError)
})

test('a backend that never answers does not keep the next refresh from its turn', async () => {
  const clock = createClock()
  const answers = [new Promise<null>(() => {}), Promise.resolve({ accessToken: 'second' })]
  const backend = defineBackend({ refresh: () => answers.shift()! })
  const { session } = await setup({ backend, initial: { accessToken: 'first' } }, { clock })
  const error = thrownBy(session.refresh())
  await clock.pass(10_000)
  await error
  const next = session.refresh()
  await clock.pass(1_000)
  await next
  expect(await session.getToken()).toBe('second')
})

test('an answer of a refresh that goes on and on is read no further, and is a failure', async () => {
  const parts = ['{"accessToken":"', ...Array<string>(32).fill('a'.repeat(2 ** 20)), '"}']
  const endless = new ReadableStream({
    pull(controller) {
      controller.enqueue(new TextEncoder().encode(parts.shift()))
      if (!parts[0]) controller.close()
    },
  })
  const { session } = await setup({ platform: { fetch: async () => new Response(endless) } })
  expect(await thrownBy(session.refresh())).toBeInstanceOf(RefreshFailedError)
  expect(parts.length).toBeGreaterThan(24)
  expect(session.current.status).toBe('authenticated')
})

test('a page of HTML in place of the session leaves it unknown, not signed out', async () => {
  const clock = createClock()
  const wire = createWire(async () => new Response('<h1>Wi-Fi</h1>', { headers: { 'content-type': 'text/html' } }))
  const session = createSession({ backend: cookieBackend(), platform: { fetch: wire.fetch, ...clock.platform } })
  onTestFinished(session.dispose)
  await clock.pass(30_000)
  expect(session.current.status).toBe('loading')
  expect(wire.sent.length).toBeGreaterThan(1)
})

test('a token response without an access token is a RefreshFailedError', () => {
  expect(() => fromTokenResponse({ token_type: 'Bearer' })).toThrow(RefreshFailedError)
})

test('a refresh that brings no token has failed, and says so', async () => {
  const { session } = await answering({ access_token: 'other names' })
  expect(await thrownBy(session.refresh())).toMatchObject({
    code: 'ERR_REFRESH_FAILED',
    message:
      'custom: the answer has no "accessToken" (it has access_token; is it "access_token"?). The session is kept.',
  })
  expect(session.current).toMatchObject({ status: 'authenticated', reason: 'restored' })
})
