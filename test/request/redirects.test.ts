// Where a redirect leads, with Node's own fetch over real sockets: no credential leaves with it, none comes back.

import { createSession, defineBackend } from 'resesh'
import { expect, onTestFinished, test } from 'vitest'
import { openSite } from '../support/site.ts'

const CANARY = 'canary-token'

const setup = async (backend = defineBackend({ refresh: async () => null })) => {
  const [ours, other] = [await openSite(), await openSite()]
  const session = createSession({ backend, initial: { accessToken: CANARY }, origins: [ours.origin] })
  onTestFinished(session.dispose)
  const carrying = ({ log }: { log: readonly string[] }) => log.map((entry) => entry.includes(CANARY))
  return { session, ours, other, carrying }
}

test('a redirect within the origin keeps the token', async () => {
  const { session, ours, carrying } = await setup()
  await session.fetch(ours.to('/end'))
  expect(carrying(ours)).toEqual([true, true])
})

test('a redirect to another origin takes no token along', async () => {
  const { session, ours, other, carrying } = await setup()
  const response = await session.fetch(ours.to(`${other.origin}/end`))
  expect([response.url, carrying(ours), carrying(other)]).toEqual([`${other.origin}/end`, [true], [false]])
})

test('nor does a way out and back: what comes back comes without it', async () => {
  const { session, ours, other, carrying } = await setup()
  const response = await session.fetch(ours.to(other.to(`${ours.origin}/end`)), { method: 'POST', body: 'text' })
  expect(response.url).toBe(`${ours.origin}/end`)
  expect([carrying(ours), carrying(other)]).toEqual([[true, false], [false]])
})

test('a token in a header of its own follows no redirect at all', async () => {
  const own = defineBackend({
    refresh: async () => null,
    attach(headers, credentials) {
      headers.set('x-token', credentials?.accessToken ?? '')
      return { redirect: 'error' }
    },
  })
  const { session, ours, other, carrying } = await setup(own)
  for (const next of [`${other.origin}/end`, '/end'])
    await expect(session.fetch(ours.to(next))).rejects.toThrow(TypeError)
  expect([carrying(ours), other.log]).toEqual([[true, true], []])
})

test('another origin that redirects to ours brings no token into it', async () => {
  const { session, ours, other, carrying } = await setup()
  await session.fetch(other.to(`${ours.origin}/end`))
  expect([carrying(ours), carrying(other)]).toEqual([[false], [false]])
})
