import { playwright } from '@vitest/browser-playwright'
import { configDefaults, defineConfig } from 'vitest/config'
import { sampleServer } from './test/servers/sample/vite.ts'
import { aliases } from './test/setup/aliases.mjs'
import { findBrowser } from './test/setup/browser.mjs'

const alias = aliases('src')

const chromium = playwright({
  launchOptions: {
    executablePath: (await findBrowser()) ?? '',
    args: [
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  },
})

export default defineConfig({
  test: {
    reporters: ['default', './test/setup/closing-line.ts'],
    coverage: { provider: 'v8', include: ['src/**/*.ts'] },
    projects: [
      {
        resolve: { alias },
        test: {
          name: 'node',
          testTimeout: 20_000,
          hookTimeout: 60_000,
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, '**/*.{browser,tabs,real}.test.ts'],
          typecheck: { enabled: true, include: ['test/**/*.test-d.ts'], tsconfig: './test/tsconfig.json' },
        },
      },
      {
        resolve: { alias },
        plugins: [sampleServer()],
        publicDir: 'test/public',
        // Found only while a test runs, it would reload the page under it.
        optimizeDeps: { include: ['axios'] },
        test: {
          name: 'browser',
          include: ['test/**/*.browser.test.ts'],
          // They share the origin's one sample server, and each resets it.
          fileParallelism: false,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: chromium,
            instances: [{ browser: 'chromium' }],
          },
        },
      },
      {
        resolve: { alias },
        test: {
          name: 'tabs',
          include: ['test/**/*.tabs.test.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        resolve: { alias },
        test: {
          name: 'real',
          include: [
            process.env['WORKOS_EMULATOR'] ? 'test/backends/real/workos.emulator.ts' : 'test/**/*.real.test.ts',
          ],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
})
