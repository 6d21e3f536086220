// Many loads of slow pages. Each has other delays: of the parts that are streamed, of the scripts, and of the answer that says who
// is signed in, so that the session is known before, while and after the parts of the page hydrate.

import type { BrowserContext, Page } from 'playwright-core'
import type { Site } from './site.ts'
import type { Tab } from './visitor.ts'

export interface SlowPage {
  path: string
  /** What the account shows, in order. */
  texts: string[]
  /** How many parts it has that come late. Each notes in `globalThis.marks` when it has hydrated. */
  parts: number
  /** Before each load. */
  prepare?: (context: BrowserContext) => Promise<void>
  /** @returns what is wrong on the page in the end, other than what the account shows. */
  check?: (page: Page) => Promise<string[]>
}

export interface Framework {
  /** Whether a page can hydrate only when this script is there, and the session begins without it. */
  isLate(path: string): boolean
  /** The requests that say who is signed in. */
  answers: RegExp
}

/** When it was known who is signed in, as the page has shown it. */
export type Moment = 'from the start' | 'before the parts hydrate' | 'meanwhile' | 'afterwards'

export interface Loads {
  complaints: string[]
  moments: Record<Moment, number>
}

const LANES = 3
/** ms. */
const DELAYS = [0, 20, 60, 150, 300]

/** So that a few loads have different delays of each kind. It shares no factor with the number of combinations: all come. */
const STEP = 47

/** All combinations come, one after the other. @param place Of the digit of `nth` that counts. */
const delay = (nth: number, place: number): number => DELAYS[Math.floor(nth / DELAYS.length ** place) % DELAYS.length]!

/** @param newTab Of a visitor who is signed in. Some are loaded side by side. */
export async function loadMany(
  site: Site,
  count: number,
  pages: readonly SlowPage[],
  newTab: () => Promise<Tab>,
  framework?: Framework,
): Promise<Loads> {
  const loads: Loads = {
    complaints: [],
    moments: { 'from the start': 0, 'before the parts hydrate': 0, meanwhile: 0, afterwards: 0 },
  }
  site.slow(({ pathname }, page) => {
    const ofPage = (name: string): number => Number(page?.searchParams.get(name) ?? 0)
    if (framework?.isLate(pathname)) return ofPage('scripts')
    if (framework) return framework.answers.test(pathname) ? ofPage('session') : 0
    if (!pathname.endsWith('.js')) return ofPage('session')
    // Some scripts come at once, some late, some later.
    return ofPage('scripts') * (pathname.charCodeAt(pathname.length - 4) % 3)
  })

  let started = 0
  async function lane(): Promise<void> {
    const tab = await newTab()
    while (started < count) {
      const load = started++
      const page = pages[load % pages.length]!
      const nth = Math.floor(load / pages.length) * STEP
      const query = `session=${delay(nth, 0)}&ms=${delay(nth, 1)}&scripts=${delay(nth, 2)}`
      const url = `${page.path}?${query}`
      await page.prepare?.(tab.page.context())
      await tab.go(url)
      await untilHydrated(tab, page)
      // A part that comes late begins as the server has rendered it.
      const seen = [...new Set(await tab.seen())].join()
      const complaints = [...tab.complaints.splice(0), ...((await page.check?.(tab.page)) ?? [])]
      if (seen !== page.texts.join()) complaints.push(`shown: ${seen}`)
      loads.complaints.push(...complaints.map((text) => `${url}: ${text}`))
      loads.moments[await momentOf(tab, framework?.answers)]++
    }
    await tab.page.context().close()
  }
  await Promise.all(Array.from({ length: Math.min(LANES, count) }, lane))
  return loads
}

/** Runs in the page as well. */
interface Watched {
  marks?: Record<string, number>
  seen: string[]
  seenAt: number[]
}

async function untilHydrated({ page }: Tab, { parts, texts }: SlowPage): Promise<void> {
  await page.waitForFunction(
    ([count, last]) => {
      const { marks = {}, seen } = globalThis as unknown as Watched
      return Object.keys(marks).length === count && seen.at(-1) === last
    },
    [parts, texts.at(-1)] as const,
  )
}

async function momentOf({ page }: Tab, answers: RegExp | undefined): Promise<Moment> {
  const {
    marks = {},
    seenAt,
    resources,
  } = await page.evaluate(() => {
    const watched = globalThis as unknown as Watched
    const entries = performance.getEntriesByType('resource') as PerformanceResourceTiming[]
    return {
      marks: watched.marks,
      seenAt: watched.seenAt,
      resources: entries.map(({ name, responseEnd }) => ({ name, responseEnd })),
    }
  })
  if (seenAt.length < 2) return 'from the start'
  const knownAt = answers ? resources.find(({ name }) => answers.test(name))!.responseEnd : seenAt[1]!
  const times = Object.values(marks)
  if (knownAt < Math.min(...times)) return 'before the parts hydrate'
  return knownAt < Math.max(...times) ? 'meanwhile' : 'afterwards'
}
