// The README's code is code: each ```ts block has to compile against src/, and each ```ts run block has to run, in a
// process that looks like a page of the sample server: `location` is set, and `fetch` takes relative URLs.

import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { listen } from '../../demo/server/node.ts'
import { createSampleServer } from '../../demo/server/server.ts'

// What a block may use without declaring it: an app around it. A block's own declaration hides it.
const app = `
  import type { Session } from 'resesh'
  declare global {
    const session: Session<Record<string, unknown>, Record<string, unknown>>
    function render(...what: unknown[]): void
  }
`

const page = `
  const { fetch } = globalThis
  const { href } = globalThis.location = new URL(process.env.ORIGIN + '/')
  globalThis.fetch = (input, init) => fetch(typeof input === 'string' ? new URL(input, href) : input, init)
  await import('./BLOCK')
  process.exit()
`

const root = join(import.meta.dirname, '../..')
// Inside the checkout, so that packages are found as from src/.
const folder = join(root, 'node_modules/.cache/resesh-readme')

interface Block {
  /** Where its code begins. */
  line: number
  file: string
  code: string
  runs: boolean
  /** What its lines `console.log(…) // …` say is printed. */
  printed: string[]
}

const blocksOf = (readme: string): Block[] =>
  Array.from(readme.matchAll(/^```ts( run)?\n(.*?)^```$/gms), ({ 1: run, 2: code = '', index }) => {
    const line = readme.slice(0, index).split('\n').length + 1
    return {
      line,
      file: `line-${line}.ts`,
      code: `${code}\nexport {}\n`,
      runs: run !== undefined,
      printed: Array.from(code.matchAll(/^\s*console\.log\(.*\)\s*\/\/ (.+)$/gm), ([, said = '']) => said.trim()),
    }
  })

const blocks = blocksOf(readFileSync(join(root, 'README.md'), 'utf8'))

rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
writeFileSync(join(folder, 'app.ts'), app)
for (const { file, code } of blocks) writeFileSync(join(folder, file), code)

test('every block compiles', { timeout: 60_000 }, () => {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  const program = ts.createProgram([join(folder, 'app.ts'), ...blocks.map(({ file }) => join(folder, file))], {
    ...options,
    declaration: false,
    isolatedDeclarations: false,
    noUnusedLocals: false,
    noUnusedParameters: false,
    skipLibCheck: true,
    paths: { resesh: [join(root, 'src/index.ts')], 'resesh/*': [join(root, 'src/*.ts')] },
  })
  const problems = ts.getPreEmitDiagnostics(program).map(({ start = 0, file, messageText }) => {
    const block = blocks.find((one) => file?.fileName.endsWith(`/${one.file}`))
    const place = block ? `README.md:${block.line + file!.getLineAndCharacterOfPosition(start).line}` : file?.fileName
    return `${place} ${ts.flattenDiagnosticMessageText(messageText, ' ')}`
  })
  expect(problems).toEqual([])
})

describe('what is marked `run` runs', () => {
  const bundle = (block: Block) =>
    build({
      stdin: { contents: page.replace('BLOCK', block.file), resolveDir: folder, loader: 'ts' },
      outfile: join(folder, block.file.replace('.ts', '.mjs')),
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      plugins: [
        {
          name: 'resesh',
          setup(esbuild) {
            esbuild.onResolve({ filter: /^resesh(\/|$)/ }, ({ path }) => ({
              path: join(root, 'src', `${path === 'resesh' ? 'index' : path.replace('resesh/', '')}.ts`),
            }))
          },
        },
      ],
    })

  for (const block of blocks.filter(({ runs }) => runs)) {
    test(`line ${block.line}`, async () => {
      await bundle(block)
      const server = await listen(createSampleServer())
      try {
        const script = join(folder, block.file.replace('.ts', '.mjs'))
        const { stdout } = await promisify(execFile)(process.execPath, [script], {
          env: { ...process.env, ORIGIN: server.origin },
          timeout: 10_000,
        })
        if (block.printed.length > 0) expect(stdout.trimEnd().split('\n')).toEqual(block.printed)
      } finally {
        await server.close()
      }
    })
  }

  test('there is such a block', () => {
    expect(blocks.some(({ runs }) => runs)).toBe(true)
  })
})
