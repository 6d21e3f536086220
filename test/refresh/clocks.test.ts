// Clocks that are wrong or set: a live token is not refreshed for that, and a spent one is.

import { expect, test } from 'vitest'
import { createSampleServer } from '../servers/sample/server.ts'
import { createClock, login, oauth2Backend, settled, setup, url } from '../support/session.ts'

const hour = 3_600_000

test.each([hour, -hour, 24 * hour, -24 * hour])(
  'a device clock that is %i ms off makes no difference',
  async (skew) => {
    const clock = createClock()
    const server = createSampleServer({ now: () => clock.now() - skew })
    const { session, wire } = await setup({ backend: oauth2Backend() }, { server, clock })
    const { accessToken, refreshToken } = await login(server) // without expires_in: only exp and iat tell
    await session.signIn({ accessToken, refreshToken })
    await session.fetch(url('/api/me'))
    expect(server.stats.refreshes).toBe(0)
    await clock.pass(61_000)
    expect((await session.fetch(url('/api/me'))).status).toBe(200)
    expect(server.stats.refreshes).toBe(1)
    expect(wire.to('/api/me')).toHaveLength(2) // the second one was held, not refused
  },
)

// From within the page, a clock that is set forward looks like a sleep.
test.each([
  { jump: hour, refreshes: 1 },
  { jump: -hour, refreshes: 0 },
])('a wall clock that is set by $jump ms costs $refreshes refreshes', async ({ jump, refreshes }) => {
  const clock = createClock()
  const server = createSampleServer({ now: () => 0 })
  const { session } = await setup({ refreshAhead: 'always' }, { server, clock })
  clock.setWall(clock.now() + jump)
  for (let nth = 0; nth < 3; nth++) {
    expect((await session.fetch(url('/api/me'))).status).toBe(200)
    await clock.pass(5000)
  }
  expect(server.stats.refreshes).toBe(refreshes)
})

test('a wall clock that is set back while a request is held does not keep it for ever', async () => {
  const clock = createClock()
  const server = createSampleServer({ knobs: { refreshFailures: ['drop-before'] } })
  const { session } = await setup({}, { server, clock })
  await clock.pass(61_000)
  const response = session.fetch(url('/api/me'))
  await settled()
  clock.setWall(clock.now() - hour)
  await clock.pass(30_000)
  expect((await response).status).toBe(200)
})
