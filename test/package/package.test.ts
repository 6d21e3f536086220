// What users get: how much of it, what comes along with what, and whether the packed package works.

import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build, type Metafile } from 'esbuild'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { entry } from '../../tsup.config.ts'
import { installInto, link, makeHome, root, specifiers } from '../support/packed.ts'

// 1 kB is 1,024 bytes, here and in the README.
const kB = 1024

interface Bundle {
  /** Gzipped bytes of what has to be there before the first line runs. */
  atOnce: number
  /** The same with everything that is imported later on. */
  inAll: number
  /** Modules of which something is left in the bundle. */
  modules: string[]
}

const bundle = async (code: string, external: string[] = [], define: Record<string, string> = {}): Promise<Bundle> => {
  const { outputFiles, metafile } = await build({
    stdin: { contents: code, resolveDir: root, loader: 'ts' },
    absWorkingDir: root,
    outdir: 'out',
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    external,
    define,
    write: false,
    metafile: true,
  })
  const sizes = new Map(outputFiles.map(({ path, contents }) => [path, gzipSync(contents, { level: 9 }).byteLength]))
  const sizeOf = (files: Iterable<string>) =>
    Array.from(files, (file) => sizes.get(join(root, file)) ?? 0).reduce((sum, size) => sum + size, 0)
  const [start] = Object.entries(metafile.outputs).find(([, { entryPoint }]) => entryPoint)!
  const all = reached(metafile, start, ['import-statement', 'dynamic-import'])
  return {
    atOnce: sizeOf(reached(metafile, start, ['import-statement'])),
    inAll: sizeOf(all),
    modules: [...all].flatMap((file) =>
      Object.entries(metafile.outputs[file]!.inputs)
        .filter(([path, { bytesInOutput }]) => bytesInOutput > 0 && path !== '<stdin>')
        .map(([path]) => path),
    ),
  }
}

const reached = ({ outputs }: Metafile, start: string, kinds: string[]): Set<string> => {
  const found = new Set([start])
  for (const file of found) {
    for (const { path, kind } of outputs[file]?.imports ?? []) {
      if (kinds.includes(kind) && path in outputs) found.add(path)
    }
  }
  return found
}

// The app has them anyway.
const peers = ['react', 'vue', 'svelte', 'solid-js', '@angular/core', '@angular/common', 'rxjs']
const external = ['eventsource', 'ky', 'msw', ...peers, 'svelte/*', '@angular/common/*']

const main = `
  import { createSession } from './src/index.ts'
  import { oauth2 } from './src/backends/oauth2.ts'
  export { createSession, oauth2 }
`
/** One entry by itself. */
const alone = (name: string) => bundle(`export * from './${entry[name]}'`, external)

describe('size', () => {
  // Nothing is loaded later: a chunk could be missing when a session needs it most.
  test('a default session with oauth2 is at most 33 kB gzipped', async () => {
    const { atOnce, inAll } = await bundle(main)
    expect(atOnce).toBeLessThanOrEqual(33 * kB)
    expect(inAll).toBe(atOnce)
  })

  // In the README: `<!-- size:core -->26.0 kB<!-- /size -->` for a default session with oauth2, and for each entry of package.json
  // what it adds to that: `<!-- size:step-up -->0.4 kB<!-- /size -->`.
  test('the README quotes the sizes as they are, of the core and of each entry', { timeout: 60_000 }, async () => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8')
    const quotes = new Map(
      Array.from(readme.matchAll(/<!-- size:(\S+) -->(.*?)<!-- \/size -->/g), ([, what, said]) => [what!, said!]),
    )
    const { atOnce } = await bundle(main)
    const sizes = new Map([['core', atOnce]])
    for (const specifier of specifiers.filter((each) => each !== 'resesh')) {
      const name = specifier.slice('resesh/'.length)
      const source = manifest.exports[`./${name}` as './ky'].default
        .replace('./dist/', './src/')
        .replace(/\.js$/, '.ts')
      // Backends stand in the place of oauth2; everything else comes on top.
      const isBackend = name.startsWith('backends/')
      const code = isBackend
        ? `export * from './src/index.ts'\nexport * from '${source}'`
        : `${main}\nexport * from '${source}'`
      const base = isBackend ? (await bundle(`export * from './src/index.ts'`)).atOnce : atOnce
      sizes.set(name, (await bundle(code, external)).atOnce - base)
    }
    const wrong = Array.from(sizes, ([what, bytes]) => {
      const quoted = Number(/^([\d.]+) kB$/.exec(quotes.get(what) ?? '')?.[1])
      const isRight = Math.abs(quoted - bytes / kB) <= 0.1
      return isRight ? null : `<!-- size:${what} -->${(bytes / kB).toFixed(1)} kB<!-- /size --> (${bytes} bytes)`
    })
    expect(wrong.filter(Boolean)).toEqual([])
    expect([...quotes.keys()].filter((what) => !sizes.has(what))).toEqual([])
  })
})

test.each(['react', 'vue', 'svelte', 'solid', 'angular', 'angular-http', 'query'])(
  'the binding %s adds less than 0.5 kB',
  async (name) => {
    const { atOnce } = await bundle(`${main}\nexport * from './${entry[`adapters/${name}`]}'`, external)
    expect(atOnce - (await bundle(main)).atOnce).toBeLessThan(0.5 * kB)
  },
)

describe('what comes along', () => {
  const backends = Object.keys(entry).filter((name) => name.startsWith('backends/') && name !== 'backends/kit')

  test.each(backends)('%s brings no other backend and no package', async (name) => {
    const { modules } = await alone(name)
    const others = modules.filter((path) => /^src\/backends\/(?!kit\b)[^/]+$/.test(path) && path !== entry[name])
    expect(others).toEqual([])
    // An ID token is a JWT: oauth2 reads it as the core reads an access token.
    const packages = modules.filter((path) => path.includes('node_modules/') && !path.includes('jwt-decode'))
    expect(packages).toEqual([])
  })

  test('the core brings no backend, no extension and no ky', async () => {
    const { modules } = await bundle(`export { createSession } from './src/index.ts'`)
    const optional = /^src\/(backends|extensions|adapters|debug|devtools)[/.]|^src\/explain|\/ky\//
    expect(modules.filter((path) => optional.test(path))).toEqual([])
  })

  const tools = `${main}
    if (import.meta.env.DEV) {
      void import('./src/debug.ts').then(({ debug }) => debug(session))
      void import('./src/devtools.ts').then(({ mountDevtools }) => mountDevtools(session))
    }`
  const isTool = (path: string) => /^src\/(debug|devtools)[/.]/.test(path)

  test('a production bundle has nothing of debug and devtools, behind the guard that the README shows', async () => {
    const production = await bundle(tools, [], { 'import.meta.env.DEV': 'false' })
    expect(production.modules.filter(isTool)).toEqual([])
    // Zipped, the same code in another order may differ by a few bytes.
    expect(Math.abs(production.inAll - (await bundle(main)).inAll)).toBeLessThan(20)
    const development = await bundle(tools, [], { 'import.meta.env.DEV': 'true' })
    expect(development.modules.filter(isTool)).toEqual(
      expect.arrayContaining(['src/debug.ts', 'src/devtools/element.ts']),
    )
    expect(development.atOnce).toBeLessThan(development.inAll)
  })

  test('explain brings nothing of the console and the timeline', async () => {
    const { modules } = await alone('explain')
    expect(modules.filter((path) => /^src\/devtools|debug\/(narrator|mistakes|timing|namespaces)/.test(path))).toEqual(
      [],
    )
  })
})

// Packing and compiling take seconds, and more on a busy machine.
describe('the packed package', { timeout: 60_000 }, () => {
  let folder: string
  let home: string

  const node = (...args: string[]) => execFileSync(process.execPath, args, { cwd: home, encoding: 'utf8' })

  beforeAll(() => {
    home = makeHome()
    folder = installInto(home)
    const own = ['eventsource', 'jwt-decode', 'ky', 'mitt', 'msw', 'oauth4webapi']
    link(home, join(root, 'node_modules'), own)
    link(home, join(root, 'test/frameworks/node_modules'), [...peers, '@types/react'])
  }, 60_000)

  afterAll(() => rmSync(home, { recursive: true, force: true }))

  test('holds what is needed and nothing else', () => {
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((path) => path.replaceAll('\\', '/'))
    expect(readdirSync(folder).toSorted()).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'demo', // the pages of the guide, and their pictures
      'dist',
      'llms.txt',
      'package.json',
      'skills',
      'src',
    ])
    const ofDemo = files.filter(
      (file) => file.startsWith('demo/') && !/^demo\/guide(\/[\w-]+\.md|\/images(\/\w+\.png)?)?$/.test(file),
    )
    expect(ofDemo).toEqual(['demo/screenshot.png'])
    const targets = Object.values(manifest.exports).flatMap((target) =>
      typeof target === 'string' ? [target] : [target.types, target.default],
    )
    expect(files).toEqual(expect.arrayContaining(targets.map((target) => target.replace('./', ''))))
    expect(files).not.toContain('dist/resesh.global.js.map')
  })

  test('every relative link of its pages leads to a file in it', () => {
    const pages = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => /\.(md|txt)$/.test(file))
    expect(pages.length).toBeGreaterThan(30)
    const dead = pages.flatMap((page) => {
      const prose = readFileSync(join(folder, page), 'utf8').replaceAll(/^```.*?^```$/gms, '')
      return Array.from(prose.matchAll(/\]\((?![a-z]+:)([^)#\s]+)/g), ([, path = '']) => path)
        .filter((path) => !existsSync(join(folder, dirname(page), path)))
        .map((path) => `${page}: ${path}`)
    })
    expect(dead).toEqual([])
  })

  test('every entry can be imported, and required', () => {
    const print = 'console.log(names.every((name) => name.length > 0))'
    const list = JSON.stringify(specifiers)
    writeFileSync(
      join(home, 'all.mjs'),
      `const names = await Promise.all(${list}.map(async (path) => Object.keys(await import(path)))); ${print}`,
    )
    writeFileSync(join(home, 'all.cjs'), `const names = ${list}.map((path) => Object.keys(require(path))); ${print}`)
    expect(node('all.mjs')).toBe('true\n')
    expect(node('--no-warnings', 'all.cjs')).toBe('true\n')
  })

  test('the one file for a script tag sets one global, with a session to create and every backend', () => {
    const run = `
      const page = {}
      const before = Object.keys(globalThis)
      require('node:vm').runInThisContext(require('node:fs').readFileSync('node_modules/resesh/dist/resesh.global.js', 'utf8'))
      console.log(JSON.stringify({ created: Object.keys(globalThis).filter((key) => !before.includes(key)), names: Object.keys(Resesh) }))
    `
    const { created, names } = JSON.parse(node('-e', run))
    expect(created).toEqual(['Resesh'])
    const backends = Object.keys(entry).flatMap((name) => {
      const [, file] = /^backends\/(?!kit$)(.+)$/.exec(name) ?? []
      return file ? file.replace(/-\w/g, ([, letter]) => letter!.toUpperCase()) : []
    })
    expect(names).toEqual(expect.arrayContaining(['createSession', ...backends]))
  })

  test.each([
    ['a bundler', ts.ModuleKind.ESNext, ts.ModuleResolutionKind.Bundler],
    ['Node', ts.ModuleKind.NodeNext, ts.ModuleResolutionKind.NodeNext],
  ])('its types hold under strict options, for %s', (_, module, moduleResolution) => {
    const file = join(home, 'all.mts')
    writeFileSync(file, specifiers.map((specifier, nth) => `export * as e${nth} from '${specifier}'`).join('\n'))
    const program = ts.createProgram([file], {
      module,
      moduleResolution,
      target: ts.ScriptTarget.ES2022,
      lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'],
      types: [],
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
    })
    const problems = ts.getPreEmitDiagnostics(program).filter(({ file: at }) => !at?.fileName.includes('/ky/'))
    expect(problems.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).toEqual([])
  })
})
