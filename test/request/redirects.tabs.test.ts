// Where a redirect leads in a real browser: no credential goes along.

import { expect, test } from 'vitest'
import { openSite } from '../support/site.ts'
import { type Tab, useTabs } from '../support/tabs.ts'

const start = useTabs()

test('a token in a header of its own follows no redirect, out of the origin or within', async () => {
  const world = await start()
  const [ours, other] = [await openSite(), await openSite()]
  const [tab] = (await world.open(1, {
    session: { origins: [ours.origin], initial: { accessToken: 'canary-token' } },
    backend: () => ({
      name: 'own',
      refresh: async () => null,
      attach(headers, credentials) {
        headers.set('x-token', credentials?.accessToken ?? '')
        return { redirect: 'error' }
      },
    }),
  })) as [Tab]
  const names = await tab.run(
    ({ session }, urls) =>
      Promise.all(
        urls.map((url) =>
          session.fetch(url).then(
            ({ type }) => type,
            (error: Error) => error.name,
          ),
        ),
      ),
    [ours.to(`${other.origin}/end`), ours.to(`${ours.origin}/end`), `${ours.origin}/end`],
  )
  expect(names).toEqual(['TypeError', 'TypeError', 'cors'])
  expect(ours.log.filter((entry) => entry.includes('canary-token'))).toHaveLength(3)
  expect(other.log).toEqual([])
})
