// getToken() while the token is good, against the least that an async function can cost.

import { createSession, defineBackend } from 'resesh'
import { expect, test } from 'vitest'
import { print, sideBySide } from './measure.ts'

test('getToken() from cache costs at most four empty async functions', async () => {
  const session = createSession({
    storage: 'memory',
    backend: defineBackend({ refresh: async () => null }),
    initial: { accessToken: 'token', expiresInSeconds: 3600 },
  })
  await session.ready()
  const empty = async () => {}
  const timings = await sideBySide(20_000, [
    ['an empty async function', empty],
    ['getToken()', () => session.getToken()],
    ['getToken({ minValidity: 30_000 })', () => session.getToken({ minValidity: 30_000 })],
  ])
  session.dispose()
  print('getToken() from cache', timings)
  expect(timings[1]!.ratio).toBeLessThanOrEqual(4)
})
