// Tabs of a real Chromium on a real server's own origin: the browser keeps the cookies, httpOnly, SameSite and Path included.

import { type Browser, type BrowserContext, chromium, type Cookie, type Page } from 'playwright-core'
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest'
import { findBrowser } from '../../../setup/browser.mjs'
import { args, bootCode, globalBuild, type PageOptions, type Tab } from '../../../support/tabs.ts'
import type { RealServer } from './server.ts'

export interface Pages {
  readonly context: BrowserContext
  /** That many tabs; `backend` is a function that runs in them. `from`: under another name of this machine. */
  open(count: number, options: PageOptions & { from?: string }): Promise<Tab[]>
  /** The cookies as only the browser itself knows them. */
  cookies(): Promise<Cookie[]>
}

/** For the tests of this file or `describe`. What comes back makes a profile for one test, and a server that starts anew. */
export function usePages(server: RealServer): () => Promise<Pages> {
  let browser: Browser
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: (await findBrowser()) ?? '', args })
  })
  afterAll(() => browser?.close())

  return async () => {
    await server.control['reset']()
    const context = await browser.newContext()
    const complaints: string[] = []
    onTestFinished(async () => {
      await context.close()
      expect(complaints).toEqual([])
    })

    const listen = (page: Page): void => {
      page.on('pageerror', ({ message }) => complaints.push(message))
      page.on('console', (message) => {
        // The browser's own word about a 401.
        if (!message.text().startsWith('Failed to load resource')) complaints.push(message.text())
      })
    }
    return {
      context,
      cookies: () => context.cookies(),
      async open(count, { from = server.origin, ...options }) {
        const script = `<script src="/resesh.js"></script><script>${bootCode(options)}</script>`
        await server.control['put']('/resesh.js', 'text/javascript', await globalBuild())
        await server.control['put']('/page', 'text/html', `<!doctype html>${script}`)
        return Promise.all(
          Array.from({ length: count }, async (): Promise<Tab> => {
            const page = await context.newPage()
            listen(page)
            await page.goto(`${from}/page`)
            await page.waitForFunction('globalThis.tab')
            return {
              page,
              run: (work, arg) => page.evaluate(`(${String(work)})(tab, ${JSON.stringify(arg)})`),
              close: () => page.close(),
            }
          }),
        )
      },
    }
  }
}
