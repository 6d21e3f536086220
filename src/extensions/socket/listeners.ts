// Who listens to a socket. A listener that throws, or whose promise rejects, harms nobody.

import type { Undo } from '../../seam/io.ts'

export interface Listeners<Events> {
  on<E extends keyof Events>(event: E, listener: (event: Events[E]) => unknown): Undo
  emit<E extends keyof Events>(event: E, detail: Events[E]): void
}

/** @param report Told of what a listener threw. */
export function createListeners<Events>(report: (event: keyof Events, cause: unknown) => void): Listeners<Events> {
  const listeners = new Map<keyof Events, Set<(detail: never) => unknown>>()
  return {
    on(event, listener) {
      const set = listeners.get(event) ?? new Set()
      listeners.set(event, set)
      // The same function may be there twice, and each is ended by itself.
      const own = (detail: Parameters<typeof listener>[0]): unknown => listener(detail)
      set.add(own)
      return () => set.delete(own)
    },
    emit(event, detail) {
      for (const listener of listeners.get(event) ?? [])
        // The promise catches both: what the listener throws now, and what it rejects with later.
        new Promise((done) => done(listener(detail as never))).catch((cause: unknown) => report(event, cause))
    },
  }
}
