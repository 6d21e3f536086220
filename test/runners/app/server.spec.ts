// Requests that meet an expired session, and tabs, over a server that msw plays.

import { setupServer } from 'msw/node'
import { createSession } from 'resesh'
import { testTabs } from 'resesh/testing'
import { sessionServer } from 'resesh/testing/server'

const server = sessionServer({ user: { id: 'ann', name: 'Ann' } })
const msw = setupServer(...server.handlers)
const me = 'http://localhost/api/me'

beforeAll(() => msw.listen({ onUnhandledRequest: 'error' }))
afterAll(() => msw.close())

test('ten requests meet an expired session: one refresh, all are served', async () => {
  const session = createSession({ backend: server.backend() })
  await session.signIn(await server.signIn())
  server.expire()
  const before = server.counts.refreshes
  const responses = await Promise.all(Array.from({ length: 10 }, () => session.fetch(me)))
  expect(responses.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200))
  expect(server.counts.refreshes - before).toBe(1)
  session.dispose()
})

test('two tabs, one refresh', async () => {
  const tabs = testTabs()
  const [first, second] = [tabs.open({ backend: server.backend() }), tabs.open({ backend: server.backend() })]
  await first.signIn(await server.signIn())
  server.expire()
  const before = server.counts.refreshes
  const responses = await Promise.all([first.fetch(me), second.fetch(me)])
  expect(responses.map(({ status }) => status)).toEqual([200, 200])
  expect(server.counts).toMatchObject({ refreshes: before + 1, reused: 0 })
  tabs.close()
})
