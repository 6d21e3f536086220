// The opt-in patch of a page's fetch. Whoever wraps it later keeps what it wrapped: undone out of order, ours just passes through.

import type { Undo } from '../ports.ts'
import type { Fetch } from './intercept.ts'

interface Target {
  fetch: typeof fetch
}

export interface Install {
  (target: Target): Undo
  /** All of them. */
  undo: Undo
  /** What fetch was before it was patched. */
  readonly below: typeof fetch | undefined
}

export function createInstall(ours: Fetch): Install {
  const undos = new Map<Target, Undo>()
  let below: typeof fetch | undefined

  function install(target: Target): Undo {
    const done = undos.get(target)
    if (done) return done
    const previous = target.fetch
    const passThrough: typeof fetch = (input, init) => previous.call(target, input, init)
    let isOn = true
    const patched: typeof fetch = (input, init) => (isOn ? ours(input, init) : passThrough(input, init))
    target.fetch = patched
    below = passThrough

    const undo = (): void => {
      if (!isOn) return
      isOn = false
      undos.delete(target)
      if (target.fetch === patched) target.fetch = previous
      if (below === passThrough) below = undefined
    }
    undos.set(target, undo)
    return undo
  }

  return Object.defineProperties(install, {
    below: { get: () => below },
    undo: { value: () => undos.forEach((undo) => undo()) },
  }) as Install
}
