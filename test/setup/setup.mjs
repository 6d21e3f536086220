// Makes a bare checkout ready: the right Node, the locked packages and, without `--packages`, the software that only tests use
// and a Chromium.
// Node's own modules only, since it runs before anything is installed.

import { join } from 'node:path'
import { ensureBrowser } from './browser.mjs'
import { install, root } from './packages.mjs'

const refuseOldNode = () => {
  const [major, minor] = process.versions.node.split('.').map(Number)
  const isTooOld = major < 20 || (major === 20 && minor < 19) || major === 21 || (major === 22 && minor < 12)
  if (isTooOld)
    throw new Error(`resesh needs Node 20.19 or newer, or 22.12 or newer; this is ${process.versions.node}.`)
}

try {
  refuseOldNode()
  install(root)
  if (!process.argv.includes('--packages')) {
    // None of these packages needs a script of its own.
    install(join(root, 'test/backends/real'), '--ignore-scripts')
    install(join(root, 'test/frameworks'), '--ignore-scripts')
    await ensureBrowser()
  }
} catch (error) {
  console.error(error.message)
  process.exit(1)
}
