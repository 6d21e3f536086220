// The login by redirect against oidc-provider, in a real Chromium: every redirect is one, and the page is at another origin than
// the server.

import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { build } from 'esbuild'
import type { Session } from 'resesh'
import type { Login, LoginError } from 'resesh/oauth2/login'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { findBrowser } from '../../setup/browser.mjs'
import { args } from '../../support/tabs.ts'
import type { Controls } from './servers/oidc.ts'
import { useServer } from './support/server.ts'

declare const Resesh: typeof import('../../../src/global.ts') & typeof import('../../../src/adapters/oauth2/login.ts')

interface App {
  session: Session
  login: Login
  /** The error of a call, as an app could log it. */
  tell(work: Promise<unknown>): Promise<string>
}

declare const app: App

const server = useServer<Controls>('oidc')
let browser: Browser
let script: string
beforeAll(async () => {
  browser = await chromium.launch({ executablePath: (await findBrowser()) ?? '', args })
  const contents = `export * from './src/global.ts'\nexport { createLogin } from './src/adapters/oauth2/login.ts'`
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: new URL('../../..', import.meta.url).pathname, loader: 'ts' },
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'Resesh',
    target: 'es2022',
    platform: 'browser',
  })
  script = outputFiles[0]!.text
})
afterAll(() => browser?.close())

/** Runs in the page: an app, but for its looks. */
function boot(issuer: string): void {
  const client = { issuer, clientId: 'spa' }
  const session: Session = Resesh.createSession({
    backend: Resesh.oauth2(client),
    refreshAhead: 'never',
    use: [Resesh.stepUp((asked) => login.stepUp(asked))],
  })
  const login = Resesh.createLogin(session, {
    ...client,
    redirectUri: '/callback',
    postLogoutRedirectUri: '/bye',
    scope: 'openid offline_access profile',
    parameters: { prompt: 'consent' }, // without it oidc-provider gives no refresh token
  })
  const tell = (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => 'fine',
      ({ name, reason, error, returnTo, message, stack, cause }: LoginError) =>
        JSON.stringify({ name, reason, error, returnTo, message, stack, cause: String(cause) }),
    )
  Object.assign(globalThis, { app: { session, login, tell } })
}

const home = () => server.origin.replace('127.0.0.1', 'localhost')

async function openApp(): Promise<{ context: BrowserContext; open(path?: string): Promise<Page>; seen: string[] }> {
  await server.control.reset()
  const html = `<!doctype html><script src="/app.js"></script><script>(${String(boot)})('${server.origin}')</script>`
  await server.control.put('/app.js', 'text/javascript', script)
  for (const path of ['/app', '/callback', '/bye']) await server.control.put(path, 'text/html', html)
  const context = await browser.newContext()
  const complaints: string[] = []
  const seen: string[] = []
  onTestFinished(async () => {
    await context.close()
    expect(complaints).toEqual([])
  })
  return {
    context,
    seen,
    async open(path = '/app') {
      const page = await context.newPage()
      page.on('pageerror', ({ message }) => complaints.push(message))
      page.on('console', (message) => {
        if (!message.text().startsWith('Failed to load resource')) complaints.push(message.text())
      })
      page.on('request', (request) => seen.push(`${request.method()} ${request.url()}`))
      await page.goto(home() + path)
      return page
    },
  }
}

/** Begins a login and waits until the server has sent the page back. */
async function comeBack(page: Page, begin: () => void): Promise<URL> {
  await page.evaluate(begin)
  await page.waitForURL(`${home()}/callback?**`)
  await page.waitForFunction('globalThis.app')
  return new URL(page.url())
}

const logIn = () => void app.login.login({ loginHint: 'ann' })
const handle = (page: Page) => page.evaluate(() => app.login.handleRedirect())
const statusIn = (page: Page) => page.evaluate(async () => (await app.session.ready()).status)
const fetchIn = (page: Page, path: string) =>
  page.evaluate(async (url) => (await app.session.fetch(url)).status, server.origin + path)
const storedIn = (page: Page) =>
  page.evaluate(() => JSON.stringify(Object.entries(sessionStorage)) + JSON.stringify(history.state))

/** Nothing of the login is left for anybody to find. */
async function expectTidy(page: Page, path: string, { searchParams }: URL): Promise<void> {
  expect(page.url()).toBe(home() + path)
  const left = await storedIn(page)
  for (const name of ['code', 'state']) if (searchParams.has(name)) expect(left).not.toContain(searchParams.get(name))
  expect(left).not.toContain('verifier')
}

async function signedIn(): Promise<Awaited<ReturnType<typeof openApp>> & { page: Page }> {
  const opened = await openApp()
  const page = await opened.open('/app?tab=2#part')
  await comeBack(page, logIn)
  await handle(page)
  return { ...opened, page }
}

test('login, return, reload, refresh, another tab', { timeout: 60_000 }, async () => {
  const { open, seen } = await openApp()
  const page = await open('/app?tab=2#part')
  expect(await handle(page)).toBeNull()
  expect(await statusIn(page)).toBe('unauthenticated')
  const answer = await comeBack(page, logIn)
  expect(answer.searchParams.get('iss')).toBe(server.origin)
  expect(await handle(page)).toEqual({ returnTo: `${home()}/app?tab=2#part` })
  await expectTidy(page, '/app?tab=2#part', answer)
  expect(await fetchIn(page, '/api/me')).toBe(200)
  const shown = await page.evaluate(() => [app.session.current, Object.keys(app.session.extras!)] as const)
  expect(shown).toMatchObject([{ status: 'authenticated', user: { sub: 'ann' } }, ['idToken', 'scope']])

  await page.reload()
  expect(await statusIn(page)).toBe('authenticated')
  await server.control.expire()
  expect(await fetchIn(page, '/api/me')).toBe(200)
  expect(await server.control.thefts()).toBe(0)

  const other = await open()
  expect(await statusIn(other)).toBe('authenticated')
  await server.control.edit('ann', { name: 'Anna' })
  expect(await other.evaluate(async () => (await app.session.reload()).user)).toMatchObject({ name: 'Anna' })

  const token = await page.evaluate(() => app.session.getToken())
  expect(seen.join()).not.toContain(token)
  // The browser's own history has nothing of it either: back leads to the server, which knows the code as used up.
  expect(await page.evaluate(() => history.length)).toBeLessThan(5)
})

test('handleRedirect twice, as StrictMode does, is one exchange and one outcome', async () => {
  const { open, seen } = await openApp()
  const page = await open()
  await comeBack(page, logIn)
  const isOne = await page.evaluate(async () => {
    const [first, second] = await Promise.all([app.login.handleRedirect(), app.login.handleRedirect()])
    return first !== null && first === second && first === (await app.login.handleRedirect())
  })
  expect(isOne).toBe(true)
  expect(seen.filter((each) => each === `POST ${server.origin}/token`)).toHaveLength(1)
  expect(await statusIn(page)).toBe('authenticated')
})

test('two tabs may log in at once, each with an answer of its own', async () => {
  const { open } = await openApp()
  const pages = [await open('/app?one'), await open('/app?two')]
  // The provider refuses two that are at its login page in the same moment; here both are back, and neither is handled yet.
  for (const page of pages) await comeBack(page, logIn)
  const outcomes = await Promise.all(pages.map(handle))
  expect(outcomes.map((each) => each!.returnTo)).toEqual([`${home()}/app?one`, `${home()}/app?two`])
  expect(await fetchIn(pages[0]!, '/api/me')).toBe(200)
  expect(await fetchIn(pages[1]!, '/api/me')).toBe(200)
})

test('a denial is an error of its own, and the URL is clean', async () => {
  const { open } = await openApp()
  const page = await open('/app?tab=2')
  await server.control.deny(true)
  const answer = await comeBack(page, logIn)
  const said = await page.evaluate(() => app.tell(app.login.handleRedirect()))
  expect(JSON.parse(said)).toMatchObject({ name: 'LoginError', reason: 'denied', error: 'access_denied' })
  expect(JSON.parse(said)).toMatchObject({ returnTo: `${home()}/app?tab=2` })
  await expectTidy(page, '/callback', answer)
  expect(await statusIn(page)).toBe('unauthenticated')
  await server.control.deny(false)
  await comeBack(page, logIn)
  expect(await handle(page)).not.toBeNull()
})

test.each<[string, string, string, string]>([
  ['a forged state', 'state', 'forged', 'stale'],
  ['a wrong iss', 'iss', 'https://evil.example.test', 'invalid'],
  ['no iss at all', 'iss', '', 'invalid'],
  ['a forged code', 'code', 'forged', 'refused'],
])('%s signs nobody in', async (_, name, value, reason) => {
  const { open } = await openApp()
  const page = await open()
  const answer = await comeBack(page, logIn)
  const forged = new URL(answer)
  forged.searchParams.set(name, value)
  if (!value) forged.searchParams.delete(name)
  await page.evaluate((url) => history.replaceState(null, '', url), forged.href)
  const said = await page.evaluate(() => app.tell(app.login.handleRedirect()))
  expect(JSON.parse(said)).toMatchObject({ name: 'LoginError', reason })
  expect(said).not.toContain(answer.searchParams.get('code'))
  expect(said).not.toContain(answer.searchParams.get('state'))
  expect(page.url()).toBe(`${home()}/callback`)
  expect(await statusIn(page)).toBe('unauthenticated')
})

test('the link of somebody else’s login signs nobody in here', async () => {
  const { open, context } = await openApp()
  const page = await open()
  const answer = await comeBack(page, logIn)
  const victim = await context.newPage() // another tab has begun no such login
  await victim.goto(answer.href)
  const said = await victim.evaluate(() => app.tell(app.login.handleRedirect()))
  expect(JSON.parse(said)).toMatchObject({ reason: 'stale' })
  expect(victim.url()).toBe(`${home()}/callback`)
})

test('a step-up by login: the request is served once the user is back', { timeout: 60_000 }, async () => {
  const { page, seen } = await signedIn()
  await server.control.pass(2_000) // so that the login is older than `max_age="0"`
  const ask = `void app.session.fetch('${server.origin}/api/safe')`
  await page.evaluate(ask)
  await page.waitForURL(`${home()}/callback?**`)
  await page.waitForFunction('globalThis.app')
  const [asked] = seen.filter((each) => each.includes('acr_values='))
  expect(asked).toMatch(/acr_values=phr/)
  expect(asked).toMatch(/max_age=0/)
  expect(await handle(page)).toEqual({ returnTo: `${home()}/app?tab=2#part` })
  expect(await fetchIn(page, '/api/safe')).toBe(200)
  expect(await page.evaluate(() => app.session.current.user)).toMatchObject({ sub: 'ann', acr: 'phr' })
})

test('a step-up that the user denies is not asked for again at once: the caller gets the 401', async () => {
  const { page } = await signedIn()
  await server.control.pass(2_000)
  await server.control.deny(true)
  await page.evaluate(`void app.session.fetch('${server.origin}/api/safe')`)
  await page.waitForURL(`${home()}/callback?**`)
  await page.waitForFunction('globalThis.app')
  expect(JSON.parse(await page.evaluate(() => app.tell(app.login.handleRedirect())))).toMatchObject({
    reason: 'denied',
  })
  expect(await fetchIn(page, '/api/safe')).toBe(401)
  expect(await fetchIn(page, '/api/me')).toBe(200) // the session goes on
})

test('logout ends the session here and at the server', { timeout: 60_000 }, async () => {
  const { page } = await signedIn()
  const idToken = await page.evaluate(() => app.session.extras!['idToken'] as string)
  expect(await server.control.browsers()).toBe(1)
  await page.evaluate(() => void app.login.logout())
  await page.click('button[value=yes]')
  await page.waitForURL(`${home()}/bye`)
  expect(page.url()).not.toContain(idToken)
  expect(await statusIn(page)).toBe('unauthenticated')
  expect([await server.control.browsers(), await server.control.living()]).toEqual([0, 0])
})
