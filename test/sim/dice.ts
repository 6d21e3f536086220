// Chance that can be thrown again: the same seed, the same throws.

export interface Dice {
  /** In [0, 1). */
  (): number
  chance(probability: number): boolean
  between(low: number, high: number): number
  pick<T>(list: readonly T[]): T
  /** Dice of its own: what one part of the world throws changes nothing for the others. */
  fork(): Dice
}

export function createDice(seed: number): Dice {
  let state = seed | 0
  // mulberry32
  const dice = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return Object.assign(dice, {
    chance: (probability: number) => dice() < probability,
    between: (low: number, high: number) => low + dice() * (high - low),
    pick: <T>(list: readonly T[]) => list[Math.floor(dice() * list.length)]!,
    fork: () => createDice(Math.floor(dice() * 2 ** 32)),
  })
}
