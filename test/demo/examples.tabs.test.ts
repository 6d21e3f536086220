// The vendors' own examples, each on its page of the demo: what a visitor does there, and what is to be seen.

import type { Page } from 'playwright-core'
import { afterEach, expect, test } from 'vitest'
import { visitDemo } from './demo.ts'

const visit = visitDemo()
const soon = { timeout: 15_000 }
const errors: unknown[] = []
let page: Page

const open = async (path: string, servers = [path]) => {
  errors.length = 0
  for (const name of servers) await fetch(`${visit.url}vendors/${name}/stand/reset`, { method: 'POST' })
  page = await visit.open()
  page.on('pageerror', (error) => errors.push(error))
  await page.goto(`${visit.url}examples/${path.replace(/-(\w+)$/, '/?mode=$1')}${path.includes('-') ? '' : '/'}`)
}
const signIn = async () => {
  await page.click('#enter')
  await status('authenticated')
}
afterEach(async () => {
  await page.context().close()
  expect(errors).toEqual([])
})

const status = (word: string) => page.waitForSelector(`[data-status=${word}]`)
const text = (selector: string) => page.locator(selector).innerText()
const texts = (selector: string) => page.locator(selector).allInnerTexts()
/** The lines of the wire, as `POST /auth/refresh 200`, from the first one after `from`. */
const wire = async (from = 0) =>
  (await texts('#wire li:not(.event) div')).map((line) => line.replaceAll(/\s+/g, ' ')).slice(from)
const sides = async () => (await texts('#sides td')).map((cell) => cell.replace(/\s.*/s, ''))

test.each(['header', 'cookie', 'legacy'])('SuperTokens, %s: steps 1 to 6', async (mode) => {
  const isLegacy = mode === 'legacy'
  const refresh = isLegacy ? 'POST /api/refresh' : 'POST /auth/session/refresh'
  const expired = isLegacy ? 440 : 401
  await open(`supertokens-${mode}`)
  await status('unauthenticated')
  const before = (await wire()).length
  expect(before).toBe(mode === 'header' ? 0 : 1) // the question of a page in cookie mode
  await page.click('[data-do=signIn]')
  await status('authenticated')
  await page.click('[data-do=call]')
  await expect.poll(() => wire(before), soon).toEqual(['1 POST /auth/signin 200', '2 GET /api/me 200'])
  await page.click('[data-do=expire]')
  await expect
    .poll(() => wire(before + 2), soon)
    .toEqual([`3 GET /api/me ${expired}`, `4 ${refresh} 200`, '5 GET /api/me 200'])
  expect(await page.locator('.steps .done').count()).toBe(5)
  await page.click('[data-do=revoke]')
  await status('unauthenticated')
  await expect.poll(() => wire(before + 5), soon).toEqual([`6 GET /api/me ${expired}`, `6 ${refresh} ${expired}`])
  expect(await page.locator('.steps .done').count()).toBe(6)
  expect(await text('#state .is-expired dd')).toBe('expired')
})

test('Clerk: a birthday reaches the token, then the user', async () => {
  await open('clerk')
  await signIn()
  const born = '1990-05-01'
  await expect.poll(sides, soon).toEqual([born, born, born])
  const save = async (birthday: string, then: string) => {
    await page.fill('[name=birthday]', birthday)
    await page.click(`#birthday [value=${then}]`)
  }
  await save('2000-02-29', 'nothing')
  await expect.poll(sides, soon).toEqual(['2000-02-29', born, born])
  expect(await page.locator('.stale').count()).toBe(2)
  await save('2000-02-29', 'token')
  await expect.poll(sides, soon).toEqual(['2000-02-29', born, '2000-02-29'])
  const before = (await wire()).length
  await save('2001-01-01', 'reload')
  await expect.poll(sides, soon).toEqual(['2001-01-01', '2001-01-01', '2001-01-01'])
  expect(await wire(before)).toEqual(['PATCH /api/me 200', 'GET /v1/me 200'])
})

test('Clerk: a token for an organization is no switch to it', async () => {
  await open('clerk')
  await signIn()
  await page.click('#organization [value=token]')
  await expect.poll(() => text('#token-for'), soon).toBe('org_acme')
  expect(await text('#at')).toBe('the personal account')
  await page.click('#organization [value=switch]')
  await expect.poll(() => text('#at'), soon).toBe('org_acme')
  await page.selectOption('#organization select', '')
  await page.click('#organization [value=switch]')
  await expect.poll(() => text('#at'), soon).toBe('the personal account')
  await expect.poll(() => text('#token-for'), soon).toBe('the personal account')
})

test('WorkOS: a switch brings its permissions, and both sides look at them', async () => {
  await open('workos')
  await signIn()
  const chosen = () => text('#organizations [aria-pressed=true] b')
  const answer = async () => {
    await page.click('#ask')
    await page.waitForFunction(() => document.querySelector('#answer')!.textContent !== '')
    return text('#answer')
  }
  expect(await chosen()).toBe('Acme')
  expect(await page.isEnabled('#publish')).toBe(true)
  expect(await answer()).toContain('201')
  await page.click('#organizations [value=org_globex]')
  await expect.poll(chosen, soon).toBe('Globex')
  expect(await page.isEnabled('#publish')).toBe(false)
  expect(await answer()).toContain('403')
  await page.click('#promote')
  expect(await page.isEnabled('#publish')).toBe(false) // the token does not know yet
  await expect.poll(() => text('#promote'), soon).toContain('member')
  await page.click('#refresh')
  await expect.poll(() => page.isEnabled('#publish'), soon).toBe(true)
})

test('WorkOS: a refused switch keeps the session and says what is asked for', async () => {
  await open('workos')
  await signIn()
  await page.click('#organizations [value=org_initech]')
  await page.waitForSelector('#challenge:not([hidden])')
  expect(await text('#challenge')).toContain('sso_required')
  expect(await text('#organizations [aria-pressed=true] b')).toBe('Acme')
  await status('authenticated')
})

test('ROQ: a changed role shows after a refetch, and a platform that is down signs nobody out', async () => {
  await open('roq')
  await signIn()
  await expect.poll(sides, soon).toEqual(['reader', 'reader', 'reader'])
  await page.selectOption('[name=role]', 'editor')
  await page.click('[value=nothing]')
  await expect.poll(sides, soon).toEqual(['editor', 'reader', 'reader'])
  await page.click('#trouble')
  await page.waitForSelector('#error:not([hidden])')
  expect(await text('#error')).toContain('ERR_REFRESH_FAILED')
  expect([await text('#word'), await sides()]).toEqual(['authenticated', ['editor', 'reader', 'reader']])
  await page.click('#refetch')
  await expect.poll(sides, soon).toEqual(['editor', 'editor', 'editor'])
})

/** At the authorization server, which sends the page back. */
const choose = async (choice: 'allow' | 'deny') => {
  await page.waitForURL(/\/authorization\?/)
  await page.click(`#${choice}`)
  await page.waitForURL(/\/examples\/oauth\/$/)
}

test('OAuth: login, a step-up and a logout leave the page and come back, and the address is clean', async () => {
  await open('oauth')
  await status('unauthenticated')
  await page.click('#enter')
  await choose('deny')
  await page.waitForSelector('#outcome:not([hidden])')
  expect(await text('#outcome')).toContain('denied')
  await status('unauthenticated')

  await page.click('#enter')
  await choose('allow')
  await status('authenticated')
  const lines = ['GET /.well-known/openid-configuration 200', 'POST /token 200']
  await expect.poll(() => wire(), soon).toEqual(lines)
  const answer = () => text('#answer')
  await page.click('#expire')
  await page.click('#call')
  await expect.poll(answer, soon).toBe('/api/me: 200')
  expect((await wire(2)).map((line) => line.replace(/^\d+ /, ''))).toEqual([
    'GET /api/me 401',
    'GET /.well-known/openid-configuration 200',
    'POST /token 200',
    'GET /api/me 200',
  ])

  await page.click('#vault')
  await choose('allow')
  await status('authenticated')
  await page.click('#vault')
  await expect.poll(answer, soon).toBe('/api/vault: 200')
  await expect.poll(() => text('#info'), soon).toContain('phr')
  await page.reload()
  await status('authenticated')
  expect(await text('body')).not.toMatch(/eyJ[\w-]{20}|[\da-f]{8}-[\da-f]{4}-/)

  await page.click('#logout')
  await page.waitForURL(/\/examples\/oauth\/$/)
  await status('unauthenticated')
})

test.each(['supertokens-header', 'supertokens-cookie', 'clerk', 'workos', 'roq'])(
  '%s: the session is there after a reload, gone after a sign-out, and no token is on the page',
  async (path) => {
    await open(path)
    await signIn()
    await page.reload()
    await status('authenticated')
    await page.click('#leave')
    await status('unauthenticated')
    expect(await text('body')).not.toMatch(/eyJ[\w-]{20}|[\da-f]{8}-[\da-f]{4}-/)
    await page.reload()
    await status('unauthenticated')
  },
)
