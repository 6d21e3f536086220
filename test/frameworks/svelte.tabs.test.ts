// A page of Svelte that a server has rendered, with a session that knows more than the server did by the time the page hydrates.

import { createRequire } from 'node:module'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { State } from 'resesh'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createSampleServer } from '../servers/sample/server.ts'
import { login } from '../support/session.ts'
import type { User } from './apps/session.ts'
import { useSites } from './support/browser.ts'
import { bundle, folder } from './support/bundle.ts'

const site = useSites()
// Inside the checkout, so that packages are found.
const cache = join(folder, `node_modules/.cache/resesh-${process.pid}-hydrated`)
let rendered: { html: string; serverState: State<User> }
let script: string

beforeAll(async () => {
  const onServer = `
    import { render } from 'svelte/server'
    import { openSession } from './apps/session.ts'
    import Hydrated from './pages/hydrated.svelte'
    const session = openSession()
    export const serverState = session.current
    export const html = render(Hydrated, { props: { session, serverState } }).body
    session.dispose()`
  const inPage = `
    import { hydrate, mount } from 'svelte'
    import { openSession } from './apps/session.ts'
    import Hydrated from './pages/hydrated.svelte'
    const session = openSession(given.initial)
    const props = { session, serverState: given.serverState }
    hydrate(Hydrated, { target: document.querySelector('#app'), props })
    const look = () => document.querySelector('#app').innerText.trim()
    globalThis.shownNext = new Promise((done) => requestAnimationFrame(() => {
      const before = look()
      mount(Hydrated, { target: document.querySelector('#app'), props })
      done([before, look()])
    }))`
  mkdirSync(cache, { recursive: true })
  writeFileSync(join(cache, 'server.cjs'), await bundle(onServer, { server: true }))
  rendered = createRequire(import.meta.url)(join(cache, 'server.cjs'))
  script = await bundle(inPage)
})
afterAll(() => rmSync(cache, { recursive: true, force: true }))

test('it begins with what the server has rendered, then shows the user: also where Svelte corrects nothing', async () => {
  const { html, serverState } = JSON.parse(JSON.stringify(rendered)) as typeof rendered
  expect(html).toContain('nobody')
  const server = createSampleServer()
  const initial = await login(server, 'ann')
  const page = await (await site({ script, html, given: { initial, serverState }, server })).open()
  await page.waitForFunction('globalThis.shownNext')
  expect(await page.locator('img').first().getAttribute('src')).toBe('data:,Ann')
  expect(await page.locator('p').first().innerHTML()).toContain('<b>Ann</b>')
  expect(await page.locator('h2').first().innerText()).toBe('Ann')
  expect(await page.locator('h3').count()).toBe(0)
  // What comes later does not begin as the server did.
  const [, later] = await page.evaluate(() => (globalThis as unknown as { shownNext: Promise<string[]> }).shownNext)
  expect(later).not.toContain('nobody')
})
