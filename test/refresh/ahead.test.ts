// A token is refreshed ahead of its expiry, and nobody waits for that.

import { expect, test } from 'vitest'
import { createClock, setup, url } from '../support/session.ts'

test('a request that comes while the token is refreshed ahead goes out at once with the old one', async () => {
  const clock = createClock()
  const { session, wire } = await setup({ refreshAhead: 'always' }, { clock })
  const old = await session.getToken()
  const ahead = wire.hold('/auth/refresh')
  await clock.pass(45_000)
  await ahead.arrived
  const response = await session.fetch(url('/api/me')) // the refresh hangs all the while
  expect(response.status).toBe(200)
  expect(wire.to('/api/me')[0]!.headers.get('authorization')).toBe(`Bearer ${old}`)
  ahead.release()
})

test('a token is refreshed ahead of its expiry, once', async () => {
  const clock = createClock()
  const { server, session } = await setup({ refreshAhead: 'always' }, { clock })
  await clock.pass(45_000)
  await session.fetch(url('/api/me'))
  expect(server.stats.refreshes).toBe(1)
})

test('nothing is refreshed ahead for a page that nobody sees', async () => {
  const clock = createClock()
  const document = Object.assign(new EventTarget(), { visibilityState: 'hidden', cookie: '' }) as unknown as Document
  const { server } = await setup({ platform: { document } }, { clock })
  await clock.pass(600_000)
  expect(server.stats.refreshes).toBe(0)
})
