// Finds a Chromium on this machine, or installs one. Node's own modules only, so that it runs before `npm ci`.

import { execFileSync } from 'node:child_process'
import { accessSync, constants, readFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '../..')
const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

const usualPlaces = () => {
  if (process.platform === 'darwin') {
    return [
      '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
      '/Applications/Chromium.app/Contents/MacOS/Chromium',
    ]
  }
  if (process.platform === 'win32') {
    return ['PROGRAMFILES', 'PROGRAMFILES(X86)', 'LOCALAPPDATA'].flatMap((name) => {
      const folder = process.env[name]
      return folder ? [join(folder, 'Google/Chrome/Application/chrome.exe')] : []
    })
  }
  return names.map((name) => `/usr/bin/${name}`)
}

const onPath = () =>
  (process.env.PATH ?? '').split(delimiter).flatMap((folder) => names.map((name) => join(folder, name)))

const isExecutable = (path) => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const fromPlaywright = async () => {
  try {
    // By its path in the checkout: a bare name would be resolved before `npm ci` has made it.
    const { chromium } = await import(pathToFileURL(join(root, 'node_modules/playwright-core/index.mjs')).href)
    return chromium.executablePath()
  } catch {
    return ''
  }
}

/** The path of a Chromium that can be started, or `undefined`. */
export const findBrowser = async () => {
  const chosen = process.env.CHROMIUM
  if (chosen) {
    if (isExecutable(chosen)) return chosen
    throw new Error(`CHROMIUM is set to ${chosen}, which is not an executable file`)
  }
  return [...usualPlaces(), ...onPath(), await fromPlaywright()].find((path) => path && isExecutable(path))
}

const isDebian = () => {
  try {
    // Not Ubuntu, whose package of this name only points at a snap.
    return /^ID="?debian"?$/m.test(readFileSync('/etc/os-release', 'utf8'))
  } catch {
    return false
  }
}

const run = (command, ...args) => {
  console.log(`> ${command} ${args.join(' ')}`)
  execFileSync(command, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  })
}

const install = () => {
  if (isDebian() && process.getuid?.() === 0) {
    run('apt-get', 'update')
    run('apt-get', 'install', '-y', '--no-install-recommends', 'chromium')
  } else {
    run(process.execPath, 'node_modules/playwright-core/cli.js', 'install', 'chromium')
  }
}

/** Like {@link findBrowser}, but installs a Chromium where there is none. */
export const ensureBrowser = async () => {
  const found = await findBrowser()
  if (found) return found
  let reason = 'the installed browser was not found'
  try {
    install()
    const installed = await findBrowser()
    if (installed) return installed
  } catch (error) {
    reason = error.message
  }
  throw new Error(
    `The tests need Chromium. Looked in ${usualPlaces().join(', ')}, in PATH and in Playwright's cache, ` +
      `then tried to install it: ${reason}\nName one yourself: CHROMIUM=/path/to/chrome npm test`,
  )
}
