// Step-up as a parked request: a response that asks more of the user (RFC 9470) waits until the app's handler has answered, and
// is then sent again. Everything else goes on meanwhile.

import { type Challenge, StepUpRequiredError } from '../errors.ts'
import { createParking } from '../request/parking.ts'
import { stepUpOf } from '../request/www-authenticate.ts'
import type { Extension, RequestContext } from '../seam/extension.ts'
import type { Awaitable, RequestView } from '../seam/io.ts'

export interface StepUpRequest {
  /** What the server asks for. */
  readonly challenge: Challenge
  /** The request that waits, without the session's credentials. */
  readonly request: RequestView
  /** Aborted when the request is over: it was answered, its caller gave up, or the session is over. */
  readonly signal: AbortSignal
}

/** Lets the user do more. `true`: done, the request is sent again. `false`: the caller gets the server's answer. */
export type StepUpHandler = (asked: StepUpRequest) => Awaitable<boolean>

/**
 * @example
 * createSession({
 *   backend,
 *   use: [stepUp(async ({ challenge }) => await showSecondFactor(challenge))],
 * })
 *
 * @see [RFC 9470](https://www.rfc-editor.org/rfc/rfc9470)
 */
export function stepUp(handler: StepUpHandler): Extension {
  const park = createParking()

  /** Whether the user has done what was asked. */
  async function ask(challenge: Challenge, context: RequestContext): Promise<'replay' | 'deliver'> {
    const { signal } = context
    if (!context.mayReplay || !park(signal)) return 'deliver'
    return (await handler({ challenge, request: context.shown(), signal })) ? 'replay' : 'deliver'
  }

  return {
    name: 'stepUp',
    setup: ({ server }) => ({
      judge(context) {
        const { response, request } = context
        const asked = server.stepUp ? server.stepUp(response, request) : stepUpOf(response)
        if (!asked) return undefined
        if (!(asked instanceof Promise)) return ask(asked, context)
        return asked.then((challenge) => (challenge ? ask(challenge, context) : undefined))
      },
      blocked: (context, error) => (error instanceof StepUpRequiredError ? ask(error.challenge, context) : undefined),
    }),
  }
}
