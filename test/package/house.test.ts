// Keeps src/ the house that the design draws: which file may know which, and who may touch the world.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { entry } from '../../tsup.config.ts'

// From the roof down; `x/*` is a folder, and of several patterns the longest counts. A file imports from floors below its own,
// and from its own only types.
const floors = [
  { name: 'roof', files: ['global', 'index', 'testing', 'testing/server'] },
  { name: 'for the tests of an app', files: ['testing/*'] },
  { name: 'parts of that', files: ['testing/locks', 'testing/shared'] },
  {
    name: 'what an app adds',
    files: ['adapters/*', 'backends/*', 'extensions/*', 'expired', 'debug', 'devtools', 'explain'],
  },
  { name: 'tools: the element', files: ['devtools/element'] },
  { name: 'what it shows', files: ['devtools/recorder', 'devtools/view'] },
  { name: 'how that is drawn', files: ['devtools/draw', 'devtools/under'] },
  { name: 'its parts', files: ['devtools/lanes', 'devtools/rows'] },
  { name: 'where they go', files: ['devtools/phases', 'devtools/stage'] },
  { name: 'in numbers', files: ['devtools/*'] },
  {
    name: 'tools: what they put together',
    files: ['debug/mistakes', 'debug/narrator', 'debug/start', 'debug/timing'],
  },
  { name: 'parts of that', files: ['debug/explain', 'debug/talks'] },
  { name: 'what they remember', files: ['debug/history', 'debug/outage', 'debug/reach'] },
  { name: 'what they say and know', files: ['debug/*'] },
  {
    name: 'parts of that',
    files: [
      'adapters/oauth2/redirect/*',
      'adapters/selection/*',
      'backends/bearer/*',
      'backends/clerk/*',
      'backends/cookie/*',
      'backends/from-tokens/*',
      'backends/oauth2/*',
      'backends/supertokens/*',
      'backends/workos/*',
      'extensions/socket/*',
    ],
  },
  { name: 'what two of them share', files: ['extensions/streams/stream'] },
  { name: 'what that stands on', files: ['extensions/streams/*'] },
  { name: 'the session, put together', files: ['session', 'face'] },
  {
    name: 'what goes on in it',
    files: [
      'kernel',
      'request/act',
      'request/decide',
      'request/intercept',
      'request/prepare',
      'request/send',
      'request/send-alone',
      'request/waiting',
      'refresh/queue',
      'refresh/schedule',
      'session/renew',
      'session/restore',
      'session/tokens',
    ],
  },
  {
    name: 'what is done there',
    files: ['refresh/exchange', 'refresh/refresh', 'session/sign-in', 'session/sign-out', 'request/refused-routes'],
  },
  {
    name: 'what is shared there',
    files: ['refresh/*', 'session/*', 'request/hooks', 'request/trip', 'context', 'options', 'runtime/runtime'],
  },
  {
    name: 'kits',
    files: ['backends/kit', 'session/answers', 'extensions/xhr/*', 'request/*', 'storage/resilient', 'storage/local'],
  },
  { name: 'storages', files: ['backends/kit/*', 'storage/*', 'request/replayable'] },
  {
    name: 'the world',
    files: ['runtime/*', 'backends/kit/news', 'storage/vault', 'storage/storage', 'request/body', 'internals'],
  },
  { name: 'its globals', files: ['runtime/globals', 'runtime/ports'] },
  { name: 'the seam', files: ['seam/*'] },
  { name: 'what the core decides', files: ['state/plan', 'state/verdict', 'state/changes', 'state/session-changes'] },
  { name: 'what it changes', files: ['state/steps', 'state/view'] },
  { name: 'what it knows', files: ['state/*'] },
  { name: 'what failures mean', files: ['failures', 'known-options', 'answer-names'] },
  { name: 'ground', files: ['errors', 'parse-url', 'nearest'] },
]

// The only values that pass between files of one floor.
const stairs = ['global > index']

// Who may import a package. One that is missing here may be imported by nobody.
const packages: Record<string, string[]> = {
  '@angular/common/http': ['adapters/angular-http'],
  '@angular/core': ['adapters/angular'],
  eventsource: ['adapters/event-source'],
  'jwt-decode': ['state/credentials'],
  ky: ['adapters/ky'],
  mitt: ['session/events'],
  oauth4webapi: ['adapters/oauth2/redirect/server', 'adapters/oauth2/redirect/request'],
  msw: ['testing/server'],
  react: ['adapters/react'],
  rxjs: ['adapters/angular-http'],
  'solid-js': ['adapters/solid'],
  svelte: ['adapters/svelte'],
  'svelte/reactivity': ['adapters/svelte'],
  vue: ['adapters/vue'],
}

// Syntax and data that every runtime has and no test needs to replace. All other globals belong to runtime/.
const plain = [
  'AbortController AbortSignal Array ArrayBuffer Blob Boolean DOMException Error EvalError File FormData Headers Infinity',
  'JSON Map Math NaN Number Object Promise Proxy RangeError Reflect RegExp Request Response ReadableStream Set String',
  'Symbol SyntaxError TextDecoder TextDecoderStream TextEncoder TypeError URL URLSearchParams Uint32Array Uint8Array WeakMap WeakRef WeakSet',
  'decodeURIComponent encodeURIComponent isNaN parseFloat parseInt undefined',
].flatMap((line) => line.split(' '))

// Where a name is plain only in part.
const pureParts = ['Date.parse']
const impureParts = ['Math.random']

// What the pure core may not have even so.
const impure = ['AbortController', 'AbortSignal', 'Promise', 'Request', 'Response', 'ReadableStream', 'WeakRef']

const longest = 250

const root = join(import.meta.dirname, '../..')
const source = join(root, 'src')
const names = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => path.endsWith('.ts'))
  .map((path) => path.replace(/\.ts$/, ''))

const config = ts.getParsedCommandLineOfConfigFile(join(root, 'tsconfig.json'), undefined, {
  ...ts.sys,
  onUnRecoverableConfigFileDiagnostic: ({ messageText }) => {
    throw new Error(ts.flattenDiagnosticMessageText(messageText, '\n'))
  },
})!
const program = ts.createProgram(
  names.map((name) => join(source, `${name}.ts`)),
  config.options,
)
const checker = program.getTypeChecker()

const matches = (name: string, pattern: string) =>
  pattern.endsWith('/*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern
const floorOf = (name: string) => {
  const patterns = floors.flatMap(({ files }, floor) => files.map((pattern) => ({ pattern, floor })))
  const fitting = patterns.filter(({ pattern }) => matches(name, pattern))
  return fitting.toSorted((a, b) => b.pattern.length - a.pattern.length)[0]?.floor ?? -1
}

interface Import {
  from: string
  to: string
  isType: boolean
}

const inside = (from: string, specifier: string) => {
  const path = new URL(specifier, `file:///${from}`).pathname.slice(1)
  return path.replace(/\.[jt]s$/, '')
}

const importsOf = (name: string, file: ts.SourceFile): Import[] => {
  const found: Import[] = []
  const add = (specifier: ts.Node | undefined, isType: boolean) => {
    if (!specifier || !ts.isStringLiteral(specifier)) return
    const { text } = specifier
    found.push({ from: name, to: text.startsWith('.') ? inside(name, text) : `package ${text}`, isType })
  }
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      add(node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword)
    } else if (ts.isExportDeclaration(node)) {
      add(node.moduleSpecifier, node.isTypeOnly)
    } else if (ts.isImportTypeNode(node)) {
      add(ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined, true)
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0], false)
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return found
}

const isName = (node: ts.Identifier) => {
  const { parent } = node
  return (
    (ts.isPropertyAccessExpression(parent) && parent.name === node) ||
    (ts.isBindingElement(parent) && parent.propertyName === node) ||
    (ts.isPropertyAssignment(parent) && parent.name === node) ||
    ts.isImportSpecifier(parent) ||
    ts.isExportSpecifier(parent)
  )
}

const isGlobal = (node: ts.Identifier) => {
  const symbol = ts.isShorthandPropertyAssignment(node.parent)
    ? checker.getShorthandAssignmentValueSymbol(node.parent)
    : checker.getSymbolAtLocation(node)
  const declarations = symbol?.declarations ?? []
  return declarations.every((declaration) => program.isSourceFileDefaultLibrary(declaration.getSourceFile()))
}

/** The globals a file uses as values, and the keyword that makes promises. */
const worldIn = (file: ts.SourceFile): string[] => {
  const found = new Set<string>()
  const visit = (node: ts.Node): void => {
    if (ts.isHeritageClause(node)) {
      if (ts.isClassLike(node.parent)) node.types.forEach((type) => visit(type.expression))
      return
    }
    if (ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return
    if (node.kind === ts.SyntaxKind.AsyncKeyword || ts.isAwaitExpression(node)) found.add('async')
    if (ts.isPropertyAccessExpression(node)) {
      const access = node.getText(file)
      if (pureParts.includes(access)) return
      if (impureParts.includes(access)) found.add(access)
    }
    if (ts.isIdentifier(node) && !isName(node) && isGlobal(node)) found.add(node.text)
    ts.forEachChild(node, visit)
  }
  visit(file)
  return [...found].toSorted()
}

const files = names.map((name) => {
  const file = program.getSourceFile(join(source, `${name}.ts`))!
  return {
    name,
    file,
    imports: importsOf(name, file),
    world: worldIn(file),
    lines: file.text.trimEnd().split('\n').length,
  }
})
const imports = files.flatMap((file) => file.imports)
const withinSrc = imports.filter(({ to }) => !to.startsWith('package '))
const show = ({ from, to, isType }: Import) => `${from} ${isType ? 'takes types from' : 'imports'} ${to}`

test('every file stands on a floor', () => {
  expect(names.length).toBeGreaterThan(0)
  expect(names.filter((name) => floorOf(name) < 0)).toEqual([])
})

test('imports go down', () => {
  expect(withinSrc.filter(({ from, to }) => floorOf(to) < floorOf(from)).map(show)).toEqual([])
})

test('sideways go types only, and values down the stairs', () => {
  const wrong = withinSrc.filter(
    ({ from, to, isType }) => !isType && floorOf(from) === floorOf(to) && !stairs.includes(`${from} > ${to}`),
  )
  expect(wrong.map(show)).toEqual([])
})

test('no file leads back to itself, not even by types', () => {
  const circles: string[] = []
  const done = new Set<string>()
  const walk = (name: string, path: string[]): void => {
    if (path.includes(name)) circles.push([...path.slice(path.indexOf(name)), name].join(' > '))
    if (done.has(name) || path.includes(name)) return
    withinSrc.filter(({ from }) => from === name).forEach(({ to }) => walk(to, [...path, name]))
    done.add(name)
  }
  names.forEach((name) => walk(name, []))
  expect(circles).toEqual([])
})

test('packages are imported where they belong', () => {
  const wrong = imports.filter(({ from, to }) => {
    const [, name] = /^package (.+)$/.exec(to) ?? []
    return name !== undefined && !packages[name]?.some((pattern) => matches(from, pattern))
  })
  expect(wrong.map(show)).toEqual([])
})

test.each([
  'context',
  'extensions/socket/face',
  'face',
  'refresh/operation',
  'runtime/ports',
  'seam/backend',
  'seam/extension',
  'seam/io',
  'seam/trace',
  'storage/storage',
])('%s is types only', (name) => {
  const { outputText } = ts.transpileModule(readFileSync(join(source, `${name}.ts`), 'utf8'), {
    compilerOptions: { ...config.options, removeComments: true, sourceMap: false },
  })
  expect(outputText.trim()).toBe('export {};')
})

test('nothing is loaded by import() at run time', () => {
  const loading = files.filter(({ file }) => /\bimport\(/.test(file.text.replace(/^\s*(\/\/|\*|\/\*).*$/gm, '')))
  expect(loading.map(({ name }) => name)).toEqual([])
})

test(`no file is over ${longest} lines`, () => {
  expect(files.filter(({ lines }) => lines > longest).map(({ name, lines }) => `${name}: ${lines}`)).toEqual([])
})

// An element of a page is of that page.
const ofPage = ['devtools', 'devtools/element', 'devtools/view']

test('only runtime/ touches the world, and what is an element of a page', () => {
  const wrong = files
    // What plays the world for tests is made of it.
    .filter(({ name }) => !matches(name, 'runtime/*') && !matches(name, 'testing/*') && !ofPage.includes(name))
    .flatMap(({ name, world }) =>
      world.filter((used) => used !== 'async' && !plain.includes(used)).map((used) => `${name}: ${used}`),
    )
  expect(wrong).toEqual([])
})

test('the core knows no clock, no promise and no transport', () => {
  const wrong = files
    .filter(({ name }) => matches(name, 'state/*'))
    .flatMap(({ name, world }) =>
      world.filter((used) => impure.includes(used) || !plain.includes(used)).map((used) => `${name}: ${used}`),
    )
  expect(wrong).toEqual([])
})

test('every public entry has its source, and every backend and extension its entry', () => {
  const missing = Object.values(entry).filter((path) => !existsSync(join(root, path)))
  expect(missing).toEqual([])
  const hidden = names.filter((name) => /^backends\/[^/]+$/.test(name) && !(`./${name}` in manifest.exports))
  expect(hidden).toEqual([])
  const sources = Object.values(entry)
  const unlisted = names.filter((name) => /^extensions\/[^/]+$/.test(name) && !sources.includes(`src/${name}.ts`))
  expect(unlisted).toEqual([])
})
