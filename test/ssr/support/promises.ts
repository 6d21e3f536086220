// What each app promises whose pages a server renders, as a visitor sees it. The sections of an app, `/cookie`, `/bearer` and
// `/plain`, look the same in each framework.

import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import manifest from '../../../package.json' with { type: 'json' }
import { type Framework, loadMany, type SlowPage } from './loads.ts'
import type { Site } from './site.ts'
import type { Tab, Visitor } from './visitor.ts'

type Visit = (origin: string, ...cookies: string[]) => Promise<Visitor>

const kinds = ['cookie', 'bearer'] as const

/** A visitor who is signed in for all sections. */
export async function signedIn(visit: Visit, { origin, signIn }: Site, user: string): Promise<Visitor> {
  const visitor = await visit(origin, await signIn(user))
  const data = { username: user, password: 'secret' }
  const answer = await visitor.context.request.post(`${origin}/bearer/session/login`, { data })
  expect(answer.status()).toBe(200)
  return visitor
}

/** As the server sends it, before any script has run; without the empty comments that React puts between texts. */
export const htmlOf = async ({ context }: Visitor, url: string): Promise<string> =>
  (await (await context.request.get(url)).text()).replaceAll('<!-- -->', '')

export async function click(page: Page, text: string): Promise<void> {
  await page.waitForFunction('globalThis.isHydrated')
  await page.getByText(text).click()
}

const capital = (name: string): string => name[0]!.toUpperCase() + name.slice(1)

/** @param binding The entry of the framework. */
export function promises(binding: string, getSite: () => Site, visit: Visit): void {
  const signIn = (user: string): Promise<Visitor> => signedIn(visit, getSite(), user)

  test('code of the server may import every entry', async () => {
    const site = getSite()
    const text = await (await fetch(`${site.origin}/entries`)).text()
    // A page may say them twice: in its HTML, and to its scripts.
    const listed = [...new Set(Array.from(text.matchAll(/(\w+): \d+/g), ([, name]) => name))]
    const needsPackage =
      /^\.\/(react|vue|svelte|solid|angular.*|query|ky|event-source|oauth2\/login|testing\/server|global|package\.json)$/
    const entries = Object.keys(manifest.exports).filter((name) => name === `./${binding}` || !needsPackage.test(name))
    expect(listed).toHaveLength(entries.length)
    expect(site.said.join('')).not.toMatch(/error|warn/i)
  })

  test.each(kinds)(
    '%s: the first HTML shows who is signed in, and the page never shows anything else',
    async (kind) => {
      const ann = await signIn('ann')
      expect(await htmlOf(ann, `${getSite().origin}/${kind}`)).toContain('<p class="account">Signed in as Ann</p>')
      const { page, seen, complaints } = await ann.open(`/${kind}`)
      await click(page, 'Ten requests')
      await page.getByText('10 of 10').waitFor()
      await click(page, 'A slow page')
      await page.getByText('Part 3 for Ann').waitFor()
      expect(await seen()).toEqual(['Signed in as Ann'])
      expect(complaints).toEqual([])
    },
  )

  test.each(kinds)(
    '%s: ten requests after an expiry make one refresh, before and after a navigation, and a reload knows of it',
    async (kind) => {
      const { server } = getSite()
      const ann = await signIn('ann')
      server.knobs.bffSilentRefresh = false
      const { page, seen, complaints } = await ann.open(`/${kind}`)
      const before = server.stats.refreshes
      server.expireAccessTokens()
      await click(page, 'Ten requests')
      await page.getByText('10 of 10').waitFor()
      expect(server.stats.refreshes).toBe(before + 1)
      await click(page, 'A slow page')
      await page.getByText('Part 3 for Ann').waitFor()
      server.expireAccessTokens()
      await click(page, 'Ten requests')
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

  test.each(kinds)('%s: a sign-out is known to the server, too', async (kind) => {
    const ann = await signIn('ann')
    const { page, seen } = await ann.open(`/${kind}`)
    const farewell = page.waitForResponse(/logout$/)
    await click(page, 'Sign out')
    await page.getByText('Signed out').waitFor()
    expect((await farewell).status()).toBe(204)
    expect(await htmlOf(ann, `${getSite().origin}/${kind}`)).toContain('>Signed out<')
    await page.reload()
    expect(await seen()).toEqual(['Signed out'])
  })

  test('cookie: a page whose server could not ask begins with `loading`, and finds out by itself', async () => {
    const ann = await signIn('ann')
    const asked = getSite().hold('/bff/session')
    const opening = ann.open('/cookie')
    await asked.arrived
    asked.release(503)
    const { page, seen, complaints } = await opening
    await page.getByText('Signed in as Ann').waitFor()
    expect(await seen()).toEqual(['One moment', 'Signed in as Ann'])
    expect(complaints).toEqual([])
  })

  test('bearer: a page whose access token has expired begins with `loading`, and renews it once', async () => {
    const ann = await signIn('ann')
    await ann.context.clearCookies({ name: 'access_token' })
    const before = getSite().server.stats.refreshes
    const { page, seen, complaints } = await ann.open('/bearer')
    await page.getByText('Signed in as Ann').waitFor()
    expect(await seen()).toEqual(['One moment', 'Signed in as Ann'])
    expect(getSite().server.stats.refreshes).toBe(before + 1)
    expect(complaints).toEqual([])
  })

  test.each(kinds)(
    '%s: of visitors whose pages are rendered at the same time, each gets only their own',
    async (kind) => {
      const site = getSite()
      const names = ['ann', 'bea', 'cleo', 'dora', 'emil', 'fritz', 'gus', 'hilde']
      const visitors = await Promise.all(names.map(signIn))
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
        expect(html).toContain(`<p class="account">Signed in as ${capital(own)}</p>`)
        expect(html).toContain(`Part 1 for ${capital(own)}`)
        const found = names.filter((name) => new RegExp(`\\b${name}\\b`, 'i').test(html))
        expect(found).toEqual([own])
      }
    },
  )

  test('bearer: the page has its own access token, and no refresh token', async () => {
    const visitors = await Promise.all(['ann', 'zoe'].map(signIn))
    for (const visitor of visitors) {
      const html = await htmlOf(visitor, `${getSite().origin}/bearer`)
      const jar = await visitor.context.cookies()
      const valueOf = (wanted: string): string => jar.find(({ name }) => name === wanted)!.value
      expect(html).toContain(valueOf('access_token'))
      expect(html.match(/eyJ[\w.-]+/g)?.filter((token) => token !== valueOf('access_token'))).toEqual([])
      expect(html).not.toContain(valueOf('refresh_token'))
    }
  })

  test('a page whose server asks nobody is `loading` in the HTML of every visitor', async () => {
    for (const visitor of [await signIn('ann'), await visit(getSite().origin)])
      expect(await htmlOf(visitor, `${getSite().origin}/plain`)).toContain('>One moment<')
  })
}

const DEFAULT_LOADS = 50

/** How often the slow pages are loaded. */
export const LOADS = Number(process.env['SSR_LOADS'] ?? DEFAULT_LOADS)

/** The requests that say who is signed in. */
export const answers = /\/(bff\/session|bearer\/session\/refresh)$/

interface HowToLoad {
  framework?: Framework
  /** Of the pages that begin as `loading` with a session that may be known before they hydrate. */
  check?: NonNullable<SlowPage['check']>
  /** Before the first load. */
  begin?(tab: Tab): Promise<void>
  /** From how many loads on it has to have become known at each kind of moment who is signed in. @default 50 */
  enough?: number
}

/** Loads slow pages, and expects not one complaint. */
export async function expectNoComplaints(
  site: Site,
  visit: Visit,
  count: number,
  { framework, check, begin, enough = 50 }: HowToLoad,
): Promise<void> {
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
    { path: '/plain/slow', texts: ['One moment', 'Signed in as Ann'], parts: 3, ...(check && { check }) },
  ]
  // No page is left in the middle of a refresh of its own.
  site.server.knobs.accessTokenLifeSeconds = 3600
  async function newTab(): Promise<Tab> {
    const tab = await (await signedIn(visit, site, 'ann')).open('/plain')
    await begin?.(tab)
    return tab
  }
  const { complaints, moments } = await loadMany(site, count, slowPages, newTab, framework)
  console.log(`${count} loads, ${complaints.length} complaints; who is signed in was known`, moments)
  expect(complaints).toEqual([])
  if (count >= enough) expect(Math.min(...Object.values(moments))).toBeGreaterThan(0)
}
