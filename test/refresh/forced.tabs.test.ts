// Forcing a refresh where several tabs do it at once.

import { expect, test } from 'vitest'
import { signedIn, untilAll, useTabs } from '../support/tabs.ts'

const world = useTabs()

test('forced while another tab refreshes: the claims are of after the call (49)', async () => {
  const each = await world()
  const [first, second] = await signedIn(each, 2)
  const { arrived, release } = each.holdAnswer('/auth/refresh')
  const old = first.run(({ session }) => session.refresh())
  await arrived // with the claims of now
  const edited = await second.run(async ({ session, later }) => {
    const body = JSON.stringify({ name: 'Bea' })
    const { status } = await session.fetch('/api/me', { method: 'PATCH', body })
    later['token'] = session.getToken({ skipCache: true })
    return status
  })
  expect(edited).toBe(200)
  release()
  expect((await old).claims).toMatchObject({ name: 'Ann' })
  const token = await second.run(({ later }) => later['token'] as Promise<string>)
  expect(JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())).toMatchObject({ name: 'Bea' })
  expect(each.server.stats).toMatchObject({ refreshes: 2, thefts: 0, maxRefreshesInFlight: 1 })
  await untilAll([first], ({ claims }) => claims?.['name'] === 'Bea')
})

test.each([
  { what: 'a token', withReload: false, most: 2 },
  { what: 'a token, one of them the user too', withReload: true, most: 3 },
])('eight tabs force $what at once: one runs, one waits (50, 104)', async ({ withReload, most }) => {
  const each = await world({ knobs: { refreshDelayMs: 300 } })
  const tabs = await signedIn(each, 8)
  const old = await tabs[0].run(({ session }) => session.getToken())
  each.server.users.edit('ann', { name: 'Bea' })
  const at = Date.now() + 60
  const tokens = await Promise.all(
    tabs.map((tab, place) =>
      tab.run(
        async ({ session, sleep }, { at: start, reload }) => {
          await sleep(start - Date.now())
          if (reload) await session.reload()
          const token = await session.getToken(reload ? {} : { skipCache: true })
          return { token, name: session.current.claims?.['name'], user: session.current.user?.['name'] }
        },
        { at, reload: withReload && place === 3 },
      ),
    ),
  )
  for (const { token, name } of tokens) expect([token === old, name]).toEqual([false, 'Bea'])
  if (withReload) expect(tokens[3]!.user).toBe('Bea')
  expect(each.server.stats).toMatchObject({ thefts: 0, maxRefreshesInFlight: 1 })
  expect(each.server.stats.refreshes).toBeLessThanOrEqual(most)
  await untilAll(tabs, ({ claims }) => claims?.['name'] === 'Bea')
})
