// One refresh, everything replayed: what a caller of fetch sees of it.

import { expect, test } from 'vitest'
import { ORIGIN, setup } from '../support/session.ts'

const url = (path: string) => ORIGIN + path

test('a request with a good token needs no refresh', async () => {
  const { server, session } = await setup()
  const response = await session.fetch(url('/api/me'))
  expect(response.status).toBe(200)
  expect(server.stats.refreshes).toBe(0)
})

test('a thousand requests that only the server knows to be expired: one refresh, no failure', async () => {
  const { server, session } = await setup()
  server.expireAccessTokens()
  const before = server.stats.requests
  const all = await Promise.all(Array.from({ length: 1000 }, (_, i) => session.fetch(url(`/api/items/${i}`))))
  expect(all.every(({ status }) => status === 200)).toBe(true)
  expect(server.stats.refreshes).toBe(1)
  expect(server.stats.requests - before).toBeLessThanOrEqual(2001)
})
