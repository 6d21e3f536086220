// The clients that people wire to `session.fetch`, each over a real HTTP server: what an expiry is to them, and a refusal.

import { describe, expect, test } from 'vitest'
import { clients, serve } from '../backends/real/support/clients.ts'
import { thrownBy } from '../support/session.ts'

describe.each(Object.entries(clients))('%s', (_, wire) => {
  test('ten reads and an order meet an expired session: one refresh, each is answered, the order is accepted once', async () => {
    const { sample, session, origin } = await serve()
    const { read, order } = wire(session, origin)
    expect(await read(0)).toBe(0)
    sample.expireAccessTokens()
    const items = Array.from({ length: 10 }, (_each, nth) => nth + 1)
    const [accepted, ...answers] = await Promise.all([order('o-1'), ...items.map(read)])
    expect(answers).toEqual(items)
    expect(accepted).toBe(1)
    expect(await order('o-1')).toBe(2)
    expect(sample.stats.refreshes).toBe(1)
  })

  test('a session that is over is an error of its own', async () => {
    const { sample, session, origin } = await serve()
    const { read } = wire(session, origin)
    sample.revoke('ann')
    const error = await thrownBy(read(1))
    expect(String(error)).not.toMatch(/SessionEnded|RefreshFailed|TypeError/)
    expect(session.current).toMatchObject({ status: 'unauthenticated' })
  })
})
