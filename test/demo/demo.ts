// The demo as a visitor meets it: its own Vite server and a real browser.

import { fileURLToPath } from 'node:url'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { createServer } from 'vite'
import { afterAll, beforeAll } from 'vitest'
import { findBrowser } from '../setup/browser.mjs'

const configFile = fileURLToPath(new URL('../../demo/vite.config.ts', import.meta.url))
const args = ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-sync']

export interface Visit {
  /** Ends with a slash. */
  readonly url: string
  /** A page of its own jar and storage. */
  open(options?: BrowserContextOptions): Promise<Page>
}

/** Started before the tests of a file, closed after them. */
export const visitDemo = (): Visit => {
  let url = ''
  let browser: Browser | undefined
  let close = async (): Promise<void> => {}

  beforeAll(async () => {
    const vite = await createServer({ configFile, logLevel: 'error', server: { port: 0, open: false, hmr: false } })
    close = () => vite.close()
    await vite.listen()
    url = vite.resolvedUrls!.local[0]!
    browser = await chromium.launch({ executablePath: (await findBrowser()) ?? '', args })
  })
  afterAll(async () => {
    await browser?.close()
    await close()
  })
  return {
    get url() {
      return url
    },
    open: async (options) => (await browser!.newContext(options)).newPage(),
  }
}
