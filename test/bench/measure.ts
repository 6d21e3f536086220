// Times things side by side. Short blocks in turn, so that whatever else the machine does meets all alike, and the median of
// what each round says, so that a round that was disturbed counts for no more than any other.

export type Contender = [name: string, run: () => unknown]

/** In µs per call. */
export interface Timing {
  name: string
  each: number
  /** Over the first one, which is the base line. */
  own: number
  /** To the first one. */
  ratio: number
}

// Enough for the compilers to have settled.
const WARM_UP = 60
const ROUNDS = 300

export const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!

/** @param calls In one block: long against the clock's grain, and short against what disturbs a machine. */
export async function sideBySide(calls: number, contenders: Contender[]): Promise<Timing[]> {
  const block = async (nth: number): Promise<number> => {
    const [, run] = contenders[nth]!
    const start = performance.now()
    for (let call = 0; call < calls; call++) await run()
    return ((performance.now() - start) * 1000) / calls
  }
  const blocks = contenders.map((): number[] => [])
  const turns = contenders.map((_, nth) => nth)
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    // Nobody is always the first, nor always behind the same one.
    if (round % 2) turns.reverse()
    else turns.push(turns.shift()!)
    // What a page or a process does in between is not to be counted among the calls, nor what the first after it finds cold.
    await new Promise((done) => setTimeout(done))
    await block(0)
    for (const turn of turns) {
      const us = await block(turn)
      if (round >= 0) blocks[turn]!.push(us)
    }
  }
  // A block against the base line's block of the same round: a slow moment is slow for both.
  const [base] = blocks as [number[]]
  return contenders.map(([name], nth) => ({
    name,
    each: median(blocks[nth]!),
    own: median(blocks[nth]!.map((us, round) => us - base[round]!)),
    ratio: median(blocks[nth]!.map((us, round) => us / base[round]!)),
  }))
}

const WHERE = typeof document === 'undefined' ? 'Node' : 'Chromium'

/** Prints a table. `own` is what a contender costs over the base line, the first row. */
export function print(title: string, timings: Timing[], ...below: string[]): void {
  const row = (name: string, each: string, own: string): string =>
    `  ${name.padEnd(42)}${each.padStart(10)}${own.padStart(10)}`
  const rows = timings.map(({ name, each, own }, nth) => row(name, each.toFixed(2), nth ? own.toFixed(2) : ''))
  console.log(
    [row(`${WHERE}: ${title}`, 'µs each', 'its own'), ...rows, ...below.map((line) => `  ${line}`)].join('\n'),
  )
}

/** What is aimed at, to be read beside what was measured. Nothing fails by it: no two machines are the same. */
export const goal = (chromium: string, node: string): string => `goal: ${WHERE === 'Node' ? node : chromium}`

/** `naive 0.5 | peer 1.0 | resesh 2.5` */
export const inOneLine = (timings: Timing[], names: string[]): string =>
  names.map((name) => `${name} ${timings.find((timing) => timing.name === name)!.own.toFixed(1)}`).join(' | ')
