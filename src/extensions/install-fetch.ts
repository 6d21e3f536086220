// The opt-in patch of a page's fetch, so that code you don't own takes part. Other code that wraps fetch later keeps what it
// wrapped: undone out of order, this patch just passes requests through.

import { internalsKey, type SessionInternals } from '../request/internals.ts'
import { standInFor } from '../runtime/globals.ts'
import type { Fetch, Undo } from '../seam/io.ts'
import type { Session } from '../face.ts'

export interface FetchTarget {
  fetch: Fetch
}

interface Patch {
  /** What the patch has replaced. */
  readonly below: Fetch
  readonly undo: Undo
}

const patchesOf = new WeakMap<object, Map<FetchTarget, Patch>>()

/**
 * Patches `target.fetch`, of this global by default. A second call for the same target changes nothing.
 *
 * @returns what undoes it; `session.dispose()` does, too.
 * @example
 * const undo = installFetch(session)
 */
export function installFetch(session: Pick<Session, 'fetch'>, target?: FetchTarget): Undo {
  const { setTransport, disposed, global } = (session as unknown as { [internalsKey]: SessionInternals })[internalsKey]
  const patches = patchesOf.get(session) ?? new Map<FetchTarget, Patch>()
  patchesOf.set(session, patches)
  return patch(target ?? global)

  function patch(place: FetchTarget): Undo {
    const existing = patches.get(place)
    if (existing) return existing.undo
    const previous = place.fetch
    const below: Fetch = (input, init) => previous.call(place, input, init)
    let isOn = true
    const forward: Fetch = (input, init) => (isOn ? session.fetch : below)(input, init)
    const patched = standInFor(previous, forward)

    function undo(): void {
      if (isOn) {
        patches.delete(place)
        setTransport([...patches.values()].at(-1)?.below)
      }
      isOn = false
      if (place.fetch === patched) place.fetch = previous
      disposed.removeEventListener('abort', undo)
    }

    place.fetch = patched
    patches.set(place, { below, undo })
    setTransport(below)
    disposed.addEventListener('abort', undo)
    return undo
  }
}
