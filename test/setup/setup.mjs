// Makes a bare checkout ready: the right Node, the locked packages and, without `--packages`, the software that only tests use
// and a Chromium.
// Node's own modules only, since it runs before anything is installed.

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureBrowser } from './browser.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '../..')

const refuseOldNode = () => {
  const [major, minor] = process.versions.node.split('.').map(Number)
  const isTooOld = major < 20 || (major === 20 && minor < 19) || major === 21 || (major === 22 && minor < 12)
  if (isTooOld)
    throw new Error(`resesh needs Node 20.19 or newer, or 22.12 or newer; this is ${process.versions.node}.`)
}

const packagesIn = (lock) => {
  try {
    return JSON.parse(readFileSync(lock, 'utf8')).packages
  } catch {
    return {}
  }
}

// npm notes in node_modules what it put there. Comparing saves a reader who ran `npm ci` a second one, and a stamp.
const isInstalled = (folder) => {
  const present = packagesIn(join(folder, 'node_modules/.package-lock.json'))
  return Object.entries(packagesIn(join(folder, 'package-lock.json'))).every(
    ([path, { optional, integrity }]) => path === '' || optional || present[path]?.integrity === integrity,
  )
}

const install = (folder, ...options) => {
  if (isInstalled(folder)) return
  const args = ['ci', ...options]
  console.log(`> npm ${args.join(' ')} in ${relative(root, folder) || '.'}`)
  const npm = process.env.npm_execpath
  const how = { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] }
  if (npm) execFileSync(process.execPath, [npm, ...args], how)
  else execFileSync('npm', args, { ...how, shell: process.platform === 'win32' })
}

try {
  refuseOldNode()
  install(root)
  if (!process.argv.includes('--packages')) {
    // None of these packages needs a script of its own.
    install(join(root, 'test/backends/real'), '--ignore-scripts')
    install(join(root, 'test/frameworks'), '--ignore-scripts')
    install(join(root, 'test/runners'), '--ignore-scripts')
    await ensureBrowser()
  }
} catch (error) {
  console.error(error.message)
  process.exit(1)
}
