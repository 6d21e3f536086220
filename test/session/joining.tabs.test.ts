// Tabs that come to a session: opened while it is being refreshed, reloaded, duplicated.

import { expect, test } from 'vitest'
import { fireAll, signedIn, stateIn, sum, useTabs } from '../support/tabs.ts'

const world = useTabs()

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
