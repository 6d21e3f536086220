// The server ends the session, and a request in one tab waits for the sign-in that the user does in another.

import type { Platform } from 'resesh'
import { expect, test } from 'vitest'
import { type Tab, untilAll, useTabs, type World } from '../support/tabs.ts'

declare const Resesh: typeof import('../../src/global.ts')

const world = useTabs()

/** Two tabs of Ann's, whose session is over; in the first an order waits. */
const parked = async (each: World, platform: () => Platform = () => ({})): Promise<[Tab, Tab]> => {
  const use = () => [Resesh.signInRequired(() => void dispatchEvent(new Event('asked')))]
  const [waiting] = await each.open(1, { platform, use })
  const [other] = await each.open(1)
  await other!.run((tab) => tab.signIn())
  await waiting!.run((tab) => tab.signIn())
  await untilAll([waiting!, other!], ({ status }) => status === 'authenticated')
  each.server.revoke('ann')
  await waiting!.run(async ({ session, later }) => {
    const asked = new Promise((done) => addEventListener('asked', done))
    later['outcome'] = session
      .fetch('/api/orders', { method: 'POST', body: '{"id":"o-1"}' })
      .then(({ status }) => `${status}`)
      .catch((error: Error & { reason: string }) => `${error.name}: ${error.reason}`)
    await asked
  })
  return [waiting!, other!]
}
const outcomeOf = (tab: Tab) => tab.run(({ later }) => later['outcome'])

test.each([
  ['the same user', 'ann', '201', { 'o-1': 1 }],
  ['another', 'bob', 'SessionEndedError: signed-in', {}],
])('%s signs in, in another tab: so the request that waits goes on, or rejects', async (_, user, outcome, orders) => {
  const each = await world()
  const [waiting, other] = await parked(each)
  await untilAll([waiting, other], ({ status }) => status === 'unauthenticated')
  await other.run((tab, who) => tab.signIn({ user: who }), user)
  expect(await outcomeOf(waiting)).toBe(outcome)
  expect(each.server.stats.orders).toEqual(orders)
  expect(each.sent.filter(({ path }) => path === '/api/orders').map((sent) => sent.user)).not.toContain('bob')
})

test('a sign-out in between that this tab has not heard of: the request that waits rejects all the same', async () => {
  const each = await world()
  const [waiting, other] = await parked(each, () => ({ BroadcastChannel: null }))
  await other.run((tab) => tab.session.signOut())
  await other.run((tab) => tab.signIn())
  await waiting.run(() => void dispatchEvent(new Event('online')))
  expect(await outcomeOf(waiting)).toBe('SessionEndedError: signed-in')
  expect(each.server.stats.orders).toEqual({})
})
