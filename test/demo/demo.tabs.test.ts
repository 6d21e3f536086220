// The demo as a visitor meets it: its own Vite server, a real browser, and what is to be seen on the page.

import type { Page } from 'playwright-core'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { visitDemo } from './demo.ts'

const visit = visitDemo()
let page: Page
const errors: unknown[] = []

beforeEach(async () => {
  errors.length = 0
  await fetch(`${visit.url}sample/reset`, { method: 'POST' })
  page = await visit.open()
  page.on('pageerror', (error) => errors.push(error))
  await page.goto(visit.url)
  await page.click('#sign-in button')
  await page.waitForSelector('[data-status=authenticated]')
  await expect.poll(() => cell('name', 1)).toBe('Ann')
})
afterEach(async () => {
  await page.context().close()
  expect(errors).toEqual([])
})

/** 1: stored by the server, 2: the session's user, 3: the token's claims. */
const cell = (field: string, side: number) =>
  page
    .locator(`[data-field=${field}] td`)
    .nth(side - 1)
    .innerText()
const role = () => Promise.all([1, 2, 3].map((side) => cell('role', side)))
const save = async (value: string, then: string) => {
  await page.selectOption('#edit [name=role]', value)
  await page.click(`#edit [value=${then}]`)
}
const figure = (name: string) => page.locator(`[data-figure=${name}]`).innerText().then(Number)
const fire = async (how: string) => {
  await page.click(`[data-fire=${how}]`)
  await page.waitForSelector('#figures[data-done]')
}
/** Rows of the timeline in that phase. */
const drawn = (phase: string) =>
  page.locator(`#timeline .rows.${phase}`).evaluate((path) => path.getAttribute('d')!.split('M').length - 1)

test('an edit alone leaves user and claims as they were', async () => {
  await save('editor', 'nothing')
  await expect.poll(role).toEqual(['editor', 'reader', 'reader'])
  expect(await page.locator('.stale').count()).toBe(2)
})

test('getToken({ skipCache: true }) brings the claims', async () => {
  await save('editor', 'token')
  await expect.poll(() => cell('role', 3)).toBe('editor')
})

test('reload() brings user and claims', async () => {
  await save('admin', 'reload')
  await expect.poll(role).toEqual(['admin', 'admin', 'admin'])
  expect(await page.locator('.stale').count()).toBe(0)
})

test('200 requests of whose expiry only the server knows: one refresh, none lost', async () => {
  await fire('server')
  expect([await figure('refreshes'), await figure('failures')]).toEqual([1, 0])
  expect(await figure('wire')).toBeLessThanOrEqual(401)
  await expect.poll(() => drawn('replay')).toBeGreaterThan(100)
  expect(await drawn('send')).toBe(200)
  expect(await drawn('failed')).toBe(0)
  expect(await page.locator('#timeline .call.refresh').count()).toBe(1)
  expect(await page.locator('#timeline .mark.change').count()).toBe(1)
})

test('200 requests of a session known to be expired: held, and sent once', async () => {
  await fire('known')
  expect(await figure('refreshes')).toBe(1)
  expect(await figure('failures')).toBe(0)
  expect(await figure('wire')).toBe(201)
  await expect.poll(() => drawn('hold')).toBe(200)
  expect(await drawn('replay')).toBe(0)
})

test.each(['Next refresh: 500', 'Next refresh: answer lost'])(
  '%s: costs a second one, and no request',
  async (fault) => {
    await page.check(`text=${fault}`)
    await fire('server')
    expect([await figure('refreshes'), await figure('failures')]).toEqual([2, 0])
    await expect.poll(() => page.isChecked(`text=${fault}`)).toBe(false)
  },
)

// Five, not two hundred: a second after the refusal the session may try once more, and two hundred can take that long.
test('an API that refuses everybody is drawn as such, and not asked a third time', async () => {
  await page.check('text=The API always says 401')
  await fire('few')
  expect([await figure('refreshes'), await figure('failures'), await figure('wire')]).toEqual([1, 5, 11])
  await expect.poll(() => drawn('failed')).toBe(5)
})

test('signing out shows the way back in: the form, and the first button, which signs in by itself', async () => {
  await page.click('#signed-in button')
  await page.waitForSelector('#sign-in:not([hidden])')
  expect(await page.isDisabled('[data-fire=few]')).toBe(true)
  await fire('server')
  expect([await figure('refreshes'), await figure('failures')]).toEqual([1, 0])
  expect(await page.locator('#signed-in').isVisible()).toBe(true)
})
