// Those that waited set out in the order they came, and not all at once: Chromium fails what goes beyond some 1,400, and a
// server that was just away shall not meet them in one wave.

import type { Undo } from '../ports.ts'
import { orAborted } from '../wait.ts'

export interface Gate {
  /** Resolves when it may set out. @throws what aborted the signal. */
  enter(signal: AbortSignal | null | undefined): Promise<void>
  /** Its answer is there: the next one, please. */
  leave: Undo
}

/** As many as one HTTP/2 connection carries, as a rule. */
const MOST = 100

export function createGate(): Gate {
  let out = 0
  const queue = new Set<Undo>()
  const leave = (): void => {
    const [next] = queue
    if (!next) return void out--
    queue.delete(next)
    next()
  }
  return {
    leave,
    async enter(signal) {
      if (out < MOST) return void out++
      let go!: Undo
      const turn = new Promise<void>((resolve) => queue.add((go = resolve)))
      await orAborted(turn, signal).catch((reason: unknown) => {
        if (!queue.delete(go)) leave() // it had its turn already
        throw reason
      })
    },
  }
}
