// getToken: from memory while the token is good, through the one refresh when it is not.

import { expect, test } from 'vitest'
import { createClock, setup } from '../support/session.ts'

test('a thousand callers of getToken share one refresh and get one token', async () => {
  const clock = createClock()
  const { server, session } = await setup({}, { clock })
  await clock.pass(61_000)
  const tokens = await Promise.all(Array.from({ length: 1000 }, () => session.getToken()))
  expect(new Set(tokens).size).toBe(1)
  expect(server.stats.refreshes).toBe(1)
})

test('getToken gives a token with as much life left as was asked for', async () => {
  const clock = createClock()
  const { server, session } = await setup({}, { clock })
  await clock.pass(35_000)
  const old = await session.getToken()
  expect(await session.getToken({ minValidity: 30_000 })).not.toBe(old)
  expect(server.stats.refreshes).toBe(1)
})

test('getToken answers from memory while the token is good', async () => {
  const { session, wire } = await setup()
  expect(await session.getToken()).toBe(await session.getToken())
  expect(wire.sent).toEqual([])
})

const day = 86_400_000

test('a minValidity longer than any token lives does not refresh without an end', async () => {
  const { server, session } = await setup()
  await session.getToken({ minValidity: day })
  await session.getToken({ minValidity: day })
  expect(server.stats.refreshes).toBe(0)
})
