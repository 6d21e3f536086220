// "Log in once, start every test signed in", as Playwright does it: the storage of one browser context, taken over by another.

import { expect, test } from 'vitest'
import { type PageOptions, type Tab, useTabs } from '../support/tabs.ts'

declare const Resesh: typeof import('../../src/global.ts')

const world = useTabs()

const options: PageOptions = { storage: () => Resesh.local(), session: { replayWindow: 10_000 } }
const ready = (tab: Tab) => tab.run(async ({ session }) => (await session.ready()).status)

test('with local(), a context that starts from storageState is signed in', async () => {
  const here = await world({ knobs: { graceMs: 10_000 } })
  const [first] = await here.open(1, options)
  await first!.run((tab) => tab.signIn())
  const storageState = await here.context.storageState({ indexedDB: true })

  const context = await here.context.browser()!.newContext({ storageState })
  try {
    const page = await context.newPage()
    await page.goto(here.page(options))
    const tab = await here.tabIn(page)
    expect(await ready(tab)).toBe('authenticated')
    expect(await tab.run(async ({ session }) => (await session.fetch('/api/me')).status)).toBe(200)
  } finally {
    await context.close()
  }
})

test('with indexedDb(), whose key the browser does not hand out, it starts signed out, and a login works', async () => {
  const here = await world()
  const [first] = await here.open(1)
  await first!.run((tab) => tab.signIn())
  const storageState = await here.context.storageState({ indexedDB: true })

  const context = await here.context.browser()!.newContext({ storageState })
  try {
    const page = await context.newPage()
    await page.goto(here.page())
    const tab = await here.tabIn(page)
    expect(await ready(tab)).toBe('unauthenticated')
    await tab.run(({ signIn }) => signIn())
    await page.reload()
    expect(await ready(await here.tabIn(page))).toBe('authenticated')
  } finally {
    await context.close()
  }
})
