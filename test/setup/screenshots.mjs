// `npm run screenshots`: takes the pictures of README and guide anew, from the demo in a real Chromium. Times differ from run to
// run, since the requests are real; user, window and what is pressed do not.

import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { crc32, deflateSync, inflateSync } from 'node:zlib'
import { chromium } from 'playwright-core'
import { createServer } from 'vite'
import { findBrowser } from './browser.mjs'

const MOST_BYTES = 120 * 1024
const root = fileURLToPath(new URL('../..', import.meta.url))
const wide = { viewport: { width: 1280, height: 1200 }, colorScheme: 'light' }
const phone = { viewport: { width: 390, height: 844 }, colorScheme: 'dark', deviceScaleFactor: 2 }

const settled = (page) => page.waitForFunction(() => document.querySelector('#figures').dataset.done === 'yes')

/** The drawing grows and settles for some frames after the last request. */
const drawn = async (page) => {
  let before = ''
  for (;;) {
    const now = await page.locator('#timeline svg').last().innerHTML()
    if (now === before) return
    before = now
    await page.waitForTimeout(250)
  }
}

const burst = async (page) => {
  await page.click('[data-fire=server]')
  await settled(page)
  await drawn(page)
  // No button is under the pointer, none has the focus.
  await page.mouse.move(0, 0)
  await page.evaluate(() => document.activeElement?.blur())
}

/** Each picture: its file, its window, where it is, what is pressed there, and which part of the page is shown. */
const pictures = [
  {
    file: 'demo/screenshot.png',
    window: wide,
    path: '',
    async shoot(page) {
      await burst(page)
      const { y, height } = await page.locator('.stage').boundingBox()
      return { clip: { x: 0, y: 0, width: wide.viewport.width, height: y + height + 14 } }
    },
  },
  {
    file: 'demo/guide/images/devtools.png',
    window: { ...wide, viewport: { width: 1000, height: 1400 } },
    path: '',
    async shoot(page) {
      await page.click('#sign-in button')
      await page.waitForSelector('[data-status=authenticated]')
      await page.click('#expire')
      await page.getByText('From now on the server refuses').waitFor()
      await page.click('[data-fire=few]')
      await settled(page)
      await page.getByText('In words').click()
      await drawn(page)
      await page.mouse.move(0, 0)
      await page.evaluate(() => document.activeElement?.blur())
      const { x, y, width, height } = await page.locator('#timeline').boundingBox()
      return { clip: { x: x - 16, y: y - 8, width: width + 32, height: height + 20 } }
    },
  },
  {
    file: 'demo/guide/images/phone.png',
    window: phone,
    path: '?server=cookie',
    async shoot(page) {
      await burst(page)
      const { y } = await page.locator('#figures').boundingBox()
      const drawing = await page.locator('#timeline svg').boundingBox()
      const top = y - 20
      return { fullPage: true, clip: { x: 0, y: top, width: 390, height: drawing.y + drawing.height - top } }
    },
  },
  {
    file: 'demo/guide/images/tabs.png',
    window: wide,
    path: 'examples/tabs/',
    async shoot(page) {
      const tabs = ['First tab', 'Second tab', 'Third tab'].map((title) => page.frameLocator(`[title="${title}"]`))
      await page.click('#burst')
      await page.getByText('60', { exact: true }).waitFor()
      for (const tab of tabs) await tab.getByText('20 of 20 requests were served').waitFor()
      await page.mouse.move(0, 0)
      await page.evaluate(() => document.activeElement?.blur())
      const { y, height } = await page.locator('.frames').boundingBox()
      return { clip: { x: 0, y: 0, width: wide.viewport.width, height: y + height + 20 } }
    },
  },
]

/** Chromium writes PNGs in a hurry: the same picture, with its data deflated as well as zlib can. */
const repack = (png) => {
  const data = []
  const kept = [png.subarray(0, 8)]
  const chunk = (type, body) => {
    const named = Buffer.concat([Buffer.from(type, 'latin1'), body])
    const [length, sum] = [body.length, crc32(named)].map((number) => {
      const bytes = Buffer.alloc(4)
      bytes.writeUInt32BE(number)
      return bytes
    })
    return Buffer.concat([length, named, sum])
  }
  for (let at = 8; at < png.length; at += png.readUInt32BE(at) + 12) {
    const length = png.readUInt32BE(at)
    const type = png.toString('latin1', at + 4, at + 8)
    const body = png.subarray(at + 8, at + 8 + length)
    if (type === 'IDAT') data.push(body)
    else if (type === 'IEND')
      kept.push(chunk('IDAT', deflateSync(inflateSync(Buffer.concat(data)), { level: 9, memLevel: 9 })))
    if (type === 'IHDR' || type === 'IEND') kept.push(chunk(type, body))
  }
  return Buffer.concat(kept)
}

const vite = await createServer({
  configFile: `${root}demo/vite.config.ts`,
  logLevel: 'error',
  server: { port: 0, open: false, hmr: false },
})
let browser
try {
  await vite.listen()
  browser = await chromium.launch({ executablePath: (await findBrowser()) ?? '' })
  mkdirSync(`${root}demo/guide/images`, { recursive: true })
  for (const { file, window, path, shoot } of pictures) {
    await fetch(`${vite.resolvedUrls.local[0]}sample/reset`, { method: 'POST' })
    const context = await browser.newContext({ ...window, reducedMotion: 'reduce', locale: 'en-GB' })
    const page = await context.newPage()
    await page.goto(vite.resolvedUrls.local[0] + path)
    const png = repack(await page.screenshot({ ...(await shoot(page)), animations: 'disabled', caret: 'hide' }))
    await context.close()
    writeFileSync(root + file, png)
    console.log(`${file}: ${(png.length / 1024).toFixed(0)} kB`)
    if (png.length > MOST_BYTES) process.exitCode = 1
  }
} finally {
  await browser?.close()
  await vite.close()
}
if (process.exitCode) console.error(`A picture is larger than ${MOST_BYTES / 1024} kB.`)
