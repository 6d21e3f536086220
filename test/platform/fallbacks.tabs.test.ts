// Where the browser lacks something: Web Locks, messages, a secure origin, an origin at all, a document. It works, or does as
// much as there is a place for, without a crash.

import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { bootCode, fireAll, type InPage, type Tally, type Tab, untilAll, useTabs } from '../support/tabs.ts'

declare const Resesh: typeof import('../../src/global.ts')

const world = useTabs()

test.each([
  { window: 0, where: 'without a grace' },
  { window: 5000, where: 'within the grace of its server' },
])('four tabs without Web Locks, $where: the journal is the lease, one refresh (72, 94)', async ({ window }) => {
  const each = await world({ knobs: { graceMs: window, refreshDelayMs: 100 } })
  const tabs = await each.open(4, {
    session: { replayWindow: window },
    platform: () => ({ navigator: { onLine: true } as Navigator }),
  })
  await tabs[0]!.run(({ signIn }) => signIn())
  await untilAll(tabs, ({ status }) => status === 'authenticated')
  for (let run = 1; run <= 3; run++) {
    each.server.expireAccessTokens()
    expect(await fireAll(tabs, 5)).toEqual({ 200: 20 })
    expect(each.server.stats).toMatchObject({ refreshes: run, thefts: 0, maxRefreshesInFlight: 1 })
  }
})

test('without Web Locks, the tab that refreshes is closed: another one asks after its deadline (96)', async () => {
  const each = await world()
  const [first, second] = (await each.open(2, {
    session: { timeout: 1000 },
    platform: () => ({ navigator: { onLine: true } as Navigator }),
  })) as [Tab, Tab]
  await first.run(({ signIn }) => signIn())
  await untilAll([first, second], ({ status }) => status === 'authenticated')
  each.server.expireAccessTokens()
  const { arrived } = each.holdRequest('/auth/refresh')
  await first.run(({ later, fire }) => void (later['mine'] = fire(1)))
  await arrived
  await first.close()
  expect(await second.run(({ fire }) => fire(5))).toEqual({ 200: 5 })
  expect(each.server.stats).toMatchObject({ refreshes: 1, thefts: 0 })
})

test.each(['rejects', 'throws'])('a lock request that %s is no end of it (95)', async (how) => {
  const each = await world()
  const [tab] = (await each.open(1, {
    platform:
      how === 'rejects'
        ? () => ({
            navigator: {
              onLine: true,
              locks: { request: () => Promise.reject(new DOMException('no', 'InvalidStateError')) },
            } as unknown as Navigator,
          })
        : () => ({
            navigator: {
              onLine: true,
              locks: {
                request() {
                  throw new DOMException('no', 'SecurityError')
                },
              },
            } as unknown as Navigator,
          }),
  })) as [Tab]
  await tab.run(({ signIn }) => signIn())
  each.server.expireAccessTokens()
  expect(await tab.run(({ fire }) => fire(5))).toEqual({ 200: 5 })
  expect(each.server.stats).toMatchObject({ refreshes: 1, thefts: 0 })
})

test('without messages: the record is the truth, and is read when it matters (80)', async () => {
  const each = await world()
  const platform = () => ({ BroadcastChannel: null })
  const [first] = (await each.open(1, { platform })) as [Tab]
  await first.run(({ signIn }) => signIn())
  const [second] = (await each.open(1, { platform })) as [Tab]
  await untilAll([second], ({ status }) => status === 'authenticated')
  each.server.expireAccessTokens()
  expect(await fireAll([first, second], 5)).toEqual({ 200: 10 })
  expect(each.server.stats).toMatchObject({ refreshes: 1, thefts: 0 })
  await first.run(({ session }) => session.signOut())
  await second.run(() => dispatchEvent(new Event('pageshow')))
  await untilAll([second], ({ status }) => status === 'unauthenticated')
})

test('a plain http origin, without Web Locks and crypto.subtle: memory, and one error (72)', async () => {
  const each = await world()
  const page = await each.context.newPage()
  await page.goto(each.page().replace('127.0.0.1', 'plain.test'))
  const tab = await each.tabIn(page)
  expect(await tab.run(() => [isSecureContext, 'locks' in navigator, 'subtle' in crypto])).toEqual([
    false,
    false,
    false,
  ])
  await tab.run(({ signIn }) => signIn())
  each.server.expireAccessTokens()
  expect(await tab.run(({ fire }) => fire(5))).toEqual({ 200: 5 })
  expect(await tab.run(({ errors }) => errors)).toEqual(['ERR_STORAGE'])
  expect(each.server.stats).toMatchObject({ refreshes: 1, thefts: 0 })
})

test("'local' on a plain http origin: two tabs, one refresh (72)", async () => {
  const each = await world()
  const url = each.page({ storage: () => Resesh.local() }).replace('127.0.0.1', 'plain.test')
  const tabs = await Promise.all(
    [0, 1].map(async () => {
      const page = await each.context.newPage()
      await page.goto(url)
      return each.tabIn(page)
    }),
  )
  await tabs[0]!.run(({ signIn }) => signIn())
  await untilAll(tabs, ({ status }) => status === 'authenticated')
  each.server.expireAccessTokens()
  expect(await fireAll(tabs, 5)).toEqual({ 200: 10 })
  expect(await tabs[0]!.run(({ errors }) => errors)).toEqual([])
  expect(each.server.stats).toMatchObject({ refreshes: 1, thefts: 0 })
})

/** What a frame or worker does for itself, and tells. */
const trial = async (tab: InPage): Promise<{ tally: Tally; again: Tally; errors: string[]; status: string }> => {
  const { session } = tab
  await session.ready()
  if (session.current.status !== 'authenticated') await tab.signIn()
  const tally = await tab.fire(3)
  await session.refresh()
  const again = await tab.fire(3)
  return { tally, again, errors: tab.errors, status: session.current.status }
}
const tell = `(${String(trial)})(tab).then((told) => post(told), (error) => post(String(error)))`

/** Runs this in a sandboxed frame without an origin, and resolves with what it posts. */
const inSandbox = async (page: Page, origin: string, code: string): Promise<unknown> => {
  await page.goto(`${origin}/elsewhere`)
  return page.evaluate(
    ([base, script]) =>
      new Promise((done) => {
        addEventListener('message', ({ data }) => done(data))
        const frame = document.createElement('iframe')
        frame.setAttribute('sandbox', 'allow-scripts')
        const post =
          'const post = (told) => parent.postMessage(told, "*")\naddEventListener("error", (e) => post(e.message))'
        frame.srcdoc = `<script>${post}</script><script src="${base}/resesh.js"></script><script>${script}</script>`
        document.body.append(frame)
      }),
    [origin, code] as const,
  )
}

test.each<{ how: string; origins: boolean }>([
  { how: 'with its origins named', origins: true },
  { how: 'with the origins of its backend', origins: false },
])('a sandboxed frame, $how: memory, in this frame alone (71)', async ({ origins }) => {
  const each = await world()
  const page = await each.context.newPage()
  const session = origins ? { origins: [each.origin] } : {}
  const told = await inSandbox(page, each.origin, `${bootCode({ api: each.origin, session })};${tell}`)
  expect(told).toEqual({
    tally: { 200: 3 },
    again: { 200: 3 },
    errors: ['ERR_STORAGE'], // its storage
    status: 'authenticated',
  })
})

test('a worker takes part: the same session, one refresh for it and the page (69)', async () => {
  const each = await world({ knobs: { refreshDelayMs: 150 } })
  const [tab] = (await each.open(1)) as [Tab]
  await tab.run(({ signIn }) => signIn())
  each.server.expireAccessTokens()
  const number = each.page().split('?')[1]!
  const told = tab.run(
    (_, query) =>
      new Promise<unknown>((done) => {
        const worker = new Worker(`/worker.js?${query}`)
        worker.onmessage = ({ data }) => done(data)
        worker.onerror = ({ message }) => done(message)
        worker.postMessage(3)
      }),
    number,
  )
  expect(await tab.run(({ fire }) => fire(5))).toEqual({ 200: 5 })
  expect(await told).toEqual({ tally: { 200: 3 }, status: 'authenticated', name: 'Ann', errors: [] })
  expect(each.server.stats).toMatchObject({ refreshes: 1, thefts: 0, maxRefreshesInFlight: 1 })
  await tab.run(({ session }) => session.signOut())
})

test('a frame of the same origin is just another tab (69)', async () => {
  const each = await world()
  const [tab] = (await each.open(1)) as [Tab]
  await tab.run(({ signIn }) => signIn())
  each.server.expireAccessTokens()
  await tab.run((_, url) => {
    const frame = document.createElement('iframe')
    frame.src = url
    document.body.append(frame)
  }, each.page())
  await expect.poll(() => tab.page.frames().length).toBe(2)
  const frame = tab.page.frames()[1]!
  await frame.waitForFunction('globalThis.tab')
  const [inFrame, inPage] = await Promise.all([frame.evaluate('tab.fire(5)'), tab.run(({ fire }) => fire(5))])
  expect([inFrame, inPage]).toEqual([{ 200: 5 }, { 200: 5 }])
  expect(each.server.stats).toMatchObject({ refreshes: 1, thefts: 0 })
  await tab.run(({ session }) => session.signOut())
  await expect.poll(() => frame.evaluate('tab.session.current.status')).toBe('unauthenticated')
})

test('a frame on a foreign site has a session of its own (70)', async () => {
  const each = await world()
  const [tab] = (await each.open(1)) as [Tab]
  await tab.run(({ signIn }) => signIn())
  const page = await each.context.newPage()
  await page.goto(`http://plain.test:${each.port}/elsewhere`)
  await page.evaluate((url) => {
    const frame = document.createElement('iframe')
    frame.src = url
    document.body.append(frame)
  }, each.page())
  await expect.poll(() => page.frames().length).toBe(2)
  const frame = page.frames()[1]!
  await frame.waitForFunction('globalThis.tab')
  expect(await frame.evaluate('tab.session.ready().then(({ status }) => status)')).toBe('unauthenticated')
  expect(await frame.evaluate('tab.signIn({ user: "bob" }).then(() => tab.fire(3))')).toEqual({ 200: 3 })
  await frame.evaluate('tab.session.signOut()')
  expect(await tab.run(({ session }) => session.current)).toMatchObject({ user: { name: 'Ann' } })
})
