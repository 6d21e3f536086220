// The package as `npm publish` would upload it: packed, and unpacked beside the packages that it needs.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import manifest from '../../package.json' with { type: 'json' }

export const root: string = join(import.meta.dirname, '../..')

/** What users import. */
export const specifiers: string[] = Object.entries(manifest.exports)
  .filter(([, target]) => typeof target === 'object')
  .map(([subpath]) => `resesh${subpath.slice(1)}`)

const newest = (path: string): number =>
  statSync(path).isDirectory()
    ? Math.max(...readdirSync(path).map((name) => newest(join(path, name))))
    : statSync(path).mtimeMs

/** The script of npm: the one that runs this, else the one beside Node. */
export const npmPath = (): string => {
  const running = process.env['npm_execpath']
  if (running) return running
  const beside = join(dirname(process.execPath), process.platform === 'win32' ? '.' : '../lib')
  return join(beside, 'node_modules/npm/bin/npm-cli.js')
}

export const npm = (...args: string[]): string =>
  execFileSync(process.execPath, [npmPath(), ...args], { cwd: root, encoding: 'utf8' })

/** A new folder outside of the checkout. */
export const makeHome = (): string => realpathSync(mkdtempSync(join(tmpdir(), 'resesh-packed-')))

/** Packs the build, which is made anew where it is older than the sources. @returns the path of the archive. */
export const packInto = (folder: string): string => {
  const built = join(root, 'dist/index.d.ts')
  if (!existsSync(built) || statSync(built).mtimeMs < newest(join(root, 'src'))) npm('run', 'build')
  npm('pack', '--silent', '--pack-destination', folder)
  return join(folder, `resesh-${manifest.version}.tgz`)
}

/** Packs, and unpacks to where a user of `home` would have it. @returns the folder of the package. */
export const installInto = (home: string): string => {
  const archive = packInto(home)
  const folder = join(home, 'node_modules/resesh')
  mkdirSync(folder, { recursive: true })
  execFileSync('tar', ['-xzf', archive, '-C', folder, '--strip-components=1'])
  return folder
}

/** Puts packages of a `node_modules` beside it. */
export const link = (home: string, modules: string, names: readonly string[]): void => {
  for (const name of names) {
    const path = join(home, 'node_modules', name)
    mkdirSync(dirname(path), { recursive: true })
    symlinkSync(join(modules, name), path, 'junction')
  }
}
