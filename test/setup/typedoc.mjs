// `npm run reference`: the API reference, from the docstrings of every public entry.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const { exports: entries } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))

export default {
  entryPoints: Object.values(entries)
    .filter((target) => typeof target === 'object')
    .map((target) => target.default.replace(/^\.\/dist\/(.+)\.js$/, `${root}src/$1.ts`)),
  tsconfig: `${root}tsconfig.json`,
  out: `${root}dist/reference`,
  name: 'resesh',
  readme: `${root}README.md`,
  excludeInternal: true,
  excludePrivate: true,
  sort: ['source-order'],
  // A docstring may name what is exported by another entry.
  validation: { invalidLink: false },
}
