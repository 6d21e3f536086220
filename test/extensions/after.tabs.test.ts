// An edit in one tab makes the token and the user old in all of them: one refresh, and every tab shows the change.

import { expect, test } from 'vitest'
import { untilAll, useTabs } from '../support/tabs.ts'

declare const Resesh: typeof import('../../src/global.ts')

const world = useTabs()
const byRule = () => [Resesh.refreshAfter([{ method: 'PATCH', path: '/api/me', action: 'reload', wait: true }])]
const byServer = () => [Resesh.refreshAfter([{ path: '/api/me', wait: true }])]

test.each([
  ['a rule', byRule, { editSays: '' }],
  ['the server’s word, on another origin', byServer, { editSays: 'reload' }],
])('an edit in one of four tabs, by %s: one reload, and all of them show it', async (_, use, knobs) => {
  const each = await world({ knobs })
  // The page's own origin may read every header; of another, only what that exposes.
  const api = knobs.editSays ? each.origin.replace('127.0.0.1', 'localhost') : ''
  const tabs = await each.open(4, { use, api })
  await tabs[0]!.run((tab) => tab.signIn())
  await untilAll(tabs, ({ status }) => status === 'authenticated')
  const waited = await tabs[0]!.run(async (tab, place) => {
    await tab.session.fetch(`${place}/api/me`, { method: 'PATCH', body: JSON.stringify({ name: 'Bea' }) })
    return tab.session.current
  }, api)
  expect(waited).toMatchObject({ reason: 'reloaded', claims: { name: 'Bea' }, user: { name: 'Bea' } })
  await untilAll(tabs, ({ claims, user }) => claims?.['name'] === 'Bea' && user?.['name'] === 'Bea')
  expect(await tabs[1]!.run(({ heard }) => heard.at(-1))).toMatchObject({ source: 'other-tab', reason: 'reloaded' })
  expect(each.server.stats).toMatchObject({ refreshes: 1, thefts: 0 })
})

test('a burst of edits in three tabs at once: few refreshes, one at a time, and all tabs end with the last edit', async () => {
  const each = await world({ knobs: { refreshDelayMs: 100 } })
  const tabs = await each.open(3, { use: byRule })
  await tabs[0]!.run((tab) => tab.signIn())
  await untilAll(tabs, ({ status }) => status === 'authenticated')
  await Promise.all(
    tabs.map((tab, place) =>
      tab.run(
        ({ session }, from) =>
          Promise.all(
            Array.from({ length: 10 }, (_, nth) =>
              session.fetch('/api/me', { method: 'PATCH', body: JSON.stringify({ name: `${from}.${nth}` }) }),
            ),
          ).then(() => {}),
        place,
      ),
    ),
  )
  const { name } = each.server.users.get('ann')
  await untilAll(tabs, ({ claims, user }) => claims?.['name'] === name && user?.['name'] === name)
  // Each tab may have one running and one queued.
  expect(each.server.stats.refreshes).toBeLessThanOrEqual(6)
  expect(each.server.stats).toMatchObject({ thefts: 0, maxRefreshesInFlight: 1 })
})
