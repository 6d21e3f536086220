// A visitor with a browser of their own, a real Chromium: what the page shows from its first byte on, and whatever it complains of.

import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll } from 'vitest'
import { findBrowser } from '../../setup/browser.mjs'
import { args } from '../../support/tabs.ts'

export interface Visitor {
  readonly context: BrowserContext
  /** A new tab, which has loaded this path. */
  open(path: string): Promise<Tab>
}

export interface Tab {
  readonly page: Page
  /** Loads another page, and returns when its first byte is there. */
  go(path: string): Promise<void>
  /** Errors and warnings of the page: uncaught ones, and those in the console. Frameworks tell of a mismatch there. */
  readonly complaints: string[]
  /** Each text that the elements with the class `account` have shown, in order. */
  seen(): Promise<string[]>
}

/** What says nothing of the page: Chromium's own line for each answer of 4xx and 5xx, and advertisements. */
const OF_TOOLS = /^(Failed to load resource|%cDownload the React DevTools|\[HMR\]|\[Fast Refresh\])/

/** Runs in the page, before its own scripts. */
function watch(): void {
  const [seen, seenAt]: [string[], number[]] = [[], []]
  function look(): void {
    for (const element of document.querySelectorAll('.account')) {
      // What has been streamed, and is not in its place yet.
      if (element.closest('[hidden], template')) continue
      const text = element.textContent?.trim() ?? ''
      if (!text || seen.at(-1) === text) continue
      seen.push(text)
      seenAt.push(performance.now())
    }
  }
  const options = { subtree: true, childList: true, characterData: true, attributes: true }
  new MutationObserver(look).observe(document, options)
  Object.assign(globalThis, { seen, seenAt })
}

export async function openTab(context: BrowserContext, origin: string, path: string): Promise<Tab> {
  const page = await context.newPage()
  const complaints: string[] = []
  const complain = (text: string): void => {
    if (!OF_TOOLS.test(text)) complaints.push(text)
  }
  page.on('pageerror', ({ stack, message }) => complain(stack ?? message))
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complain(message.text())
  })
  await page.addInitScript(watch)
  await page.goto(origin + path)
  return {
    page,
    complaints,
    go: async (next) => void (await page.goto(origin + next, { waitUntil: 'commit' })),
    seen: () => page.evaluate(() => (globalThis as unknown as { seen: string[] }).seen),
  }
}

/** @returns what makes a visitor, who has the cookies `name=value`. They are gone at the end. */
export function useVisitors(): (origin: string, ...cookies: string[]) => Promise<Visitor> {
  let browser: Browser
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: (await findBrowser()) ?? '', args })
  })
  afterAll(() => browser?.close())

  return async (origin, ...cookies) => {
    const context = await browser.newContext()
    await context.addCookies(
      cookies.map((cookie) => {
        const [name = '', value = ''] = cookie.split(/=(.*)/s)
        return { name, value, url: origin, httpOnly: true }
      }),
    )
    return { context, open: (path) => openTab(context, origin, path) }
  }
}
