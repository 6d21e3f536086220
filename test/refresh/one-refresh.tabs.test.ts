// Eight tabs with twenty requests each meet an expired session at the same moment. `npm run tabs -- 100` does it a hundred
// times in a row.

import { expect, test } from 'vitest'
import { fireAll, type Kind, type Tab, untilAll, useTabs, type World } from '../support/tabs.ts'

const TABS = 8
const REQUESTS = 20
const runs = Number(process.env['TABS_RUNS'] ?? 5)

const world = useTabs()

const expireForAll = async ({ server }: World, tabs: readonly Tab[], kind: Kind): Promise<void> => {
  if (kind === 'mediated') server.knobs.accessTokenLifeSeconds = 0.3
  await tabs[0]!.run((tab) => tab.signIn({ lifeSeconds: 0.3 }))
  const { expiresAt } = await tabs[0]!.run(({ session }) => session.current)
  server.knobs.accessTokenLifeSeconds = 60
  server.expireAccessTokens()
  await untilAll(tabs, (state) => state.expiresAt === expiresAt)
  await tabs[0]!.run(({ sleep }, ms) => sleep(ms), expiresAt! - Date.now())
}

test.each([
  { kind: 'bearer', who: 'the tabs know', storage: 'IndexedDB' },
  { kind: 'bearer', who: 'only the server knows', storage: 'IndexedDB' },
  { kind: 'mediated', who: 'the tabs know', storage: 'a cookie' },
  { kind: 'cookie', who: 'only the server knows', storage: 'a cookie' },
] as const)(
  'eight tabs, 160 requests, a session in $storage of whose expiry $who: one refresh, no theft, none lost (86, 87)',
  { timeout: 30_000 + runs * 3_000 },
  async ({ kind, who }) => {
    const each = await world({ knobs: { bffSilentRefresh: false, bffMediatesToken: kind === 'mediated' } })
    const { server, open } = each
    const isKnown = who === 'the tabs know'
    const tabs = await open(TABS, { kind })
    await tabs[0]!.run((tab) => tab.signIn())
    await untilAll(tabs, ({ status }) => status === 'authenticated')

    let most = 0
    for (let run = 0; run < runs; run++) {
      if (isKnown) await expireForAll(each, tabs, kind)
      else server.expireAccessTokens()
      const { refreshes, api } = server.stats
      expect(await fireAll(tabs, REQUESTS), `run ${run}`).toEqual({ 200: TABS * REQUESTS })
      expect(server.stats.refreshes - refreshes, `run ${run}`).toBe(1)
      most = Math.max(most, server.stats.api - api)
    }
    const { refreshes, thefts, maxRefreshesInFlight } = server.stats
    expect({ refreshes, thefts, maxRefreshesInFlight }).toEqual({ refreshes: runs, thefts: 0, maxRefreshesInFlight: 1 })
    expect(most).toBeLessThanOrEqual(TABS * REQUESTS * (isKnown ? 1 : 2))
    if (process.env['TABS_RUNS'])
      console.log(
        `${kind}, ${who}: ${runs} runs, ${refreshes} refreshes, ${maxRefreshesInFlight} at once, ` +
          `${thefts} thefts, 0 of ${runs * TABS * REQUESTS} requests lost, at most ${most} sent in a run`,
      )
  },
)
