// The opt-in patch of a page's fetch. Whoever wraps it later keeps what it wrapped: undone out of order, ours just passes through.

import type { Undo } from '../ports.ts'
import type { Fetch } from './intercept.ts'

export interface Target {
  fetch: typeof fetch
}

/** @param over Says what fetch is below the patch, and nothing once it is undone. */
export function createInstall(ours: Fetch, over: (below?: typeof fetch) => void): (target: Target) => Undo {
  const patches = new Map<Target, { below: typeof fetch; undo: Undo }>()
  return (target) => {
    const done = patches.get(target)
    if (done) return done.undo
    const previous = target.fetch
    const below: typeof fetch = (input, init) => previous.call(target, input, init)
    let isOn = true
    const patched: typeof fetch = (input, init) => (isOn ? ours : below)(input, init)
    const undo = (): void => {
      if (isOn) {
        patches.delete(target)
        over([...patches.values()].at(-1)?.below)
      }
      isOn = false
      if (target.fetch === patched) target.fetch = previous
    }
    target.fetch = patched
    patches.set(target, { below, undo })
    over(below)
    return undo
  }
}
