// `resesh/testing` in the test runners that apps have, as a user gets it: the packed package, and the files of `app/`, which the
// guide shows.

import { execFile } from 'node:child_process'
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { installInto, link, makeHome, root } from '../support/packed.ts'

const app = join(import.meta.dirname, 'app')
const modules = join(import.meta.dirname, 'node_modules')

let home: string

beforeAll(() => {
  home = makeHome()
  installInto(home)
  link(home, join(root, 'node_modules'), ['jwt-decode', 'mitt'])
  const names = readdirSync(modules).filter((name) => !name.startsWith('.'))
  link(home, modules, names)
  cpSync(app, home, { recursive: true })
  writeFileSync(join(home, 'package.json'), '{ "type": "module" }')
  copyForVitest()
}, 120_000)

afterAll(() => rmSync(home, { recursive: true, force: true }))

const vitestFolder = 'in-vitest'

/** The same tests for Vitest, where `jest` is called `vi`. */
function copyForVitest(): void {
  const folder = join(home, vitestFolder)
  cpSync(app, folder, { recursive: true })
  const timers = readFileSync(join(app, 'timers.spec.ts'), 'utf8')
    .replace("import { jest } from '@jest/globals'", "import { vi } from 'vitest'")
    .replaceAll('jest.', 'vi.')
  writeFileSync(join(folder, 'timers.spec.ts'), timers)
}

interface Result {
  numPassedTests: number
  numFailedTests: number
  testResults: { message: string; assertionResults: { title: string; status: string; failureMessages: string[] }[] }[]
}

/** Runs a script of Node's in the home, and resolves with what it has printed. */
const run = (args: string[]) =>
  new Promise<{ out: string; err: string }>((done) => {
    const env = { ...process.env, NODE_OPTIONS: '', VITEST: '', CI: 'true', FORCE_COLOR: '0' }
    execFile(process.execPath, args, { cwd: home, env, maxBuffer: 2 ** 24 }, (_, out, err) => done({ out, err }))
  })

/** Numbers of tests, and what has gone wrong. */
const summaryOf = ({ out, err }: { out: string; err: string }) => {
  const start = out.indexOf('{"num')
  if (start < 0) throw new Error(`${out}\n${err}`)
  const { numPassedTests, numFailedTests, testResults } = JSON.parse(out.slice(start)) as Result
  const failures = testResults.flatMap(({ message, assertionResults }) => [
    ...(assertionResults.length ? [] : [message]),
    ...assertionResults.flatMap(({ title, failureMessages }) => failureMessages.map((text) => `${title}: ${text}`)),
  ])
  const warnings = err.split('\n').filter((line) => /Warning/.test(line) && !line.includes('VM Modules'))
  return { passed: numPassedTests, failed: numFailedTests, failures, warnings }
}

const jest = async (environment: string, ...rest: string[]) =>
  summaryOf(
    await run([
      '--experimental-vm-modules',
      'node_modules/jest/bin/jest.js',
      '--json',
      '--runInBand',
      '--modulePathIgnorePatterns',
      vitestFolder,
      '--env',
      environment,
      ...rest,
    ]),
  )

const vitest = async (environment: string, ...files: string[]) =>
  summaryOf(
    await run([
      'node_modules/vitest/vitest.mjs',
      'run',
      '--globals',
      '--reporter=json',
      '--dir',
      vitestFolder,
      '--environment',
      environment,
      ...files,
    ]),
  )

const good = (passed: number) => ({ passed, failed: 0, failures: [], warnings: [] })
const withoutDom = ['server', 'timers']

describe('Jest, with ES modules', { concurrent: true, timeout: 120_000 }, () => {
  test('jsdom, with the fetch of Node (jest-fixed-jsdom)', async ({ expect: local }) => {
    local(await jest('jest-fixed-jsdom')).toEqual(good(9))
  })

  test('happy-dom, with BroadcastChannel', async ({ expect: local }) => {
    local(await jest('./happy-dom.mjs')).toEqual(good(9))
  })

  test('node', async ({ expect: local }) => {
    local(await jest('node', ...withoutDom)).toEqual(good(7))
  })

  test('jest-environment-jsdom as it is: without fetch, a component can be tested', async ({ expect: local }) => {
    local(await jest('jest-environment-jsdom', 'account', '-t', 'shows the user')).toEqual(good(1))
  })
})

describe('Vitest', { concurrent: true, timeout: 120_000 }, () => {
  test.each(['jsdom', 'happy-dom'])('%s', async (environment) => {
    expect(await vitest(environment)).toEqual(good(9))
  })

  test('node', async ({ expect: local }) => {
    local(await vitest('node', ...withoutDom)).toEqual(good(7))
  })
})

test('their types hold', { timeout: 60_000 }, () => {
  const files = readdirSync(app).filter((name) => /\.tsx?$/.test(name))
  const program = ts.createProgram(
    [...files, 'node_modules/vitest/globals.d.ts'].map((name) => join(home, name)),
    {
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
      target: ts.ScriptTarget.ES2022,
      lib: ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
      types: [],
      jsx: ts.JsxEmit.ReactJSX,
      strict: true,
      exactOptionalPropertyTypes: true,
      allowImportingTsExtensions: true,
      skipLibCheck: true,
      noEmit: true,
    },
  )
  const problems = ts.getPreEmitDiagnostics(program)
  expect(problems.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).toEqual([])
})

test.each(['jest.config.mjs', 'happy-dom.mjs'])('the guide shows %s as it is', (name) => {
  const guide = readFileSync(join(root, 'demo/guide/testing.md'), 'utf8')
  const [, shown] = guide.split(`\`\`\`js\n// ${name}\n`)
  expect(shown?.split('```')[0]).toBe(readFileSync(join(app, name), 'utf8'))
})
