// Where a request waits for the user: to do more than being signed in, or to sign in again. Everything else goes on.

import { isSameSession, type Version } from '../core/record.ts'
import type { Outgoing } from '../outgoing.ts'
import { orAborted } from '../wait.ts'
import type { Emitter, Events } from './events.ts'
import type { Store } from './store.ts'

export interface Parking {
  /**
   * Whether the request may go on, as far as the app goes: `false` where it does not want to, nobody listens, or too many
   * wait already. Also resolves when the session is not that of `version` any more.
   */
  park<E extends 'step-up' | 'sign-in-required'>(
    event: E,
    request: Outgoing,
    version: Version,
    asks: Omit<Events[E], 'request' | 'resolve' | 'reject'>,
  ): Promise<boolean>
  /** The session may be another by now. */
  look(): void
}

const MOST_PARKED = 1000

export function createParking<U, C>(store: Store<U, C>, { isHeard, emit }: Emitter<U, C>, life: AbortSignal): Parking {
  const parked = new Set<() => void>()
  return {
    async park(event, request, version, asks) {
      if (!isHeard(event) || parked.size >= MOST_PARKED) return false
      let settle!: (goesOn: boolean) => void
      const choice = new Promise<boolean>((resolve) => (settle = resolve))
      const look = (): unknown => isSameSession(version, store.tab.version) || settle(true)
      parked.add(look)
      try {
        // Not the request itself: what is attached to it is no listener's business, now or later.
        const { url, method } = request
        const view = { url, method, headers: new Headers(request.dress()) }
        const detail = { ...asks, request: view, resolve: () => settle(true), reject: () => settle(false) }
        emit(event, detail as unknown as Events<U, C>[typeof event])
        return await orAborted(
          orAborted(choice, life).catch(() => false),
          request.signal,
        )
      } finally {
        parked.delete(look)
      }
    },
    look: () => parked.forEach((look) => look()),
  }
}
