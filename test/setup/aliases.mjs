// Where `resesh` and its subpaths lie in this checkout: package.json is the one list of entries.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const { exports: entries } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))

/** @param {'src' | 'dist'} folder What the specifiers lead to: the sources, or the build. */
export const aliases = (folder) =>
  Object.entries(entries)
    .filter(([, target]) => typeof target === 'object')
    .map(([subpath, target]) => {
      const name = target.default.replace(/^\.\/dist\/(.+)\.js$/, '$1')
      const specifier = `resesh${subpath.slice(1)}`.replace(/[/.]/g, '\\$&')
      return {
        find: new RegExp(`^${specifier}$`),
        replacement: `${root}${folder}/${name}.${folder === 'src' ? 'ts' : 'js'}`,
      }
    })
