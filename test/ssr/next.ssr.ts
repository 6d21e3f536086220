// Next.js as it is deployed: `next build`, `next start`, the app router, React 19 with StrictMode. The app is test/ssr/next.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectNoComplaints, htmlOf, promises, signedIn } from './support/promises.ts'
import { type App, openSite, type Site } from './support/site.ts'
import { type Tab, useVisitors } from './support/visitor.ts'

const LOADS = Number(process.env['SSR_LOADS'] ?? 1000)
/** Of `next dev`, whose warnings are complete: each takes longer. */
const LOADS_IN_DEVELOPMENT = Math.ceil(LOADS / 20)

const visit = useVisitors()
const kinds = ['cookie', 'bearer'] as const

const next = (command: 'start' | 'dev'): App => ({
  folder: 'next',
  args: (port) => ['node_modules/next/dist/bin/next', command, '--hostname', '127.0.0.1', '--port', String(port)],
  env: { NODE_ENV: command === 'dev' ? 'development' : 'production' },
  ready: /Ready in/,
})

/** @returns what a page that does it wrong complains of. */
async function brokenPage({ origin }: Site): Promise<string[]> {
  const tab = await (await visit(origin)).open('/plain')
  const { page, complaints, go } = tab
  await signInThere(tab)
  expect(complaints).toEqual([])
  await go('/plain/broken')
  await page.getByText('Live: authenticated').waitFor()
  return complaints
}

/** The session of `/plain` knows of nobody before somebody signs in there. */
async function signInThere({ page }: Tab): Promise<void> {
  await page.getByText('Sign in').click()
  await page.getByText('Signed in as Ann').waitFor()
}

describe('next start', () => {
  let site: Site
  beforeAll(async () => {
    site = await openSite(next('start'))
  })
  afterAll(() => site?.close())

  promises('react', () => site, visit)

  test.each(kinds)('%s: a sign-in within the page, and what the server renders after it', async (kind) => {
    const { page, seen, complaints } = await (await visit(site.origin)).open(`/${kind}`)
    await page.getByPlaceholder('Name').fill('bea')
    await page.getByPlaceholder('Password').fill('secret')
    await page.getByText('Sign in').click()
    await page.getByText('Signed in as Bea').waitFor()
    await page.getByText('A slow page').click()
    await page.getByText('Part 3 for Bea').waitFor()
    expect(await seen()).toEqual(['Signed out', 'Signed in as Bea'])
    await page.reload()
    await page.getByText('Part 3 for Bea').waitFor()
    expect(await seen()).toEqual(['Signed in as Bea'])
    expect(complaints).toEqual([])
  })

  test('bearer: no cache keeps a page that has a token', async () => {
    const { context } = await signedIn(visit, site, 'ann')
    const answer = await context.request.get(`${site.origin}/bearer`)
    expect(answer.headers()['cache-control']).toContain('no-store')
  })

  test('a session at module level, which nobody signs in to on the server, is `loading` in every HTML', async () => {
    const ann = await visit(site.origin)
    const tab = await ann.open('/plain')
    await signInThere(tab)
    for (const visitor of [ann, await visit(site.origin)])
      expect(await htmlOf(visitor, `${site.origin}/plain/slow?ms=50`)).not.toMatch(/Signed|Ann/)
    expect(tab.complaints).toEqual([])
  })

  test('a mismatch would be noticed: a page that renders the live session while it hydrates', async () => {
    const complaints = await brokenPage(site)
    expect(complaints).toEqual([expect.stringContaining('Minified React error #418')])
  })

  test(`${LOADS} loads of slow pages, without one complaint`, { timeout: 60_000 + LOADS * 3000 }, async () => {
    await expectNoComplaints(site, visit, LOADS, { begin: signInThere, enough: 100 })
  })
})

describe('next dev', () => {
  let site: Site
  beforeAll(async () => {
    site = await openSite(next('dev'))
  })
  afterAll(() => site?.close())

  test('a mismatch would be noticed', async () => {
    expect((await brokenPage(site)).join()).toMatch(/hydrat.*didn't match/is)
  })

  test(
    `${LOADS_IN_DEVELOPMENT} loads of slow pages, without one complaint`,
    { timeout: 120_000 + LOADS_IN_DEVELOPMENT * 6000 },
    async () => {
      await expectNoComplaints(site, visit, LOADS_IN_DEVELOPMENT, { begin: signInThere, enough: 100 })
    },
  )
})
