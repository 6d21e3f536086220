// Installs the locked packages of a folder, unless they are there. Node's own modules only, since it runs before anything is
// installed.

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = join(dirname(fileURLToPath(import.meta.url)), '../..')

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

/** Runs npm, the one that runs this where there is one. @param options Of `execFileSync`. */
export const npm = (args, options = {}) => {
  const folder = relative(root, options.cwd ?? root)
  console.log(`> npm ${args.join(' ')}${folder ? ` in ${folder}` : ''}`)
  const how = { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], ...options }
  const path = process.env.npm_execpath
  if (path) execFileSync(process.execPath, [path, ...args], how)
  else execFileSync('npm', args, { ...how, shell: process.platform === 'win32' })
}

/** `npm ci`, where not everything that the lock names is there. */
export const install = (folder, ...options) => {
  if (!isInstalled(folder)) npm(['ci', ...options], { cwd: folder })
}
