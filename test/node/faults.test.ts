// Keeps test/FAULTS.md in step with the tests: each number has a row, each row names a test file that is there, or says why not.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const folder = join(import.meta.dirname, '..')
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
  const silent = rows.filter(({ said }) => !/(tabs|node|browser)\/|^none.*: |^the same/.test(said))
  expect(silent).toEqual([])
})

test('every test file that is named is there', () => {
  const named = rows.flatMap(({ said }) =>
    [...said.matchAll(/\b(?:tabs|node|browser)\/[a-z-]+/g)].map(([name]) => name),
  )
  expect(named.filter((name) => !existsSync(join(folder, `${name}.test.ts`)))).toEqual([])
})
