// Remembers that the server refuses to refresh until the user has done more, so that it is not asked again for each request. It
// is forgotten once the user has done more, and it says nothing about newer credentials. A forced refresh always goes out.

import type { Context } from '../context.ts'
import type { StepUpRequiredError } from '../errors.ts'
import { refusalBackoff } from '../state/expiry.ts'
import { isNewer, isSameSession, type Version } from '../state/record.ts'

export interface StepUpRefusal {
  /** What the server said; `null`: nothing that still holds for the credentials of now, so that it may be asked. */
  readonly current: StepUpRequiredError | null
  /** The server has refused a refresh. Without anybody who asks the user, it is asked again on back-off. */
  remember(error: StepUpRequiredError): void
  /** The server is not asked again while the user is, nor once the user has said no. `replay`: the user has done more. */
  whileAsked<T>(asking: Promise<T>): Promise<T>
}

export function createStepUpRefusal<U, C>({ runtime, store }: Context<U, C>): StepUpRefusal {
  const { clock } = runtime
  let error: StepUpRequiredError | null = null
  let version: Version = store.view.version
  let times = 0
  let until = 0
  let asked = 0

  const isOutOfDate = (): boolean => isNewer(store.view.version, version) || !isSameSession(version, store.view.version)

  return {
    get current() {
      if (!error || isOutOfDate()) return null
      return asked > 0 || clock.mono() < until ? error : null
    },
    remember(refusal) {
      times = error && !isOutOfDate() ? times + 1 : 1
      error = refusal
      version = store.view.version
      until = clock.mono() + refusalBackoff(times)
    },
    async whileAsked(asking) {
      asked++
      try {
        const said = await asking
        if (said === 'replay') error = null
        if (said === 'deliver') until = Infinity
        return said
      } finally {
        asked--
      }
    },
  }
}
