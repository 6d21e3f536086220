// The SDK more than once on one page, as two bundles bring it or a development server that reloads a module in place (101): same
// name, same storage, same locks, and a patch over the other's patch.

import { expect, test } from 'vitest'
import { type Tab, useTabs } from '../support/tabs.ts'

declare const Resesh: typeof import('../../src/global.ts')

const start = useTabs()

test.each(['bearer', 'cookie'] as const)(
  'five copies patched over each other: each request is sent and refreshed for by one (%s)',
  async (kind) => {
    const { open, server } = await start({ knobs: { bffSilentRefresh: false } })
    const [tab] = (await open(1, { kind })) as [Tab]
    await tab.run(({ signIn }) => signIn())
    await tab.run(({ session }) => void Resesh.installFetch(session))
    for (let copies = 1; copies < 5; copies++) {
      await tab.page.addScriptTag({ url: '/resesh.js' }) // a new Resesh, and none the wiser of the one before
      await tab.run(async (_inPage, isBearer) => {
        const { bearer, cookie, createSession, installFetch } = Resesh
        const backend = isBearer
          ? bearer({ refreshUrl: '/auth/refresh' })
          : cookie({ sessionUrl: '/bff/session', refreshUrl: '/bff/refresh', headers: { 'x-bff': '1' } })
        const session = createSession({ backend, refreshAhead: 'never' })
        await session.ready()
        installFetch(session)
      }, kind === 'bearer')
    }
    server.expireAccessTokens()
    const before = { ...server.stats.byPath }
    const statuses = await tab.run(async () => {
      const responses = await Promise.all(Array.from({ length: 20 }, (_, nth) => fetch(`/api/items/${nth}`)))
      return [...responses.map(({ status }) => status), (await fetch('/api/refused')).status]
    })
    expect(statuses).toEqual([...Array(20).fill(200), 401])
    const sent = (path: string) => (server.stats.byPath[path] ?? 0) - (before[path] ?? 0)
    expect(sent('GET /api/refused')).toBeLessThanOrEqual(2)
    for (let nth = 0; nth < 20; nth++) expect(sent(`GET /api/items/${nth}`)).toBeLessThanOrEqual(2)
    expect(server.stats).toMatchObject({ refreshes: 2, maxRefreshesInFlight: 1, thefts: 0 })
  },
)
