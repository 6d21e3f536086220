// The bindings in their frameworks, in a real browser: what is rendered when, and what is left after the last component is gone.

import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, test } from 'vitest'
import type { TestPage } from './pages/session.ts'
import { useSites } from './support/browser.ts'
import { bundle, type BundleOptions } from './support/bundle.ts'

declare const page: TestPage

const site = useSites()

interface Framework {
  name: string
  file: string
  options?: BundleOptions
  query?: string
  /** To find components that are not pure; while developing only. @default 1 */
  rendersAtOnce?: number
}

const frameworks: Framework[] = [
  { name: 'React 19', file: 'react.tsx' },
  { name: 'React 19, StrictMode', file: 'react.tsx', query: '?strict', rendersAtOnce: 2 },
  { name: 'React 18', file: 'react.tsx', options: { react: 18 } },
  { name: 'React 18, StrictMode', file: 'react.tsx', options: { react: 18 }, query: '?strict', rendersAtOnce: 2 },
  { name: 'Vue', file: 'vue.ts' },
  { name: 'Svelte', file: 'svelte.ts' },
  { name: 'Solid', file: 'solid.tsx' },
  { name: 'Angular', file: 'angular.ts', rendersAtOnce: 2 },
]

const COMPONENTS = 200

describe.each(frameworks)('$name', ({ file, options, query = '', rendersAtOnce = 1 }) => {
  let script: string
  beforeAll(async () => {
    script = await bundle(`import './pages/${file}'`, options)
  })

  async function open(): Promise<Page> {
    const opened = await (await site({ script, knobs: { accessTokenLifeSeconds: 60 } })).open()
    if (query) await opened.goto(opened.url() + query)
    await opened.evaluate(() => page.signIn())
    return opened
  }

  test(`${COMPONENTS} components that read the user: no render on a token refresh, one each on an edit`, async () => {
    const opened = await open()
    const found = await opened.evaluate(async (components) => {
      const { settle, mount, counts } = page
      await mount(components, ({ user }) => user)
      await settle()
      const first = counts.renders
      const { expiresAt } = page.session.current
      await page.session.refresh()
      await settle()
      const refreshed = counts.renders - first
      await page.edit('Bea')
      await settle()
      return {
        first: first / components,
        isNew: page.session.current.expiresAt !== expiresAt,
        refreshed,
        edited: (counts.renders - first) / components,
        shown: page.shown(),
        listeners: counts.listeners,
      }
    }, COMPONENTS)
    expect(found).toEqual({
      first: rendersAtOnce,
      isNew: true,
      refreshed: 0,
      edited: rendersAtOnce,
      shown: [expect.stringContaining('"name":"Bea"')],
      listeners: COMPONENTS,
    })
  })
  test('a selector that makes something new each time never loops; plain objects and arrays are compared by what is in them', async () => {
    const opened = await open()
    const found = await opened.evaluate(async () => {
      const { mount, unmount, settle, session, counts } = page
      class Named {
        constructor(readonly name: unknown) {}
      }
      const selectors: Record<string, Parameters<typeof mount>[1]> = {
        object: ({ user, status }) => ({ user, status }),
        array: ({ user, status }) => [user, status],
        'nothing in it': () => ({}),
        'not a number': () => NaN,
        'a key less': ({ user }) => (user?.name === 'Bea' ? { a: undefined } : { b: undefined }),
        date: () => new Date(),
        map: ({ user }) => new Map([['user', user]]),
        class: ({ user }) => new Named(user?.name),
        nested: ({ user }) => ({ of: { user } }),
        function: ({ user }) => ({ greet: () => user }),
      }
      const renders: Record<string, [first: number, refreshed: number, edited: number]> = {}
      for (const [name, select] of Object.entries(selectors)) {
        await page.edit('Ann')
        counts.renders = 0
        await mount(1, select)
        await settle()
        const first = counts.renders
        await session.refresh()
        await settle()
        const refreshed = counts.renders - first
        await page.edit('Bea')
        await settle()
        renders[name] = [first, refreshed, counts.renders - first - refreshed]
        await unmount()
        document.body.innerHTML = '<div id="app"></div>'
      }
      return renders
    })
    const once = rendersAtOnce
    const [isRefreshed, isNew] = [
      [once, 0, once],
      [once, once, once],
    ]
    expect(found).toEqual({
      object: isRefreshed,
      array: isRefreshed,
      'nothing in it': [once, 0, 0],
      'not a number': [once, 0, 0],
      'a key less': isRefreshed,
      date: isNew,
      map: isNew,
      class: isNew,
      nested: isNew,
      function: isNew,
    })
  })

  test('mounted and unmounted again and again: a sign-out shows, and no listener is left', async () => {
    const opened = await open()
    const found = await opened.evaluate(async () => {
      const { mount, unmount, settle, session, counts } = page
      const seen: unknown[] = []
      for (let time = 0; time < 3; time++) {
        await page.signIn()
        await mount(10, ({ status }) => status)
        await settle()
        const { listeners } = counts
        await session.signOut()
        await settle()
        seen.push([listeners, page.shown(), (await unmount(), await settle(), counts.listeners)])
        document.body.innerHTML = '<div id="app"></div>'
      }
      return seen
    })
    expect(found).toEqual(Array.from({ length: 3 }, () => [10, ['"unauthenticated"'], 0]))
  })
})

test.each([19, 18] as const)(
  'React %i: what is selected stays the same object when a component renders for another reason',
  async (version) => {
    const script = await bundle(`import './pages/effects.tsx'`, { react: version })
    const opened = await (await site({ script })).open()
    await opened.evaluate(async () => {
      await page.signIn()
      await page.mount(1, () => null)
    })
    await opened.getByText('Ann 0 1').click()
    await opened.getByText('Ann 1 1').click()
    await opened.getByText('Ann 2 1').waitFor()
    await opened.evaluate(() => page.edit('Bea'))
    await opened.getByText('Bea 2 2').waitFor()
  },
)
