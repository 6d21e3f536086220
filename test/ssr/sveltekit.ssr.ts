// SvelteKit as it is deployed: `vite build` with adapter-node. The app is test/ssr/sveltekit.

import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { answers, expectNoComplaints, LOADS, promises, signedIn } from './support/promises.ts'
import { type App, openSite, type Site } from './support/site.ts'
import { type Tab, useVisitors } from './support/visitor.ts'

/** Of `vite dev`, which warns of a mismatch: each takes longer. */
const LOADS_IN_DEVELOPMENT = Math.ceil(LOADS / 5)
const framework = { isLate: (path: string) => path.includes('/nodes/'), answers }

const visit = useVisitors()

const modes: Record<string, App> = {
  'node build': {
    folder: 'sveltekit',
    args: () => ['build/index.js'],
    ready: /Listening on/,
  },
  'vite dev': {
    folder: 'sveltekit',
    args: (port) => ['node_modules/vite/bin/vite.js', 'dev', '--host', '127.0.0.1', '--port', `${port}`],
    env: { NODE_ENV: 'development' },
    ready: /Local:/,
  },
}

/** Svelte leaves `src` as the server has sent it. */
async function lookAtPicture(page: Page): Promise<string[]> {
  const src = await page.locator('img').getAttribute('src')
  return src === 'data:,Ann' ? [] : [`the picture is ${src}`]
}

/** The session is known before the page hydrates. */
async function openBrokenPage(site: Site): Promise<Tab> {
  site.slow(({ pathname }) => (framework.isLate(pathname) ? 1000 : 0))
  const tab = await (await signedIn(visit, site, 'ann')).open('/plain/broken')
  await tab.page.waitForFunction('globalThis.marks')
  return tab
}

describe('node build', () => {
  let site: Site
  beforeAll(async () => {
    site = await openSite(modes['node build']!)
  })
  afterAll(() => site?.close())

  promises('svelte', () => site, visit)

  test('a mismatch would be noticed: a page that renders the live session while it hydrates', async () => {
    const { page } = await openBrokenPage(site)
    expect(await lookAtPicture(page)).toEqual(['the picture is data:,nobody'])
  })

  test(`${LOADS} loads of slow pages, without one complaint`, { timeout: 60_000 + LOADS * 3000 }, async () => {
    await expectNoComplaints(site, visit, LOADS, { framework, check: lookAtPicture })
  })
})

describe('vite dev', () => {
  let site: Site
  beforeAll(async () => {
    site = await openSite(modes['vite dev']!)
  })
  afterAll(() => site?.close())

  test('a mismatch would be noticed', async () => {
    const { complaints } = await openBrokenPage(site)
    expect(complaints.join('\n')).toMatch(/hydration_attribute_changed/)
  })

  test(
    `${LOADS_IN_DEVELOPMENT} loads of slow pages, without one complaint`,
    { timeout: 120_000 + LOADS_IN_DEVELOPMENT * 6000 },
    async () => {
      await expectNoComplaints(site, visit, LOADS_IN_DEVELOPMENT, { framework, check: lookAtPicture })
    },
  )
})
