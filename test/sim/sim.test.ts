// Schedules that a seed makes: tabs, a lossy network, clocks and page lives at random, and oracles that look on. More of them, or
// one with its notes: SIM_SEEDS=20000 or SEED=4711, before npx vitest run --project node test/sim/sim.test.ts

import { describe, expect, test } from 'vitest'
import { type Mutant, MUTANTS, sdkOf } from './mutants.ts'
import { simulate } from './simulate.ts'
import type { Result } from './stage.ts'

const SEED = process.env['SEED']
const SEEDS = Number(process.env['SIM_SEEDS'] ?? 300)
/** Within as many each mutant shows. */
const MOST_SEEDS = 2000
const LONG = 600_000

const sdk = await sdkOf()

const told = ({ seed, violation }: Result): string | null =>
  violation && `${violation}; replay: SEED=${seed} npx vitest run --project node test/sim/sim.test.ts`

/** Whether an oracle that the mutant names notices it. */
const isCaught = ({ oracles }: Mutant, { violation }: Result): boolean =>
  oracles.some((oracle) => violation?.startsWith(`${oracle} `))

test.runIf(SEED)('the seed, with its notes', { timeout: LONG }, async () => {
  const result = await simulate(Number(SEED), sdk, true)
  process.stdout.write(`${result.trace.join('\n')}\n`)
  expect(told(result)).toBe(null)
})

describe.skipIf(SEED)('schedules', () => {
  test(`in ${SEEDS} of them no oracle finds anything`, { timeout: LONG }, async () => {
    const wrong: (string | null)[] = []
    for (let seed = 0; seed < SEEDS; seed++) wrong.push(told(await simulate(seed, sdk)))
    expect(wrong.filter(Boolean)).toEqual([])
  })

  test('the same seed is the same schedule, another is another', async () => {
    const hashes = new Set<string>()
    for (let seed = 0; seed < 20; seed++) {
      const [once, again] = [await simulate(seed, sdk, true), await simulate(seed, sdk, true)]
      expect(again).toEqual(once)
      hashes.add(once.hash)
    }
    expect(hashes.size).toBe(20)
  })

  test.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))(
    'mutant: %s',
    { timeout: LONG },
    async (_, mutant) => {
      const changed = await sdkOf(mutant)
      if (isCaught(mutant, await simulate(mutant.seed, changed))) return
      for (let seed = 0; seed < MOST_SEEDS; seed++) if (isCaught(mutant, await simulate(seed, changed))) return
      expect.unreachable(`not in ${MOST_SEEDS} schedules`)
    },
  )

  test('a mutant whose line is gone says so', async () => {
    const mutant: Mutant = { ...MUTANTS[0]!, replace: 'a line that nobody wrote' }
    await expect(sdkOf(mutant)).rejects.toThrow('not exactly once in runtime/locks.ts')
  })
})
