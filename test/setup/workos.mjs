// `npm run workos`: the contract over WorkOS' own emulator. It comes with 300 MB of a command line tool, so it is installed
// when it is asked for, out of the way of everything else.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startVitest } from 'vitest/node'

const VERSION = '0.14.0'
const folder = join(dirname(fileURLToPath(import.meta.url)), `../backends/real/node_modules/.workos-${VERSION}`)
const emulator = join(folder, 'node_modules/workos/dist/emulate')

if (!existsSync(join(emulator, 'index.js'))) {
  const args = ['install', '--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund']
  mkdirSync(folder, { recursive: true })
  console.log(`> npm ${args.join(' ')} workos@${VERSION}`)
  execFileSync(process.execPath, [process.env.npm_execpath, ...args, '--prefix', folder, `workos@${VERSION}`], {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
}

process.env.WORKOS_EMULATOR = emulator
const vitest = await startVitest('test', ['test/backends/real/workos.emulator.ts'], { run: true, project: 'real' })
await vitest.close()
