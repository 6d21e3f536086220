// Fake timers, installed before the session is created, and after.

import { jest } from '@jest/globals'
import { createSession, defineBackend, type SessionOptions } from 'resesh'
import { testTabs } from 'resesh/testing'

/** Each token lives for a minute. */
function open(options: Partial<SessionOptions> = {}) {
  const server = { refreshes: 0, isDown: false }
  const backend = defineBackend({
    name: 'own',
    async refresh() {
      server.refreshes++
      if (server.isDown) throw new Error('the server is down')
      return { accessToken: `token-${server.refreshes}`, expiresInSeconds: 60 }
    },
  })
  const initial = { accessToken: 'token-0', expiresInSeconds: 60 }
  return { server, session: createSession({ backend, initial, refreshAhead: 'never', ...options }) }
}

afterEach(() => jest.useRealTimers())

test('a token expires', async () => {
  jest.useFakeTimers()
  const { session } = open()
  expect(await session.getToken()).toBe('token-0')
  await jest.advanceTimersByTimeAsync(61_000)
  expect(await session.getToken()).toBe('token-1')
  session.dispose()
})

test('it is refreshed ahead of its expiry', async () => {
  jest.useFakeTimers()
  const { session, server } = open({ refreshAhead: 'always' })
  await session.ready()
  await jest.advanceTimersByTimeAsync(59_000)
  expect(server.refreshes).toBe(1)
  session.dispose()
})

test('a server that is down is asked again after a pause', async () => {
  jest.useFakeTimers()
  const { session, server } = open()
  server.isDown = true
  await jest.advanceTimersByTimeAsync(61_000)
  const token = session.getToken().catch((error: Error) => error.name)
  await jest.advanceTimersByTimeAsync(30_000)
  expect(await token).toBe('RefreshFailedError')
  expect(session.current.stale).toBe(true)
  server.isDown = false
  await jest.advanceTimersByTimeAsync(120_000)
  expect(session.current.stale).toBe(false)
  session.dispose()
})

test('a session that was there before the fake timers expires, too', async () => {
  const { session, server } = open()
  await session.ready()
  jest.useFakeTimers()
  expect(await session.getToken()).toBe('token-0')
  await jest.advanceTimersByTimeAsync(61_000)
  expect(await session.getToken()).toBe('token-1')
  expect(server.refreshes).toBe(1)
  session.dispose()
})

test('tabs hear of each other while time stands still', async () => {
  jest.useFakeTimers()
  const tabs = testTabs()
  const backend = defineBackend({ name: 'own', refresh: async () => null })
  const [first, second] = [tabs.open({ backend }), tabs.open({ backend })]
  await jest.advanceTimersByTimeAsync(1_000) // a new tab asks the others first
  const heard = new Promise((done) => second.on('change', ({ current }) => done(current.status)))
  await first.signIn({ accessToken: 'token', expiresInSeconds: 60 })
  expect(await heard).toBe('authenticated')
  tabs.close()
})
