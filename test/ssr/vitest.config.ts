// `npm run ssr` runs these: see test/setup/ssr.mjs, which installs and builds the apps first.

import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    name: 'ssr',
    include: ['test/ssr/*.ssr.ts'],
    reporters: ['default', './test/setup/closing-line.ts'],
    // Each drives a server of its own and Chromium.
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
})
