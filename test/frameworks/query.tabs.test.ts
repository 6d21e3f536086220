// TanStack Query in three tabs of one session: an edit in one of them is seen in all.

import { expect, test } from 'vitest'
import type { QueryPage } from './pages/query.ts'
import { useSites } from './support/browser.ts'
import { bundle } from './support/bundle.ts'

declare const page: QueryPage

const site = useSites()

test('three tabs, ten edits at once: at most 2 refreshes, and every tab shows the last edit', async () => {
  // Slow enough that the answers of all edits come while the first refresh runs.
  const { open, server } = await site({
    script: await bundle(`import './pages/query.ts'`),
    knobs: { refreshDelayMs: 800 },
  })
  const tabs = await Promise.all([open(), open(), open()])
  await tabs[0].evaluate(() => page.signIn())
  for (const tab of tabs) await tab.getByText('Lisbon').waitFor()

  const at = Date.now() + 100
  const edits = Array.from({ length: 10 }, (_, nth) => nth)
  await Promise.all(
    edits.map((nth) =>
      tabs[nth % tabs.length]!.evaluate(
        async ([city, when]) => {
          while (Date.now() < when) await new Promise((done) => setTimeout(done, 1))
          await page.edit(city)
        },
        [`city ${nth}`, at] as const,
      ),
    ),
  )
  const { city } = server.users.get('ann')
  for (const tab of tabs) await tab.getByText(city, { exact: true }).waitFor()
  expect(server.stats.refreshes).toBeLessThanOrEqual(2)

  // And a mere refresh fetches nothing.
  const { byPath } = server.stats
  const before = byPath['GET /api/me']
  await tabs[0].evaluate(() => page.session.refresh())
  await tabs[1].waitForTimeout(200)
  expect(byPath['GET /api/me']).toBe(before)
})
