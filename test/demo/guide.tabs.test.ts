// The guide as a reader meets it: rendered, with a session beside the text that does what it says; and no barrier on any page.

import { statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { backendPages, guidePages, root, textOf } from '../../demo/guide/site/pages.ts'
import { barriersOn } from './barriers.ts'
import { visitDemo } from './demo.ts'

const visit = visitDemo()

test('the panel beside the text: sign in, an expiry, twenty requests, one refresh, an edit', async () => {
  const page = await visit.open()
  await page.goto(`${visit.url}guide/start`)
  expect(await page.locator('h1').last().textContent()).toBe('Start')
  const press = (name: string) => page.getByRole('button', { name, exact: true }).click()
  const log = page.locator('#live-log')
  await press('Sign in')
  await page.getByText('authenticated', { exact: true }).waitFor()
  await press('Expire the token')
  await page.waitForTimeout(200)
  await press('Fetch 20 at once')
  await log.getByText('20 of 20 requests were served').waitFor()
  expect((await log.allTextContents()).join('\n').match(/refresh \d+ brought token/g)).toHaveLength(1)
  await press('Edit, then reload()')
  await log.getByText(/the name is Ann \d/).waitFor()
  await press('Sign out')
  await page.getByText('unauthenticated', { exact: true }).waitFor()
})

test('every page of the guide is there, and leads to the next', async () => {
  const page = await visit.open()
  for (const { name, title } of [...guidePages(), ...backendPages()]) {
    const response = await page.request.get(`${visit.url}guide/${name}`)
    expect(response.status()).toBe(200)
    expect(await response.text()).toContain(`<title>${title.replaceAll('&', '&amp;')}`)
  }
  expect((await page.request.get(`${visit.url}guide/`)).status()).toBe(200)
})

test('each picture is there on the page and beside its file, is small, and says what it shows', async () => {
  const page = await visit.open()
  const shown: string[] = []
  for (const guidePage of guidePages().filter((each) => textOf(each).includes('!['))) {
    await page.goto(`${visit.url}guide/${guidePage.name}`, { waitUntil: 'load' })
    const pictures = await page.locator('main img').evaluateAll((images) =>
      images.map((image) => ({
        src: image.getAttribute('src')!,
        alt: image.getAttribute('alt')!,
        wide: (image as HTMLImageElement).naturalWidth,
      })),
    )
    for (const { src, alt, wide } of pictures) {
      expect(wide, src).toBeGreaterThan(0)
      expect(alt.length, src).toBeGreaterThan(40)
      expect(statSync(join(root, dirname(guidePage.file), src)).size, src).toBeLessThan(120 * 1024)
      shown.push(src)
    }
  }
  expect(shown).toHaveLength(4)
})

describe('axe-core finds no barrier', () => {
  const places = [
    '',
    'guide/start',
    'guide/debug',
    'guide/your-server',
    'guide/security',
    'guide/backends/bearer',
    'examples/clerk/',
    'examples/tabs/',
  ]
  const cases = places.flatMap((place) => (['light', 'dark'] as const).map((scheme) => [place, scheme] as const))

  test.each(cases)('on /%s, %s', async (place, colorScheme) => {
    const page = await visit.open({ colorScheme })
    await page.goto(visit.url + place)
    await page.waitForTimeout(500)
    expect(await barriersOn(page)).toEqual([])
  })
})
