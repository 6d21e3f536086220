// What `cy.session()` of Cypress saves and puts back between tests: localStorage, but not IndexedDB, which stays as it is. Played
// here in Chromium; Cypress itself does not run.

import { expect, test } from 'vitest'
import { type PageOptions, useTabs } from '../support/tabs.ts'

declare const Resesh: typeof import('../../src/global.ts')

const world = useTabs()

const options: PageOptions = {
  session: { replayWindow: 60_000 },
  storage: () => Resesh.custom(localStorage),
}

test('with custom() over localStorage, a test that starts from the saved session is signed in', async () => {
  const here = await world({ knobs: { graceMs: 60_000 } })
  const [tab] = await here.open(1, options)
  await tab!.run((each) => each.signIn())
  const saved = await tab!.run(() => Object.fromEntries(Object.entries(localStorage)))
  here.server.expireAccessTokens()
  expect(await tab!.run(({ fire }) => fire(3))).toEqual({ 200: 3 }) // a refresh: what is stored has moved on
  for (let nth = 0; nth < 2; nth++) {
    await tab!.run((_, items) => {
      localStorage.clear()
      Object.assign(localStorage, items)
    }, saved)
    await tab!.page.reload()
    const again = await here.tabIn(tab!.page)
    expect(await again.run(async ({ session }) => (await session.ready()).status)).toBe('authenticated')
    expect(await again.run(({ fire }) => fire(3))).toEqual({ 200: 3 })
  }
  await tab!.run(() => localStorage.clear())
  await tab!.page.reload()
  const next = await here.tabIn(tab!.page)
  expect(await next.run(async ({ session }) => (await session.ready()).status)).toBe('unauthenticated')
})
