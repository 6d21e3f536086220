// Requests that waited set out in the order they came, and not all at once: Chromium fails requests beyond some 1,400 at once,
// and a server that was just away shall not meet them in one wave.

import type { Undo } from '../seam/io.ts'
import { abortable } from '../runtime/wait.ts'

export interface Limiter {
  /** Resolves when the request may set out. @throws what aborted the signal. */
  enter(signal: AbortSignal | null | undefined): Promise<void>
  /** A request has its answer: the next one may set out. */
  leave: Undo
}

// As many as one HTTP/2 connection carries, as a rule.
const MAX_AT_ONCE = 100

export function createLimiter(): Limiter {
  let atOnce = 0
  const queue = new Set<Undo>()

  function leave(): void {
    const [startNext] = queue
    if (!startNext) {
      atOnce--
      return
    }
    queue.delete(startNext)
    startNext()
  }

  async function enter(signal: AbortSignal | null | undefined): Promise<void> {
    if (atOnce < MAX_AT_ONCE) {
      atOnce++
      return
    }
    let start!: Undo
    const started = new Promise<void>((resolve) => (start = resolve))
    queue.add(start)
    try {
      await abortable(started, signal)
    } catch (reason) {
      const wasStarted = !queue.delete(start)
      if (wasStarted) leave()
      throw reason
    }
  }

  return { enter, leave }
}
