// The pure core with one mistake in it, made in the source, so that every function that uses the changed one is mistaken too.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'
import type { Core } from '../state/model.ts'

const folder = join(import.meta.dirname, '../../src/state')
const modules = ['changes', 'plan', 'record', 'session-changes', 'steps', 'verdict', 'view']

/** @throws where `right` is not there exactly once: the source has moved, and the mistake must be made anew. */
export async function mutant(module: string, right: string, wrong: string): Promise<Core> {
  const source = await readFile(join(folder, `${module}.ts`), 'utf8')
  if (source.split(right).length !== 2) throw new Error(`state/${module}.ts does not have once: ${right}`)
  const contents = source.replace(right, () => wrong)
  const { outputFiles } = await build({
    stdin: { contents: modules.map((name) => `export * from './${name}.ts'`).join('\n'), resolveDir: folder },
    bundle: true,
    write: false,
    format: 'esm',
    plugins: [
      {
        name: 'mistake',
        setup: ({ onLoad }) =>
          onLoad({ filter: new RegExp(`[\\\\/]${module}\\.ts$`) }, () => ({ contents, loader: 'ts' })),
      },
    ],
  })
  return import(`data:text/javascript,${encodeURIComponent(outputFiles[0]!.text)}`) as Promise<Core>
}
