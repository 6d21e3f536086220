// The choice of servers: the same buttons do the same against each kind, and what a server can't do is said.

import type { Page } from 'playwright-core'
import { afterEach, describe, expect, test } from 'vitest'
import { barriersOn } from './barriers.ts'
import { visitDemo } from './demo.ts'

const visit = visitDemo()
const phone = { viewport: { width: 390, height: 844 } }
const errors: unknown[] = []
let page: Page

/** Where the hand of whoever runs the server is. */
const servers = {
  bearer: 'sample',
  oauth2: 'sample',
  cookie: 'sample',
  supertokens: 'vendors/supertokens-header/stand',
  'better-auth': 'vendors/better-auth/stand',
  authjs: 'vendors/authjs/stand',
  clerk: 'vendors/clerk/stand',
  workos: 'vendors/workos/stand',
  roq: 'vendors/roq/stand',
}
const keys = Object.keys(servers) as (keyof typeof servers)[]

const open = async (path: string, options = {}) => {
  errors.length = 0
  page = await visit.open(options)
  page.on('pageerror', (error) => errors.push(error))
  await page.goto(visit.url + path)
}
afterEach(async () => {
  await page.context().close()
  expect(errors).toEqual([])
})

const status = (word: string, on = page) => on.waitForSelector(`[data-status=${word}]`)
const figure = (name: string) => page.locator(`[data-figure=${name}]`).innerText().then(Number)
const fire = async (how: string) => {
  await page.click(`[data-fire=${how}]`)
  await page.waitForSelector('#figures[data-done]')
}
/** The sentence that each disabled control of the page is described by; '' where there is none. */
const reasons = () =>
  page.evaluate(() =>
    [...document.querySelectorAll('main :is(button, input, select):disabled')].map((control) => {
      const text = document.getElementById(control.getAttribute('aria-describedby') ?? '')
      return text?.checkVisibility() ? text.textContent : ''
    }),
  )
const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth)

test.each(keys)(
  '%s: sign in, expire, five requests, one refresh; an edit, another tab, a reload, sign out',
  async (key) => {
    await fetch(`${visit.url}${servers[key]}/reset`, { method: 'POST' })
    await open(`?server=${key}`, phone)
    await status('unauthenticated')
    expect(await page.inputValue('#server')).toBe(key)
    await page.click('#sign-in button')
    await status('authenticated')
    await page.locator('.who').getByText('Ann').waitFor()

    await page.click('#expire')
    await page.getByText('From now on the server refuses the token').waitFor()
    await fire('few')
    expect([await figure('refreshes'), await figure('wire'), await figure('failures')]).toEqual([1, 11, 0])
    await expect.poll(() => page.locator('#timeline .call.refresh').count()).toBe(1)

    await page.fill('#edit [name=name]', 'Ann B.')
    await page.click('#edit [value=reload]')
    await page.locator('.who').getByText('Ann B.').waitFor()
    await expect.poll(() => page.locator('.stale').count()).toBe(0)
    expect(await reasons()).not.toContain('')
    expect(await barriersOn(page)).toEqual([])
    expect(await overflow()).toBe(0)

    const other = await page.context().newPage()
    await other.goto(page.url())
    await status('authenticated', other)
    await page.reload()
    await status('authenticated')
    expect(await page.inputValue('#server')).toBe(key)
    expect(await page.locator('body').innerText()).not.toMatch(/eyJ[\w-]{20}|[\da-f]{8}-[\da-f]{4}-/)
    await page.click('#signed-in button')
    await status('unauthenticated')
    await status('unauthenticated', other)
    await page.reload()
    await status('unauthenticated')
  },
  60_000,
)

test.each(['bearer', 'oauth2', 'cookie'])('%s: a wrong password is said, and signs nobody in', async (key) => {
  await open(`?server=${key}`)
  await page.fill('[name=password]', 'wrong')
  await page.click('#sign-in button')
  await page.getByText('Wrong password').waitFor()
  await status('unauthenticated')
})

test('a choice is made by keyboard, is in the URL, and the focus stays', async () => {
  await open('')
  await status('unauthenticated')
  await page.focus('#server')
  await page.keyboard.press('ArrowDown')
  await page.waitForURL('**/?server=oauth2')
  await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe('server')
  expect(await page.locator('#server-code').innerText()).toContain('oauth2({')
  await page.keyboard.press('ArrowUp')
  await page.waitForURL(visit.url)
})

describe('three tabs side by side', () => {
  const tabs = () => ['First tab', 'Second tab', 'Third tab'].map((title) => page.frameLocator(`[title="${title}"]`))
  const press = (tab: number, name: string) => tabs()[tab]!.getByRole('button', { name, exact: true }).click()
  const all = async (text: string) => {
    for (const tab of tabs()) await tab.getByText(text, { exact: true }).waitFor()
  }

  test.each(['bearer', 'cookie', 'supertokens', 'roq'] as const)(
    '%s: sixty requests at an expiry, one refresh; what one does the others show',
    async (key) => {
      await fetch(`${visit.url}${servers[key]}/reset`, { method: 'POST' })
      await open('examples/tabs/', phone)
      await page.selectOption('#server', key)
      await page.waitForURL(key === 'bearer' ? '**/tabs/' : `**/tabs/?server=${key}`)
      await all('unauthenticated')
      await page.click('#burst')
      await page.getByText('60', { exact: true }).waitFor()
      expect(await figure('refreshes')).toBe(1)
      await press(2, 'Sign out')
      await all('unauthenticated')
      await press(0, 'Sign in')
      await all('authenticated')
      expect(await overflow()).toBe(0)
    },
  )
})
