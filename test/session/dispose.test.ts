// What is left once a session is disposed of, or has nothing to do: nothing.

import { expect, test } from 'vitest'
import { failing, statusOf } from '../refresh/failing.ts'
import { setup, url } from '../support/session.ts'

test('a page that was put away, disposed of and brought back: no request hangs', async () => {
  const away: ((event: Partial<PageTransitionEvent>) => void)[] = []
  const addEventListener = ((type: string, run: () => void) => type === 'pagehide' && away.push(run)) as never
  const { session } = await setup({ platform: { addEventListener } })
  for (const run of away) run({ type: 'pagehide', persisted: true })
  const request = session.fetch(url('/api/me'))
  session.dispose()
  await expect(request).rejects.toThrow('dispose()')
})

test('a session that was disposed of starts nothing any more', async () => {
  const { server, session, clock } = await failing([500, 500, 500, 500, 500, 500])
  await statusOf(session.fetch(url('/api/me')), clock, 6_000)
  const before = server.stats.refreshes
  session.dispose()
  await clock.pass(600_000)
  expect(server.stats.refreshes).toBe(before)
})

test('when all is settled no timer waits but the one that refreshes ahead', async () => {
  const { session, clock } = await failing([500, 'drop-before'], { refreshAhead: 'always' })
  expect(await statusOf(session.fetch(url('/api/me')), clock, 30_000)).toBe(200)
  expect(clock.waiting).toBe(1)
  session.dispose()
  expect(clock.waiting).toBe(0)
})
