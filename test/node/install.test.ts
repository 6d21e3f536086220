// The opt-in patch of a page's fetch, among others who patch it too.

import { expect, test } from 'vitest'
import { createWire, fetchOf, setup, url } from '../support/session.ts'

type Fetch = typeof fetch

/** A page with a fetch of its own, a session that reaches the same server, and a wrapper that counts. */
const page = async () => {
  const state = await setup()
  const below = createWire(fetchOf(state.server))
  const target = { fetch: below.fetch }
  const wrap = () => {
    const { fetch } = target
    const wrapper = { calls: 0, undo: () => void (target.fetch = fetch) }
    target.fetch = (...args) => {
      wrapper.calls++
      return fetch(...args)
    }
    return wrapper
  }
  return { ...state, below, target, native: target.fetch, wrap }
}

const isOurs = async (fetch: Fetch) => (await fetch(url('/api/me'))).status === 200

test('nothing is patched by itself', async () => {
  const { target, native } = await page()
  expect(target.fetch).toBe(native)
})

test('an installed session carries what others send', async () => {
  const { session, target, server } = await page()
  session.install(target)
  server.expireAccessTokens()
  expect(await isOurs(target.fetch)).toBe(true)
  expect(server.stats.refreshes).toBe(1)
})

test('an installed session sends through what it found, once per sending', async () => {
  const { session, target, below, wire } = await page()
  session.install(target)
  await target.fetch(url('/api/me'))
  await session.fetch(url('/api/me'))
  expect(below.sent).toHaveLength(2)
  expect(wire.sent).toEqual([])
})

test('undone, the target has its own fetch back', async () => {
  const { session, target, native } = await page()
  session.install(target)()
  expect(target.fetch).toBe(native)
})

test('undone, the session itself still works', async () => {
  const { session, target, wire } = await page()
  session.install(target)()
  expect(await isOurs(session.fetch)).toBe(true)
  expect(wire.sent).toHaveLength(1)
})

test('installed twice it is installed once', async () => {
  const { session, target, below, native } = await page()
  const undo = session.install(target)
  expect(session.install(target)).toBe(undo)
  await target.fetch(url('/api/me'))
  expect(below.sent).toHaveLength(1)
  undo()
  expect(target.fetch).toBe(native)
})

test('undone twice it does not undo another who came after', async () => {
  const { session, target, wrap } = await page()
  const undo = session.install(target)
  undo()
  wrap()
  const { fetch } = target
  undo()
  expect(target.fetch).toBe(fetch)
})

test('a wrapper that came before is kept and called', async () => {
  const { session, target, wrap } = await page()
  const first = wrap()
  session.install(target)
  expect(await isOurs(target.fetch)).toBe(true)
  expect(first.calls).toBe(1)
})

test('a wrapper that came after is kept when the session is undone, and gets through to the plain fetch', async () => {
  const { session, target, wrap, below } = await page()
  const undo = session.install(target)
  const second = wrap()
  undo()
  expect(await isOurs(target.fetch)).toBe(false)
  expect(second.calls).toBe(1)
  expect(below.sent).toHaveLength(1)
})

test('a wrapper that came after may go first', async () => {
  const { session, target, wrap, native } = await page()
  const undo = session.install(target)
  const second = wrap()
  second.undo()
  expect(await isOurs(target.fetch)).toBe(true)
  undo()
  expect(target.fetch).toBe(native)
})

test('a wrapper that restores what it found after the session was undone brings no dead session back', async () => {
  const { session, target, wrap } = await page()
  const undo = session.install(target)
  const second = wrap()
  undo()
  second.undo() // puts our patch back, which is off now
  expect(await isOurs(target.fetch)).toBe(false)
})

test('installed again after another wrapper, it does not run in a circle', async () => {
  const { session, target, wrap, below } = await page()
  session.install(target)()
  wrap()
  session.install(target)
  expect(await isOurs(target.fetch)).toBe(true)
  expect(below.sent).toHaveLength(1)
})

test('dispose takes the patch back', async () => {
  const { session, target, native } = await page()
  session.install(target)
  session.dispose()
  expect(target.fetch).toBe(native)
})

test('two sessions over each other each carry their own origins', async () => {
  const { session, target, below } = await page()
  const other = await setup({ name: 'other', origins: ['https://other.test'] })
  session.install(target)
  other.session.install(target)
  await target.fetch(url('/api/me'))
  const [sent] = below.sent
  expect(below.sent).toHaveLength(1)
  expect(sent!.headers.get('authorization')).toBe(`Bearer ${await session.getToken()}`)
})

test('by default it is the global fetch that is patched', async () => {
  const state = await setup()
  const globe = { fetch: state.wire.fetch } as typeof globalThis
  const { session } = await setup({ platform: { globalThis: globe } })
  const undo = session.install()
  expect(globe.fetch).not.toBe(state.wire.fetch)
  undo()
  expect(globe.fetch).toBe(state.wire.fetch)
})

test("the backend's own calls do not come back in through the patch", async () => {
  const { session, target, below } = await page()
  session.install(target)
  await session.refresh()
  expect(below.sent.map(({ path }) => path)).toEqual(['/auth/refresh'])
})
