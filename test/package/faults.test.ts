// Keeps test/FAULTS.md in step with the tests: each number has a row, each row names a test file that is there, or says why not.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const folder = join(import.meta.dirname, '..')
const folders = readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? entry.name : []))
const aTest = `\\b(?:${folders.join('|')})(?:/[\\w-]+)+(?:\\.[a-z]+)?`
const rows = readFileSync(join(folder, 'FAULTS.md'), 'utf8')
  .split('\n')
  .flatMap((line) => {
    const [, number, said] = /^\| (\d+) \|[^|]*\| (.*) \|$/.exec(line) ?? []
    return number ? [{ number: Number(number), said: said! }] : []
  })

test('every fault from 41 to 104 has one row', () => {
  expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 64 }, (_, place) => 41 + place))
})

test('every row names a test, or says why there is none', () => {
  const silent = rows.filter(({ said }) => !new RegExp(`${aTest}|^none.*: |^the same`).test(said))
  expect(silent).toEqual([])
})

test('every test file that is named is there', () => {
  const named = rows.flatMap(({ said }) => [...said.matchAll(new RegExp(aTest, 'g'))].map(([name]) => name))
  expect(named.filter((name) => !existsSync(join(folder, `${name}.test.ts`)))).toEqual([])
})
