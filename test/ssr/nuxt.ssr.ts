// Nuxt as it is deployed: `nuxt build`, and the server that this makes. The app is test/ssr/nuxt.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Framework } from './support/loads.ts'
import { answers, expectNoComplaints, LOADS, promises, signedIn } from './support/promises.ts'
import { type App, openSite, type Site } from './support/site.ts'
import { useVisitors } from './support/visitor.ts'

/** Of `nuxt dev`: each takes longer. */
const LOADS_IN_DEVELOPMENT = Math.ceil(LOADS / 5)

const visit = useVisitors()

const modes = {
  build: { folder: 'nuxt', args: () => ['.output/server/index.mjs'], ready: /Listening on/ },
  dev: {
    folder: 'nuxt',
    args: (port) => ['node_modules/nuxt/bin/nuxt.mjs', 'dev', '--host', '127.0.0.1', '--port', `${port}`],
    // In a test it would not say that it is ready.
    env: { NODE_ENV: 'development', TEST: '' },
    ready: /Nitro server built/,
  },
} satisfies Record<string, App>

/** The script that a page begins with makes the session, and loads the page's own scripts. */
async function frameworkOf({ origin }: Site): Promise<Framework> {
  const html = await (await fetch(`${origin}/plain`)).text()
  const [, first = ''] = /<script type="module" src="([^"]+)"/.exec(html)!
  return { isLate: (path) => path.startsWith('/_nuxt/') && path.endsWith('.js') && path !== first, answers }
}
const inDevelopment: Framework = { isLate: (path) => path.includes('/pages/'), answers }

/** @returns what a page that does it wrong complains of. */
async function brokenPage(site: Site, { isLate }: Framework): Promise<string[]> {
  site.slow(({ pathname }) => (isLate(pathname) ? 1000 : 0))
  const { page, complaints } = await (await signedIn(visit, site, 'ann')).open('/plain/broken')
  await page.getByText('Live: authenticated').waitFor()
  return complaints
}

describe('node .output/server', () => {
  let site: Site
  beforeAll(async () => {
    site = await openSite(modes.build)
  })
  afterAll(() => site?.close())

  promises('vue', () => site, visit)

  test('a mismatch would be noticed: a page that renders the live session while it hydrates', async () => {
    expect((await brokenPage(site, await frameworkOf(site))).join('\n')).toContain(
      'Hydration completed but contains mismatches',
    )
  })

  test(`${LOADS} loads of slow pages, without one complaint`, { timeout: 60_000 + LOADS * 3000 }, async () => {
    await expectNoComplaints(site, visit, LOADS, { framework: await frameworkOf(site) })
  })
})

describe('nuxt dev', () => {
  let site: Site
  beforeAll(async () => {
    site = await openSite(modes.dev)
  })
  afterAll(() => site?.close())

  test('a mismatch would be noticed', async () => {
    expect((await brokenPage(site, inDevelopment)).join('\n')).toContain('Hydration text content mismatch')
  })

  test(
    `${LOADS_IN_DEVELOPMENT} loads of slow pages, without one complaint`,
    { timeout: 120_000 + LOADS_IN_DEVELOPMENT * 6000 },
    async () => {
      await expectNoComplaints(site, visit, LOADS_IN_DEVELOPMENT, { framework: inDevelopment })
    },
  )
})
