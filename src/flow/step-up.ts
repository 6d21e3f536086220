// A response that asks more of the user: the request is parked until the app has seen to it, and everything else goes on.

import { isSameSession, type Version } from '../core/record.ts'
import type { Challenge } from '../errors.ts'
import type { Outgoing } from '../outgoing.ts'
import type { Backend } from '../ports.ts'
import { orAborted } from '../wait.ts'
import type { Emitter } from './events.ts'
import type { Store } from './store.ts'

export interface StepUp {
  challengeOf: NonNullable<Backend['stepUp']>
  /** Whether to send it again. `false`: the app does not want to, or nobody listens. Also resolves when the session is over. */
  park(challenge: Challenge, request: Outgoing, begunWith: Version): Promise<boolean>
}

const UNMET = 'insufficient_user_authentication'

/** RFC 9470 §3: what the challenge says is in `acr_values` and `max_age`. */
function byChallenge({ status, headers }: Response): Challenge | null {
  const header = status === 401 ? (headers.get('www-authenticate') ?? '') : ''
  if (!header.includes(UNMET)) return null
  const says = Array.from(header.matchAll(/(acr_values|max_age)="?([^",]*)/g), ([, name, value]) => [name, value])
  return { type: UNMET, ...Object.fromEntries(says) }
}

export function createStepUp<U, C>(
  backend: Backend<U>,
  store: Store<U, C>,
  events: Emitter<U, C>,
  life: AbortSignal,
): StepUp {
  return {
    challengeOf: backend.stepUp?.bind(backend) ?? byChallenge,
    async park(challenge, request, begunWith) {
      if (!events.isHeard('step-up')) return false
      let settle!: (again: boolean) => void
      const choice = new Promise<boolean>((resolve) => (settle = resolve))
      const undo = events.on('change', () => isSameSession(begunWith, store.tab.version) || settle(true))
      request.dress() // what was attached is no listener's business
      try {
        events.emit('step-up', { challenge, request, resolve: () => settle(true), reject: () => settle(false) })
        return await orAborted(
          orAborted(choice, life).catch(() => false),
          request.signal,
        )
      } finally {
        undo()
      }
    },
  }
}
