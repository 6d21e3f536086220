// What other scripts of the origin may say on the channel: it changes nothing.

import { expect, test } from 'vitest'
import { signedIn, useTabs } from '../support/tabs.ts'

const world = useTabs()

test('a flood on the channel, forged and malformed, changes nothing (80 to 83)', async () => {
  const each = await world()
  const [tab] = await signedIn(each, 1)
  const token = await tab.run(({ session }) => session.getToken())
  const reads = await tab.run(async ({ session, sleep }, key) => {
    const { transaction } = IDBDatabase.prototype
    let count = 0
    IDBDatabase.prototype.transaction = function (...args) {
      count++
      return transaction.apply(this, args)
    }
    const channel = new BroadcastChannel(key)
    const forged = [
      null,
      undefined,
      '',
      0,
      NaN,
      [],
      {},
      'signed-out',
      '{"type":"sign-out"',
      { type: 'signed-out', version: { generation: 1e9, revision: 0 } },
      { generation: 1e9, revision: 1e9, accessToken: 'forged', refreshToken: 'forged', signedIn: true },
      { record: { layout: 1, version: { generation: 1e9, revision: 0 }, signedIn: false }, credentials: null },
      new Map([['__proto__', { polluted: true }]]),
      new ArrayBuffer(1 << 16),
      JSON.parse('{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}}'),
    ]
    for (let n = 0; n < 10_000; n++) channel.postMessage(forged[n % forged.length])
    await sleep(50)
    const answer = await session.fetch('/api/me')
    await sleep(200)
    channel.close()
    IDBDatabase.prototype.transaction = transaction
    return { count, status: answer.status, polluted: 'polluted' in {} }
  }, each.key)
  expect(reads).toMatchObject({ status: 200, polluted: false })
  expect(reads.count).toBeLessThan(10_000)
  expect(await tab.run(({ session }) => session.getToken())).toBe(token)
  expect(await tab.run(({ heard }) => heard.map(({ reason }) => reason))).toEqual(['restored', 'signed-in'])
  each.server.expireAccessTokens()
  expect(await tab.run(({ fire }) => fire(5))).toEqual({ 200: 5 })
  expect(each.server.stats).toMatchObject({ refreshes: 1, thefts: 0 })
})
