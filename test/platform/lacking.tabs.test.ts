// A real Chromium without what older browsers lack, taken away before the library is loaded: it works all the same, or says at
// once what is missing.

import { expect, test } from 'vitest'
import { type Tab, untilAll, useTabs } from '../support/tabs.ts'

declare const Resesh: typeof import('../../src/global.ts')

const world = useTabs()

test.each([
  ['URL.canParse and URL.parse', 'delete URL.canParse; delete URL.parse'],
  ['TextDecoderStream', 'delete globalThis.TextDecoderStream'],
  ['the body of a response as a stream', 'delete Response.prototype.body; delete Request.prototype.body'],
  ['AbortSignal.any', 'delete AbortSignal.any'],
  ['AbortSignal.timeout', 'delete AbortSignal.timeout'],
  ['structuredClone', 'delete globalThis.structuredClone'],
  ['requestIdleCallback', 'delete globalThis.requestIdleCallback'],
  ['Web Locks', 'delete Navigator.prototype.locks'],
  ['BroadcastChannel', 'delete globalThis.BroadcastChannel'],
  ['crypto.randomUUID', 'delete Crypto.prototype.randomUUID'],
  ['Symbol.dispose', 'delete Symbol.dispose; delete Symbol.asyncDispose'],
  ['WeakRef', 'delete globalThis.WeakRef; delete globalThis.FinalizationRegistry'],
  [
    'newer methods of arrays, sets, iterators and promises',
    `for (const name of ['findLast', 'findLastIndex', 'toSorted', 'toReversed', 'toSpliced', 'with']) delete Array.prototype[name]
     for (const name of ['union', 'difference', 'intersection', 'isSubsetOf']) delete Set.prototype[name]
     for (const name of ['map', 'filter', 'toArray', 'some', 'every', 'find']) delete Iterator.prototype[name]
     delete Promise.withResolvers; delete Promise.try; delete Object.groupBy; delete Map.groupBy; delete Array.fromAsync
     delete Response.json; delete ReadableStream.prototype[Symbol.asyncIterator]`,
  ],
])('two tabs without %s: one refresh, all requests are served', async (_, takeAway) => {
  const each = await world({ knobs: { refreshDelayMs: 50 } })
  await each.context.addInitScript(takeAway)
  const tabs = (await each.open(2, { session: { timeout: 3000 } })) as [Tab, Tab]
  await tabs[0].run(({ signIn }) => signIn())
  await tabs[1].run(() => dispatchEvent(new Event('pageshow'))) // where there are no messages
  await untilAll(tabs, ({ status }) => status === 'authenticated')
  each.server.expireAccessTokens()
  const body = { init: { method: 'PATCH', headers: { 'content-type': 'application/json' }, body: '{"name":"Bo"}' } }
  const [first, second, patched] = await Promise.all([
    tabs[0].run(({ fire }) => fire(5)),
    tabs[1].run(({ fire }) => fire(5)),
    tabs[0].run(({ fire }, how) => fire(1, { path: '/api/me', init: how.init }), body),
  ])
  expect([first, second, patched]).toEqual([{ 200: 5 }, { 200: 5 }, { 200: 1 }])
  expect(each.server.stats).toMatchObject({ refreshes: 1, thefts: 0 })
  expect(await tabs[0].run(({ errors }) => errors)).toEqual([])
})

test('in a browser that is too old, createSession says so', async () => {
  const each = await world()
  await each.context.addInitScript('delete AbortSignal.prototype.throwIfAborted')
  const page = await each.context.newPage()
  await page.goto(`${each.origin}/elsewhere`)
  await page.addScriptTag({ url: '/resesh.js' })
  const said = await page.evaluate(() => {
    try {
      Resesh.createSession({ backend: Resesh.bearer({ refreshUrl: '/auth/refresh' }) })
      return 'nothing'
    } catch (error) {
      return String(error)
    }
  })
  expect(said).toContain('this browser is too old, AbortSignal.prototype.throwIfAborted is missing')
})
