// `npm install resesh`, as users do it: from a registry, into an empty folder, by each package manager, with none of the optional
// peers. The registry is a small one on this machine, so that no test waits for the network.

import { execFile } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeHome, npm, npmPath, packInto, root, specifiers } from '../support/packed.ts'
import { createRegistry } from './support/registry.ts'

const modules = join(import.meta.dirname, 'node_modules')
const needPeers = /\/(react|vue|svelte|solid|angular|angular-http|query|event-source|ky|oauth2\/login|testing\/server)$/
const entries = specifiers.filter((each) => !needPeers.test(each))

// What each app runs: it imports every entry, and ten of its requests meet an expired session.
const script = `
import { createSession } from 'resesh'
import { bearer } from 'resesh/backends/bearer'

const modules = await Promise.all(${JSON.stringify(entries)}.map((entry) => import(entry)))
const at = process.argv[2]
const session = createSession({ backend: bearer({ refreshUrl: at + '/auth/refresh' }) })
await session.signIn({ accessToken: 'old', refreshToken: 'refresh' })
const responses = await Promise.all(Array.from({ length: 10 }, () => session.fetch(at + '/api')))
session.dispose()
console.log(JSON.stringify({ entries: modules.length, served: responses.filter(({ ok }) => ok).length }))
`

let home: string
let registry: Awaited<ReturnType<typeof createRegistry>>
let refreshes = 0

const api = createServer((request, response) => {
  const isRefresh = request.url === '/auth/refresh'
  if (isRefresh) refreshes++
  const isGood = isRefresh || request.headers.authorization === 'Bearer new'
  response.writeHead(isGood ? 200 : 401, { 'content-type': 'application/json' })
  response.end(isRefresh ? '{"accessToken":"new","refreshToken":"next"}' : '{}')
})

beforeAll(async () => {
  home = makeHome()
  packInto(home)
  for (const name of ['jwt-decode', 'mitt'])
    npm('pack', '--silent', '--ignore-scripts', '--pack-destination', home, join(root, 'node_modules', name))
  registry = await createRegistry(home)
  await new Promise<void>((done) => api.listen(0, '127.0.0.1', done))
}, 120_000)

afterAll(async () => {
  await Promise.all([registry.close(), new Promise((done) => api.close(done))])
  rmSync(home, { recursive: true, force: true })
})

/** An empty app, outside of the checkout. */
const appFor = (name: string) => {
  const folder = join(home, name)
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), '{ "name": "app", "private": true, "type": "module" }')
  writeFileSync(join(folder, 'app.js'), script)
  const env = { ...process.env, NODE_OPTIONS: '', CI: '1', HOME: folder, npm_config_registry: registry.url }
  const node = async (...args: string[]) => {
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder, env })
    return stdout
  }
  return { folder, node }
}

const at = () => `http://127.0.0.1:${(api.address() as AddressInfo).port}`
const good = { entries: entries.length, served: 10 }
const npmScript = npmPath()
const yarn = join(modules, 'yarn/bin/yarn.js')
const berry = join(modules, '@yarnpkg/cli-dist/bin/yarn.js')

describe('installed by', { timeout: 120_000 }, () => {
  test('npm: it runs, with one refresh', async () => {
    const { node, folder } = appFor('npm')
    await node(
      npmScript,
      'install',
      '--silent',
      '--no-audit',
      '--no-fund',
      '--registry',
      registry.url,
      '--cache',
      join(folder, '.cache'),
      'resesh',
    )
    const before = refreshes
    expect(JSON.parse(await node('app.js', at()))).toEqual(good)
    expect(refreshes - before).toBe(1)
  })

  test('pnpm', async () => {
    const { node, folder } = appFor('pnpm')
    await node(
      join(modules, 'pnpm/bin/pnpm.cjs'),
      'add',
      '--registry',
      registry.url,
      '--store-dir',
      join(folder, '.store'),
      'resesh',
    )
    expect(JSON.parse(await node('app.js', at()))).toEqual(good)
  })

  test('yarn 1', async () => {
    const { node, folder } = appFor('yarn')
    await node(yarn, 'add', '--registry', registry.url, '--cache-folder', join(folder, '.cache'), 'resesh')
    expect(JSON.parse(await node('app.js', at()))).toEqual(good)
  })

  test.each(['node-modules', 'pnp'])('yarn 4 with %s', async (linker) => {
    const { node, folder } = appFor(`berry-${linker}`)
    writeFileSync(join(folder, 'yarn.lock'), '') // a project of its own
    const settings = {
      nodeLinker: linker,
      npmRegistryServer: registry.url,
      unsafeHttpWhitelist: ['127.0.0.1'],
      enableGlobalCache: false,
      enableTelemetry: false,
      enableImmutableInstalls: false,
      npmMinimalAgeGate: 0,
    }
    writeFileSync(join(folder, '.yarnrc.yml'), JSON.stringify(settings))
    await node(berry, 'add', 'resesh')
    expect(JSON.parse(await node(berry, 'node', 'app.js', at()))).toEqual(good)
  })
})

describe('its types, with none of the optional peers', { timeout: 120_000 }, () => {
  const { Node16, NodeNext, ESNext } = ts.ModuleKind
  const list = entries.map((specifier, nth) => `export * as e${nth} from '${specifier}'`).join('\n')
  const libraries = new Map<string, ts.SourceFile | undefined>()

  /** The codes of what TypeScript says. */
  const check = (file: string, code: string, module: ts.ModuleKind, moduleResolution: ts.ModuleResolutionKind) => {
    const path = join(home, 'npm', file)
    writeFileSync(path, code)
    const options = {
      module,
      moduleResolution,
      target: ts.ScriptTarget.ES2022,
      lib: ['lib.es2022.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
      types: [],
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      noEmit: true,
    }
    const host = ts.createCompilerHost(options)
    const read = host.getSourceFile
    host.getSourceFile = (name, ...rest) => {
      if (!/\/typescript\/lib\//.test(name)) return read(name, ...rest)
      if (!libraries.has(name)) libraries.set(name, read(name, ...rest))
      return libraries.get(name)
    }
    return ts
      .getPreEmitDiagnostics(ts.createProgram([path], options, host))
      .map(({ code: number, messageText }) => `${number} ${ts.flattenDiagnosticMessageText(messageText, ' ')}`)
  }

  test('hold for a bundler, for node16 and for nodenext', () => {
    expect(check('all.ts', list, ESNext, ts.ModuleResolutionKind.Bundler)).toEqual([])
    expect(check('all.mts', list, Node16, ts.ModuleResolutionKind.Node16)).toEqual([])
    expect(check('next.mts', list, NodeNext, ts.ModuleResolutionKind.NodeNext)).toEqual([])
  })

  // limits.md says so.
  test('from CommonJS: nodenext takes an import, node16 an import()', () => {
    const require = "import { createSession } from 'resesh'\nexport const create = createSession"
    expect(check('next.cts', require, NodeNext, ts.ModuleResolutionKind.NodeNext)).toEqual([])
    expect(check('old.cts', require, Node16, ts.ModuleResolutionKind.Node16)).toEqual([
      expect.stringMatching(/^1479 .*ECMAScript module/),
    ])
    const load = "export const create = async () => (await import('resesh')).createSession"
    expect(check('load.cts', load, Node16, ts.ModuleResolutionKind.Node16)).toEqual([])
  })
})
