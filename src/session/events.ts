// Listeners over mitt, with the isolation that mitt lacks: a listener that throws, or whose promise rejects, harms nobody. A
// `trace` tells of it, since nothing here writes to the console.

import mitt from 'mitt'
import type { AnySessionError } from '../errors.ts'
import type { Undo } from '../seam/io.ts'
import type { Json } from '../state/credentials.ts'
import type { Reason } from '../state/record.ts'
import type { State } from '../state/view.ts'
import type { Source, Tell, Trace, Traces } from '../seam/trace.ts'

export type { Source }

export interface Events<U = Json, C = Json> {
  /** The state has changed. Told after the commit, and before any caller who waits for it goes on. */
  change: {
    current: State<U, C>
    previous: State<U, C>
    reason: Reason
    source: Source
    changed: readonly (keyof State<U, C>)[]
  }
  /** An error that no call could be told of: of a refresh in the background, or of code of the app that threw. */
  error: { error: AnySessionError }
  /** What happens inside, for timelines and bug reports: narrow it on `type`. Never a token. */
  trace: Trace
}

export interface Emitter<U, C> {
  on<E extends keyof Events<U, C>>(event: E, listener: (event: Events<U, C>[E]) => unknown): Undo
  emit<E extends keyof Events<U, C>>(event: E, detail: Events<U, C>[E]): void
  /** Whether anybody listens. */
  isHeard(event: keyof Events<U, C>): boolean
  /** On the way of every request ask {@link isHeard} first: then nothing has to be put together for nobody. */
  trace: Tell
  clear(): void
}

export function createEmitter<U, C>(now: () => number): Emitter<U, C> {
  const { on, off, emit, all } = mitt<{ [E in keyof Events<U, C>]: Events<U, C>[E] }>()

  const isHeard = (event: keyof Events<U, C>): boolean => !!all.get(event)?.length

  function trace<T extends keyof Traces>(type: T, detail: Traces[T]): void {
    if (isHeard('trace')) emit('trace', { ...detail, type, at: now() } as Trace)
  }

  return {
    on(event, listener) {
      function isolated(detail: Parameters<typeof listener>[0]): void {
        // The promise catches both: what the listener throws now, and what it rejects with later.
        new Promise((done) => done(listener(detail))).catch((error: unknown) => {
          if (event !== 'trace') trace('listener-failed', { event, error })
        })
      }
      on(event, isolated)
      return () => off(event, isolated)
    },
    emit,
    isHeard,
    trace,
    clear: () => all.clear(),
  }
}
