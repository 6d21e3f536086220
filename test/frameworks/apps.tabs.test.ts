// The example apps, as a user clicks through them; and the same ones rendered on a server first.

import { createRequire } from 'node:module'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Session, State } from 'resesh'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { login } from '../support/session.ts'
import { createSampleServer } from '../servers/sample/server.ts'
import type { User } from './apps/session.ts'
import { useSites } from './support/browser.ts'
import { bundle, type BundleOptions, folder } from './support/bundle.ts'

interface App {
  name: string
  app: string
  ext?: string
  options?: BundleOptions
}

const site = useSites()
const react18 = { name: 'React 18', app: 'react', ext: 'tsx', options: { react: 18 } } as const
const apps: App[] = [
  { name: 'React 19', app: 'react', ext: 'tsx' },
  react18,
  { name: 'Vue', app: 'vue' },
  { name: 'Svelte', app: 'svelte' },
  { name: 'Solid', app: 'solid', ext: 'tsx' },
  { name: 'Angular', app: 'angular' },
]

test.each(apps)('$name: sign in, rename, reload the page, sign out', async ({ app, ext = 'ts', options }) => {
  const { open } = await site({ script: await bundle(`import './apps/${app}/main.${ext}'`, options) })
  const page = await open()
  await page.getByText('Sign in').click()
  await page.getByText('Hello Ann').waitFor()
  await page.getByText('Rename').click()
  await page.getByText('Hello Bea').waitFor()
  await page.reload()
  await page.getByText('Hello Bea').waitFor()
  await page.getByText('Sign out').click()
  await page.getByText('Sign in').waitFor()
})

test('Svelte: a session is a store as it is', async () => {
  const code = `import { mount } from 'svelte'
    import Store from './apps/svelte/Store.svelte'
    mount(Store, { target: document.querySelector('#app') })`
  const page = await (await site({ script: await bundle(code) })).open()
  await page.getByText('Sign in').click()
  await page.getByText('Hello Ann').waitFor()
})

describe.each(apps.filter(({ app }) => app !== 'angular'))(
  '$name on a server',
  ({ name, app, ext = 'ts', options }) => {
    // Inside the checkout, so that packages are found.
    const cache = join(folder, `node_modules/.cache/resesh-${process.pid}-${name.replace(' ', '-')}`)
    let server: {
      openSession(initial?: object): Session<User>
      render(...from: unknown[]): string | Promise<string>
      head?: string
    }
    let script: string

    beforeAll(async () => {
      const onServer = `export { openSession } from './apps/session.ts'; export * from './apps/${app}/server.${ext}'`
      const inPage = `
      import { openSession } from './apps/session.ts'
      import { hydrate } from './apps/${app}/hydrate.${ext}'
      const session = openSession(given?.initial)
      const texts = []
      const look = () => texts.push(document.querySelector('#app').innerText.trim())
      look()
      new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true })
      Object.assign(globalThis, { session, texts })
      // A slow page: who is signed in is known before it hydrates.
      session
        .ready()
        .then(() => hydrate(session, given?.serverState))
        .then(() => requestIdleCallback(() => (globalThis.isHydrated = true)))`
      mkdirSync(cache, { recursive: true })
      writeFileSync(join(cache, 'server.cjs'), await bundle(onServer, { ...options, server: true }))
      server = createRequire(import.meta.url)(join(cache, 'server.cjs'))
      script = await bundle(inPage, options)
    })
    afterAll(() => rmSync(cache, { recursive: true, force: true }))

    test('a page that is rendered as `loading` hydrates without a complaint, though the session is known by then', async () => {
      const session = server.openSession()
      const html = await server.render(session)
      session.dispose()
      expect(html).toContain('One moment')
      const { open } = await site({ script, html, head: server.head })
      const first = await open()
      await first.waitForFunction('globalThis.isHydrated')
      await first.getByText('Sign in').click()
      await first.getByText('Hello Ann').waitFor()
      const second = await open()
      await second.waitForFunction('globalThis.isHydrated')
      await second.getByText('Hello Ann').waitFor()
      await second.getByText('Rename').click()
      await second.getByText('Hello Bea').waitFor()
    })

    test('of a session that is signed in on the server, components show only the state that they were given', async () => {
      const session = server.openSession(await login(createSampleServer()))
      const html = await server.render(session)
      session.dispose()
      expect(session.current.user?.name).toBe('Ann')
      // Svelte has no such state: there a session that visitors share by mistake shows the user of another.
      expect(html).toContain(app === 'svelte' ? 'Hello Ann' : 'One moment')
    })

    test('a page that is rendered with the user shows the user from the start, and to each visitor their own', async () => {
      const sample = createSampleServer()
      const visitors = await Promise.all(
        ['ann', 'zoe'].map(async (username) => {
          const initial = await login(sample, username)
          const session = server.openSession(initial)
          const serverState = JSON.parse(JSON.stringify(session.current)) as State<User>
          const html = await server.render(session, serverState)
          session.dispose()
          return { html, given: { initial, serverState } }
        }),
      )
      expect(visitors.map(({ html }) => html.replace(/<[^>]*>/g, ''))).toEqual([
        expect.stringContaining('Hello Ann'),
        expect.stringContaining('Hello Zoe'),
      ])
      const page = await (await site({ script, ...visitors[1]!, head: server.head, server: sample })).open()
      await page.waitForFunction('globalThis.isHydrated')
      await page.getByText('Rename').click()
      await page.getByText('Hello Bea').waitFor()
      const texts = await page.evaluate(() => (globalThis as unknown as { texts: string[] }).texts)
      expect(texts[0]).toContain('Hello Zoe')
      expect(texts.filter((text) => !text.includes('Hello '))).toEqual([])
    })
  },
)
