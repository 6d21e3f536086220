// The code of the guide's pages about frameworks, and of the README for React, is code: what is TypeScript compiles against src/,
// and what is a component of Vue or Svelte is taken by its compiler. Files of apps are left out: test/package/apps.test.ts compares
// them with the apps.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { compile as compileSvelte } from 'svelte/compiler'
import ts from 'typescript'
import { afterAll, expect, test } from 'vitest'
import { compileScript, parse as parseVue } from 'vue/compiler-sfc'
import { folder } from './support/bundle.ts'

const root = join(folder, '../..')
// Beside the apps, so that packages are found as there.
const cache = join(folder, `node_modules/.cache/resesh-guide-${process.pid}`)

const blocks = ['README.md', 'demo/guide/frameworks.md', 'demo/guide/server-rendering.md'].flatMap((page) => {
  const text = readFileSync(join(root, page), 'utf8').replaceAll(/^`[^`\n]+`:\n\n```.*?^```$/gms, '')
  return Array.from(text.matchAll(/^```(ts|tsx|vue|svelte)\n(.*?)^```$/gms), ([, kind = '', code = ''], nth) => ({
    kind,
    code,
    file: `${page.replaceAll(/\W/g, '-')}-${nth}.${kind}`,
    isOfGuide: page !== 'README.md',
  })).filter(({ kind, isOfGuide }) => isOfGuide || kind === 'tsx')
})

const shared = `
import type { Session } from 'resesh'
declare global {
  const session: Session
  interface ImportMeta { hot?: { data: Record<string, unknown> } }
}
`

afterAll(() => rmSync(cache, { recursive: true, force: true }))

test('every block of TypeScript compiles', { timeout: 120_000 }, () => {
  const scripts = blocks.filter(({ kind }) => kind.startsWith('ts'))
  const [session] = scripts.filter(({ isOfGuide }) => isOfGuide)
  const account = scripts.find(({ code }) => code.includes('function Account'))
  expect(session?.code).toContain('export const session')
  mkdirSync(cache, { recursive: true })
  const write = (name: string, code: string): string => {
    writeFileSync(join(cache, name), code)
    return join(cache, name)
  }
  const files = [
    write('shared.d.ts', shared),
    write('session.ts', session!.code),
    write('Account.tsx', account!.code),
    ...scripts.map(({ file, code }) => write(file, `${code}\nexport {}\n`)),
  ]
  const { config } = ts.readConfigFile(join(root, 'test/tsconfig.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, join(root, 'test'))
  const program = ts.createProgram(files, { ...options, noEmit: true, noUnusedLocals: false })
  const problems = ts.getPreEmitDiagnostics(program).map(({ start = 0, file, messageText }) => {
    const line = file?.getLineAndCharacterOfPosition(start).line ?? 0
    return `${file?.fileName.split('/').at(-1)}:${line + 1} ${ts.flattenDiagnosticMessageText(messageText, ' ')}`
  })
  expect(problems).toEqual([])
})

test('every component of Vue and Svelte compiles', () => {
  const components = blocks.filter(({ kind }) => ['vue', 'svelte'].includes(kind))
  expect(components.length).toBeGreaterThan(2)
  for (const { kind, code, file } of components) {
    if (kind === 'svelte') expect(compileSvelte(code, { filename: file }).warnings).toEqual([])
    else {
      const { descriptor, errors } = parseVue(code, { filename: file })
      expect(errors).toEqual([])
      expect(compileScript(descriptor, { id: 'guide', inlineTemplate: true }).content).toContain('.signOut()')
    }
  }
})
