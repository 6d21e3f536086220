// The server has ended the session under a request: the request waits until the same user has signed in again.

import { SessionEndedError } from '../errors.ts'
import { createParking } from '../request/parking.ts'
import type { Extension } from '../seam/extension.ts'
import type { Awaitable, RequestView } from '../seam/io.ts'

export interface SignInRequest {
  /** How the session ended. */
  readonly reason: SessionEndedError['reason']
  /** The request that waits, without the session's credentials. */
  readonly request: RequestView
  /** Aborted when the request is over: it was answered, its caller gave up, or the session was disposed of. */
  readonly signal: AbortSignal
}

/** Lets the user sign in. `false`: the request does without, and its caller gets the server's answer. */
export type SignInHandler = (asked: SignInRequest) => Awaitable<unknown>

/**
 * The request goes on once the same user has signed in, by `session.signIn()` in whatever tab; where another user signs in, it
 * rejects with {@link SessionEndedError}.
 *
 * @example
 * createSession({ backend, use: [signInRequired(async () => await showLogin())] })
 */
export function signInRequired(handler: SignInHandler): Extension {
  const park = createParking()
  return {
    name: 'signInRequired',
    setup: () => ({
      async blocked(context, error) {
        const { signal } = context
        if (!(error instanceof SessionEndedError) || !park(signal)) return undefined
        const answer = await handler({ reason: error.reason, request: context.shown(), signal })
        return answer === false ? 'deliver' : 'replay'
      },
    }),
  }
}
