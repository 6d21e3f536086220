// Pages of a real browser with a framework in them, on a sample server of their own. Whatever is written to the console fails the
// test: that is where frameworks tell of a mismatch, a loop or an update that came too late.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest'
import { toNode } from '../../servers/sample/node.ts'
import { createSampleServer, isSamplePath, type SampleServer } from '../../servers/sample/server.ts'
import { findBrowser } from '../../setup/browser.mjs'
import { args } from '../../support/tabs.ts'

export interface Site {
  readonly server: SampleServer
  /** Another tab of the same browser. */
  open(): Promise<Page>
}

export interface SiteOptions {
  script: string
  /** What a server has rendered. */
  html?: string
  head?: string | undefined
  /** In place of a new one. */
  server?: SampleServer
  /** Written into the page, as `globalThis.given`. */
  given?: unknown
  knobs?: Partial<SampleServer['knobs']>
  /** Where the page is, in place of here. */
  origin?: string
}

/** What the browser and the tools say by themselves. */
const OF_TOOLS = /^(Failed to load resource|%cDownload the React DevTools|Angular is running|\[vite\])/

/** @param mayComplain What the console may say. */
export function useSites({ mayComplain = /^$/ } = {}): (options: SiteOptions) => Promise<Site> {
  let browser: Browser

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: (await findBrowser()) ?? '', args })
  })
  afterAll(() => browser?.close())

  return async (options) => {
    const { script, html = '', head = '', given = null, knobs = {}, server = createSampleServer({ knobs }) } = options
    const api = toNode(server)
    const page = `<!doctype html><head>${head}</head><div id="app">${html}</div><script>given = ${JSON.stringify(given)}</script><script src="/app.js"></script>`
    const http = createServer((message, response) => {
      const { url = '/' } = message
      if (isSamplePath(url)) return void api(message, response)
      const [type, body] = url === '/app.js' ? ['text/javascript', script] : ['text/html', page]
      response.writeHead(200, { 'content-type': `${type}; charset=utf-8` }).end(body)
    })
    await new Promise<void>((done) => http.listen(0, '127.0.0.1', done))
    const context = await browser.newContext()
    const complaints: string[] = []
    context.on('page', (opened) => {
      const complain = (text: string): void => {
        if (!OF_TOOLS.test(text) && !mayComplain.test(text)) complaints.push(text)
      }
      opened.on('pageerror', ({ stack, message }) => complain(stack ?? message))
      opened.on('console', (message) => complain(message.text()))
    })
    onTestFinished(async () => {
      await context.close()
      http.closeAllConnections()
      http.close()
      expect(complaints).toEqual([])
    })
    return {
      server,
      async open() {
        const opened = await context.newPage()
        await opened.goto(options.origin ?? `http://127.0.0.1:${(http.address() as AddressInfo).port}/`)
        return opened
      },
    }
  }
}
