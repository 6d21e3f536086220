// Tabs that come to a session: opened while it is being refreshed, reloaded, duplicated; and what forcing a refresh means
// where several tabs do it at once.

import { expect, test } from 'vitest'
import { fireAll, stateIn, sum, untilAll, useTabs, type World, type Tab } from '../support/tabs.ts'

const world = useTabs()

const signedIn = async ({ open }: World, count: number): Promise<[Tab, Tab, ...Tab[]]> => {
  const tabs = await open(count)
  await tabs[0]!.run((tab) => tab.signIn())
  await untilAll(tabs, ({ status }) => status === 'authenticated')
  return tabs as [Tab, Tab, ...Tab[]]
}

test('a tab that is opened during a refresh adopts it (68)', async () => {
  const each = await world()
  const [first] = await signedIn(each, 1)
  each.server.expireAccessTokens()
  const { arrived, release } = each.holdAnswer('/auth/refresh')
  const before = first.run(({ fire }) => fire(3))
  await arrived
  const [late] = await each.open(1)
  const after = late!.run(({ fire }) => fire(3))
  await expect.poll(() => late!.run(({ traces }) => traces.includes('hold'))).toBe(true)
  release()
  expect(sum(await Promise.all([before, after]))).toEqual({ 200: 6 })
  expect(await late!.run(({ traces }) => traces)).toContain('adopt')
  expect(each.server.stats).toMatchObject({ refreshes: 1, thefts: 0 })
})

test('a reload finds the session, without asking anybody (65)', async () => {
  const each = await world()
  const [tab] = await signedIn(each, 1)
  const token = await tab.run(({ session }) => session.getToken())
  const sent = each.sent.length
  await tab.page.reload()
  const again = await each.tabIn(tab.page)
  expect(await again.run(({ session }) => session.ready())).toMatchObject({
    status: 'authenticated',
    reason: 'restored',
    user: { name: 'Ann' },
  })
  expect(await again.run(({ session }) => session.getToken())).toBe(token)
  expect(each.sent.length).toBe(sent)
})

test('a reload while the page refreshes: the next page waits for the deadline, and asks once (61, 65)', async () => {
  const each = await world()
  const [tab] = await each.open(1, { session: { timeout: 1000 } })
  await tab!.run(({ signIn }) => signIn())
  each.server.expireAccessTokens()
  const { arrived } = each.holdRequest('/auth/refresh')
  await tab!.run(({ later, fire }) => void (later['lost'] = fire(1)))
  await arrived
  await tab!.page.reload()
  expect(await (await each.tabIn(tab!.page)).run(({ fire }) => fire(3))).toEqual({ 200: 3 })
  expect(each.server.stats).toMatchObject({ refreshes: 1, thefts: 0 })
})

test('a duplicate of a tab, with its sessionStorage, is just another tab (66)', async () => {
  const each = await world()
  const [tab] = await signedIn(each, 1)
  const [page] = await Promise.all([each.context.waitForEvent('page'), tab.run(() => void open(location.href))])
  const twin = await each.tabIn(page)
  expect(await twin.run(({ session }) => session.ready())).toMatchObject({ status: 'authenticated' })
  each.server.expireAccessTokens()
  expect(await fireAll([tab, twin], 5)).toEqual({ 200: 10 })
  expect(await twin.run(() => sessionStorage.length)).toBe(0)
  expect(each.server.stats).toMatchObject({ refreshes: 1, thefts: 0 })
})

test('another profile shares nothing', async () => {
  const each = await world()
  const [tab] = await signedIn(each, 1)
  const other = await each.context.browser()!.newContext()
  const page = await other.newPage()
  await page.goto(each.page())
  const stranger = await each.tabIn(page)
  expect(await stranger.run(({ session }) => session.ready())).toMatchObject({ status: 'unauthenticated' })
  await stranger.run(({ signIn }) => signIn({ user: 'bob' }))
  await stranger.run(({ session }) => session.signOut())
  expect(await stateIn(tab)).toMatchObject({ status: 'authenticated', user: { name: 'Ann' } })
  expect(await tab.run(({ heard }) => heard.map(({ source }) => source))).not.toContain('other-tab')
  await other.close()
})

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
