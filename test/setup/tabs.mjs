// `npm run tabs -- 100`: the eight tabs of test/refresh/one-refresh.tabs.test.ts, a hundred times in a row.

import { startVitest } from 'vitest/node'

const runs = Number(process.argv[2] ?? 100)
if (!(runs >= 1)) {
  console.error('How often? npm run tabs -- 100')
  process.exit(1)
}
process.env.TABS_RUNS = String(runs)

const vitest = await startVitest('test', ['test/refresh/one-refresh.tabs.test.ts'], {
  run: true,
  project: 'tabs',
  disableConsoleIntercept: true,
})
await vitest.close()
