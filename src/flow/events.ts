// Listeners over mitt, with the isolation it lacks: one that throws, or whose promise rejects, harms nobody. It is told of
// in a `trace`, since nothing here writes to the console.

import mitt from 'mitt'
import type { Json } from '../core/credentials.ts'
import type { Reason, State } from '../core/state.ts'
import type { AnySessionError, Challenge } from '../errors.ts'
import type { RequestView, Undo } from '../ports.ts'

export interface Events<U = Json, C = Json> {
  /** The state moved. After the commit, before whoever waits for it goes on. */
  change: {
    current: State<U, C>
    previous: State<U, C>
    reason: Reason
    source: 'this-tab' | 'other-tab' | 'server'
    changed: readonly (keyof State<U, C>)[]
  }
  /** A failure that no call could be told of, such as a refresh ahead that did not work. */
  error: { error: AnySessionError }
  /** A request needs more of the user. */
  'step-up': { challenge: Challenge; request: RequestView; resolve(): void; reject(): void }
  /**
   * The server has ended the session under a request, with this reason. Where somebody listens, the request waits: it goes on
   * once the same user has signed in again, and rejects if another has. `reject()` has it do without.
   */
  'sign-in-required': { reason: Reason; request: RequestView; reject(): void }
  /** What happens inside, for timelines and bug reports. Never a token. */
  trace: { type: string; at: number } & Json
}

export interface Emitter<U, C> {
  on<E extends keyof Events<U, C>>(event: E, listener: (event: Events<U, C>[E]) => unknown): Undo
  emit<E extends keyof Events<U, C>>(event: E, detail: Events<U, C>[E]): void
  isHeard(event: keyof Events<U, C>): boolean
  /** Answers whether anybody listens. */
  trace(type: string, detail?: Json): boolean
  clear(): void
}

export function createEmitter<U, C>(now: () => number): Emitter<U, C> {
  const { on, off, emit, all } = mitt<{ [E in keyof Events<U, C>]: Events<U, C>[E] }>()

  const isHeard = (event: keyof Events<U, C>): boolean => !!all.get(event)?.length
  const trace = (type: string, detail?: Json): boolean => {
    if (!isHeard('trace')) return false
    emit('trace', { ...detail, type, at: now() })
    return true
  }

  return {
    on(event, listener) {
      // The promise catches both: what is thrown now and what rejects later.
      const isolated = (detail: Parameters<typeof listener>[0]): void =>
        void new Promise((done) => done(listener(detail))).catch(
          (error) => event !== 'trace' && trace('listener-failed', { event, error }),
        )
      on(event, isolated)
      return () => off(event, isolated)
    },
    emit,
    isHeard,
    trace,
    clear: () => all.clear(),
  }
}
