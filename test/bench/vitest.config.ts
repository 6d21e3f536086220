// Measures the built package, as its users run it: `npm run bench`.

import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { playwright } from '@vitest/browser-playwright'
import { aliases } from '../setup/aliases.mjs'
import { findBrowser } from '../setup/browser.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const alias = aliases('dist')
const shared = { testTimeout: 120_000, fileParallelism: false, include: ['test/bench/*.bench.ts'] }
// A page that is isolated gets a clock of 5 µs; the one of 100 µs is as coarse as a block is long.
const isolated = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' }

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
          server: { deps: { external: [/\/dist\//] } },
          sequence: { groupOrder: 0 },
        },
      },
      {
        resolve: { alias },
        server: { headers: isolated },
        // Found only while something is measured, it would reload the page under it.
        optimizeDeps: { include: ['@inrupt/solid-client-authn-core'] },
        test: {
          ...shared,
          name: 'chromium',
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
