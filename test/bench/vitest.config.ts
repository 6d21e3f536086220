// Measures the built package, as its users run it: `npm run bench`.

import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { playwright } from '@vitest/browser-playwright'
import { findBrowser } from '../setup/browser.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const alias = [
  { find: /^resesh$/, replacement: `${root}dist/index.js` },
  { find: /^resesh\/(.+)$/, replacement: `${root}dist/$1.js` },
]
const shared = { testTimeout: 120_000, fileParallelism: false }

export default defineConfig({
  root,
  cacheDir: `${root}node_modules/.vite-bench`,
  test: {
    // One after the other: two at once would measure each other.
    maxWorkers: 1,
    projects: [
      {
        resolve: { alias },
        test: {
          ...shared,
          name: 'node',
          include: ['test/bench/token.bench.ts'],
          server: { deps: { external: [/\/dist\//] } },
          sequence: { groupOrder: 0 },
        },
      },
      {
        resolve: { alias },
        test: {
          ...shared,
          name: 'chromium',
          include: ['test/bench/*.bench.ts'],
          sequence: { groupOrder: 1 },
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({ launchOptions: { executablePath: (await findBrowser()) ?? '' } }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
    ],
  },
})
