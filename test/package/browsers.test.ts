// The code that is shipped runs in the oldest browsers that the guide names: no newer syntax, and no newer built-in without `?.`.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { build, transform } from 'esbuild'
import { beforeAll, expect, test } from 'vitest'
import { entry } from '../../tsup.config.ts'
import { root } from '../support/packed.ts'

// Later than ES2022 (which tsconfig.json's `lib` keeps out), and later than the browsers below.
const newer =
  /\b(AbortSignal\.any|URL\.(canParse|parse)|TextDecoderStream|structuredClone|requestIdleCallback|Promise\.(withResolvers|try)|Object\.groupBy|Array\.fromAsync|Symbol\.(dispose|asyncDispose)(?! \?\?))\b/g
// What belongs to tests runs in test runners.
const forTests = /testing/

let files: { path: string; text: string }[]

beforeAll(async () => {
  const { outputFiles } = await build({
    entryPoints: Object.entries(entry).flatMap(([name, path]) => (forTests.test(name) ? [] : [path])),
    absWorkingDir: root,
    outdir: 'out',
    bundle: true,
    splitting: true,
    packages: 'external',
    tsconfigRaw: {}, // its paths would bring the frameworks in
    format: 'esm',
    target: 'es2022', // as tsup.config.ts says
    write: false,
  })
  files = outputFiles
}, 60_000)

test('its syntax needs no change for the browsers that limits.md names', { timeout: 60_000 }, async () => {
  const limits = readFileSync(join(root, 'demo/guide/limits.md'), 'utf8')
  const [, chrome, firefox, safari] = /Chrome and Edge (\d+), Firefox (\d+), Safari ([\d.]+), or newer/.exec(limits)!
  const target = [`chrome${chrome}`, `edge${chrome}`, `firefox${firefox}`, `safari${safari}`]
  for (const { path, text } of files) {
    const [newest, old] = await Promise.all([transform(text), transform(text, { target })])
    expect(old.code, path).toBe(newest.code)
  }
})

test('it takes no newer built-in for granted', () => {
  expect(files.flatMap(({ text }) => text.match(newer) ?? [])).toEqual([])
})
