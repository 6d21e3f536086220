// What extensions cost the type checker: a program whose session has none, and one whose session has thirty, in turn. Both define
// all thirty, so that only their use differs. Checks against the built declarations, as users do.

import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = fileURLToPath(new URL('../..', import.meta.url))
const COUNT = 30
const WARM_UP = 20
const ROUNDS = 400

const names = Array.from({ length: COUNT }, (_, nth) => `extension${nth}`)

const define = (name) =>
  `const ${name} = { name: '${name}', setup: (_: object) => ({ judge: (_: object) => undefined }) }`

const program = (used) => `
import { createSession, defineBackend } from 'resesh'
${names.map(define).join('\n')}
export const all = [${names.join()}]
const backend = defineBackend({ refresh: async () => null })
export const session = createSession({ backend, use: [${used.join()}] })
export const response: Promise<Response> = session.fetch('/api/items')
export const token: Promise<string | null> = session.getToken()
export const status: 'loading' | 'authenticated' | 'unauthenticated' = session.current.status
`

const options = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  lib: ['lib.es2022.d.ts', 'lib.esnext.disposable.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
  types: [],
  strict: true,
  skipLibCheck: true,
  noEmit: true,
  paths: { resesh: [`${root}dist/index.d.ts`], 'resesh/*': [`${root}dist/*.d.ts`] },
}

// Libraries are read and parsed once, for both: what is compared is the checker.
const plain = ts.createCompilerHost(options)
const parsed = new Map()

function check(text) {
  const file = `${root}test/bench/generated.ts`
  const host = {
    ...plain,
    fileExists: (path) => path === file || plain.fileExists(path),
    readFile: (path) => (path === file ? text : plain.readFile(path)),
    getSourceFile(path, ...rest) {
      if (path === file) return ts.createSourceFile(path, text, options.target, true)
      if (!parsed.has(path)) parsed.set(path, plain.getSourceFile(path, ...rest))
      return parsed.get(path)
    },
  }
  const built = ts.createProgram([file], options, host)
  const start = performance.now()
  built.getTypeChecker()
  const ready = performance.now()
  const found = [...built.getSyntacticDiagnostics(), ...built.getSemanticDiagnostics()]
  const end = performance.now()
  if (found.length) throw new Error(ts.formatDiagnostics(found, plain))
  return { checks: end - ready, all: end - start, types: built.getTypeCount(), made: built.getInstantiationCount() }
}

const contenders = [program([]), program(names)]
const rounds = []
for (let round = -WARM_UP; round < ROUNDS; round++) {
  const took = []
  // By chance, so that the garbage of one is not always collected in the time of the other.
  for (const nth of Math.random() < 0.5 ? [0, 1] : [1, 0]) took[nth] = check(contenders[nth])
  if (round >= 0) rounds.push(took)
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]
const each = (nth, part) => median(rounds.map((took) => took[nth][part]))
const ratio = (part) => median(rounds.map(([none, thirty]) => thirty[part] / none[part]))

const line = (name, ...cells) => `  ${name.padEnd(42)}${cells.map((cell) => cell.padStart(12)).join('')}`
const row = (name, nth) =>
  line(
    name,
    ...['checks', 'all'].map((part) => each(nth, part).toFixed(2)),
    `${each(nth, 'types')}`,
    `${each(nth, 'made')}`,
  )
console.log(
  [
    line('Type checker: extensions in use', 'ms, checks', 'with set-up', 'types', 'instances'),
    row('none', 0),
    row(`${COUNT}`, 1),
    line('ratio', ...['checks', 'all', 'types', 'made'].map((part) => ratio(part).toFixed(3))),
    '  goal: ratio 1.05',
  ].join('\n'),
)
