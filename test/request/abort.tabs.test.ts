// An abort in real tabs, of which one refreshes and the others wait.

import { expect, test } from 'vitest'
import { signedIn, useTabs } from '../support/tabs.ts'

const world = useTabs()

test('one AbortSignal frees its held request within 20 ms, in the tab that refreshes and in one that waits (97)', async () => {
  const each = await world()
  const tabs = await signedIn(each, 2)
  await tabs[0].run(({ signIn, sleep }) => signIn({ lifeSeconds: 0.2 }).then(() => sleep(220)))
  const { arrived, release } = each.holdRequest('/auth/refresh')
  const outcomes = tabs.map((tab) =>
    tab.run(async ({ session, sleep, fire }) => {
      const other = fire(3)
      const controller = new AbortController()
      const held = session.fetch('/api/me', { signal: controller.signal }).catch((error: Error) => error.name)
      await sleep(200)
      controller.abort()
      return { name: await Promise.race([held, sleep(20)]), other: await other }
    }),
  )
  await arrived
  setTimeout(release, 500)
  for (const { name, other } of await Promise.all(outcomes)) {
    expect(name).toBe('AbortError')
    expect(other).toEqual({ 200: 3 })
  }
  expect(each.sent.filter(({ path }) => path === '/api/me')).toEqual([])
  expect(each.server.stats.refreshes).toBe(1)
})
