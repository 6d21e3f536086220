// Times things side by side: in turns, so that whatever else the machine does meets all alike, and by the median round.

export type Contender = [name: string, run: () => unknown]

/** Both in µs per call. */
export interface Timing {
  name: string
  each: number
  /** Over the first one. */
  own: number
  ratio: number
}

const ROUNDS = 60

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!

/** @param calls In one round, of each: enough to be long against the clock's grain. */
export async function sideBySide(calls: number, contenders: Contender[]): Promise<Timing[]> {
  const rounds = contenders.map((): number[] => [])
  for (let round = -10; round < ROUNDS; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const nth = (turn + ROUNDS + round) % contenders.length
      const [, run] = contenders[nth]!
      const start = performance.now()
      for (let call = 0; call < calls; call++) await run()
      if (round >= 0) rounds[nth]!.push(((performance.now() - start) * 1000) / calls)
    }
    // What a page or a process does in between is not to be counted among the calls.
    await new Promise((done) => setTimeout(done))
  }
  // A round against the same round of the first one: a slow moment is slow for both.
  const [base] = rounds as [number[]]
  return contenders.map(([name], nth) => ({
    name,
    each: median(rounds[nth]!),
    own: median(rounds[nth]!.map((us, round) => us - base[round]!)),
    ratio: median(rounds[nth]!.map((us, round) => us / base[round]!)),
  }))
}

export function print(title: string, timings: Timing[]): void {
  const line = ({ name, each, own, ratio }: Timing): string =>
    `${name.padEnd(44)}${each.toFixed(3).padStart(10)}${own.toFixed(3).padStart(10)}${ratio.toFixed(2).padStart(9)} x`
  console.log([`${title.padEnd(44)}   µs each   its own     ratio`, ...timings.map(line)].join('\n'))
}
