// Next.js as it is deployed: `next build`, `next start`, the app router, React 19 with StrictMode. The app is test/ssr/next.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { type App, openSite, type Site } from './support/site.ts'
import { loadMany, type SlowPage } from './support/loads.ts'
import { useVisitors, type Visitor } from './support/visitor.ts'

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

/** A visitor who is signed in for both kinds of pages. */
async function signedIn({ origin, signIn }: Site, user: string): Promise<Visitor> {
  const visitor = await visit(origin, await signIn(user))
  const data = { username: user, password: 'secret' }
  const answer = await visitor.context.request.post(`${origin}/bearer/session/login`, { data })
  expect(answer.status()).toBe(200)
  return visitor
}

const slowPages: SlowPage[] = [
  { path: '/cookie/slow', texts: ['Signed in as Ann'], parts: 3 },
  { path: '/bearer/slow', texts: ['Signed in as Ann'], parts: 3 },
  {
    path: '/bearer/slow',
    texts: ['One moment', 'Signed in as Ann'],
    parts: 3,
    // As if it had expired: the page asks for another one.
    prepare: (context) => context.clearCookies({ name: 'access_token' }),
  },
  { path: '/plain/slow', texts: ['One moment', 'Signed in as Ann'], parts: 3 },
]

/** @returns what a page that does it wrong complains of. */
async function brokenPage({ origin }: Site): Promise<string[]> {
  const { page, complaints, go } = await (await visit(origin)).open('/plain')
  await page.getByText('Sign in').click()
  await page.getByText('Signed in as Ann').waitFor()
  expect(complaints).toEqual([])
  await go('/plain/broken')
  await page.getByText('Live: authenticated').waitFor()
  return complaints
}

async function expectNoComplaints(site: Site, count: number): Promise<void> {
  // No page is left in the middle of a refresh of its own.
  site.server.knobs.accessTokenLifeSeconds = 3600
  const { complaints, moments } = await loadMany(site, count, slowPages, async () => {
    const tab = await (await signedIn(site, 'ann')).open('/plain')
    await tab.page.getByText('Sign in').click()
    await tab.page.getByText('Signed in as Ann').waitFor()
    return tab
  })
  console.log(`${count} loads, ${complaints.length} complaints; who is signed in was known`, moments)
  expect(complaints).toEqual([])
  expect(moments['from the start']).toBeGreaterThanOrEqual(count / 2)
  if (count >= 100) expect(Math.min(...Object.values(moments))).toBeGreaterThan(0)
}

/** As the server sends it, before any script has run. */
const htmlOf = async ({ context }: Visitor, url: string): Promise<string> => (await context.request.get(url)).text()

describe('next start', () => {
  let site: Site
  beforeAll(async () => {
    site = await openSite(next('start'))
  })
  afterAll(() => site?.close())

  test('a server component may import every entry', async () => {
    const html = await (await fetch(`${site.origin}/entries`)).text()
    const listed = Array.from(html.split('</p>')[0]!.matchAll(/(\w+): \d+/g), ([, name]) => name)
    const needsPackage =
      /^\.\/(vue|svelte|solid|angular.*|query|ky|event-source|oauth2\/login|testing\/server|global|package\.json)$/
    const entries = Object.keys(manifest.exports).filter((name) => !needsPackage.test(name))
    expect(listed).toHaveLength(entries.length)
    expect(site.said.join('')).not.toMatch(/error|warn/i)
  })

  test.each(kinds)(
    '%s: the first HTML shows who is signed in, and the page never shows anything else',
    async (kind) => {
      const ann = await signedIn(site, 'ann')
      expect(await htmlOf(ann, `${site.origin}/${kind}`)).toContain('<p class="account">Signed in as <!-- -->Ann</p>')
      const { page, seen, complaints } = await ann.open(`/${kind}`)
      await page.getByText('Ten requests').click()
      await page.getByText('10 of 10').waitFor()
      await page.getByText('A slow page').click()
      await page.getByText('Part 3 for Ann').waitFor()
      expect(await seen()).toEqual(['Signed in as Ann'])
      expect(complaints).toEqual([])
    },
  )

  test.each(kinds)(
    '%s: ten requests after an expiry make one refresh, before and after a navigation, and a reload knows of it',
    async (kind) => {
      const { server } = site
      const ann = await signedIn(site, 'ann')
      server.knobs.bffSilentRefresh = false
      const { page, seen, complaints } = await ann.open(`/${kind}`)
      const before = server.stats.refreshes
      server.expireAccessTokens()
      await page.getByText('Ten requests').click()
      await page.getByText('10 of 10').waitFor()
      expect(server.stats.refreshes).toBe(before + 1)
      await page.getByText('A slow page').click()
      await page.getByText('Part 3 for Ann').waitFor()
      server.expireAccessTokens()
      await page.getByText('Ten requests').click()
      await page.getByText('10 of 10').waitFor()
      expect(server.stats.refreshes).toBe(before + 2)
      expect(await seen()).toEqual(['Signed in as Ann'])
      await page.reload()
      await page.getByText('Part 3 for Ann').waitFor()
      expect(await seen()).toEqual(['Signed in as Ann'])
      expect(server.stats.refreshes).toBe(before + 2)
      expect(complaints).toEqual([])
    },
  )

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

  test.each(kinds)('%s: a sign-out is known to the server, too', async (kind) => {
    const ann = await signedIn(site, 'ann')
    const { page, seen } = await ann.open(`/${kind}`)
    const farewell = page.waitForResponse(/logout$/)
    await page.getByText('Sign out').click()
    await page.getByText('Signed out').waitFor()
    expect((await farewell).status()).toBe(204)
    expect(await htmlOf(ann, `${site.origin}/${kind}`)).toContain('>Signed out<')
    await page.reload()
    expect(await seen()).toEqual(['Signed out'])
  })

  test('cookie: a page whose server could not ask begins with `loading`, and finds out by itself', async () => {
    const ann = await signedIn(site, 'ann')
    const asked = site.hold('/bff/session')
    const opening = ann.open('/cookie')
    await asked.arrived
    asked.release(503)
    const { page, seen, complaints } = await opening
    await page.getByText('Signed in as Ann').waitFor()
    expect(await seen()).toEqual(['One moment', 'Signed in as Ann'])
    expect(complaints).toEqual([])
  })

  test('bearer: a page whose access token has expired begins with `loading`, and renews it once', async () => {
    const ann = await signedIn(site, 'ann')
    await ann.context.clearCookies({ name: 'access_token' })
    const before = site.server.stats.refreshes
    const { page, seen, complaints } = await ann.open('/bearer')
    await page.getByText('Signed in as Ann').waitFor()
    expect(await seen()).toEqual(['One moment', 'Signed in as Ann'])
    expect(site.server.stats.refreshes).toBe(before + 1)
    expect(complaints).toEqual([])
  })

  test.each(kinds)(
    '%s: of visitors whose pages are rendered at the same time, each gets only their own',
    async (kind) => {
      const names = ['ann', 'bea', 'cleo', 'dora', 'emil', 'fritz', 'gus', 'hilde']
      const visitors = await Promise.all(names.map((name) => signedIn(site, name)))
      const url = `${site.origin}/${kind}/slow?ms=150`
      // The first one's page has begun, and waits in the middle while all others are rendered.
      const held = site.hold('/api/me')
      const first = htmlOf(visitors[0]!, url)
      await held.arrived
      const others = await Promise.all(
        visitors.slice(1).flatMap((visitor) => [htmlOf(visitor, url), htmlOf(visitor, url)]),
      )
      held.release()
      const pages = [await first, await first, ...others]
      for (const [nth, html] of pages.entries()) {
        const own = names[Math.floor(nth / 2)]!
        expect(html).toContain(`Part <!-- -->3<!-- --> for <!-- -->${capital(own)}`)
        const found = names.filter((name) => new RegExp(`\\b${name}\\b`, 'i').test(html))
        expect(found).toEqual([own])
      }
    },
  )

  test('bearer: the page has its own access token, and no refresh token', async () => {
    const visitors = await Promise.all(['ann', 'zoe'].map((name) => signedIn(site, name)))
    for (const visitor of visitors) {
      const answer = await visitor.context.request.get(`${site.origin}/bearer`)
      expect(answer.headers()['cache-control']).toContain('no-store')
      const html = await answer.text()
      const jar = await visitor.context.cookies()
      const valueOf = (wanted: string): string => jar.find(({ name }) => name === wanted)!.value
      expect(html).toContain(valueOf('access_token'))
      expect(html.match(/eyJ[\w.-]+/g)?.filter((token) => token !== valueOf('access_token'))).toEqual([])
      expect(html).not.toContain(valueOf('refresh_token'))
    }
  })

  test('a session at module level, which nobody signs in to on the server, is `loading` in every HTML', async () => {
    const ann = await visit(site.origin)
    const { page, complaints } = await ann.open('/plain')
    await page.getByText('Sign in').click()
    await page.getByText('Signed in as Ann').waitFor()
    for (const visitor of [ann, await visit(site.origin)])
      expect(await htmlOf(visitor, `${site.origin}/plain/slow?ms=50`)).not.toMatch(/Signed|Ann/)
    expect(complaints).toEqual([])
  })

  test('a mismatch would be noticed: a page that renders the live session while it hydrates', async () => {
    const complaints = await brokenPage(site)
    expect(complaints).toEqual([expect.stringContaining('Minified React error #418')])
  })

  test(`${LOADS} loads of slow pages, without one complaint`, { timeout: 60_000 + LOADS * 3000 }, async () => {
    await expectNoComplaints(site, LOADS)
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
      await expectNoComplaints(site, LOADS_IN_DEVELOPMENT)
    },
  )
})

const capital = (name: string): string => name[0]!.toUpperCase() + name.slice(1)
