// How a session ends by its user: here and now, then in the record, and at the server as soon as that can be told.

import type { Context } from '../context.ts'
import type { Exchange, SignOutOperation } from '../refresh/exchange.ts'
import { abortable } from '../runtime/wait.ts'
import type { Backend } from '../seam/backend.ts'
import { signOutChange, signOutToldChange } from '../state/changes.ts'
import type { Credentials } from '../state/credentials.ts'
import { firstGeneration, writeAlone } from './write.ts'

export interface SignOutOptions {
  /** Does not tell the server. @default false */
  local?: boolean
  /** Frees this caller; the server is told all the same. */
  signal?: AbortSignal
}

/**
 * Makes the operation that tells the server of a sign-out, once, whichever tab comes to do it: the tab where it happened, the
 * tab whose refresh was under way, or the next page that finds it pending.
 */
export function createSignOutOperation<U>(backend: Backend<U>): SignOutOperation<U> {
  /** For the next try: without credentials the server could not tell whose session to end. */
  let last: Credentials<U> | null = null
  return (credentials) => {
    last = credentials ?? last
    return {
      name: 'sign-out',
      plan: (found) => (found?.record.signOutPending ? 'send' : 'done'),
      maySpend: () => false,
      call: async (io) => backend.signOut?.(last, io),
      commit(_, { record }) {
        last = null
        return { change: signOutToldChange(record!.version.generation) }
      },
      ifRefused: 'keep-answer',
    }
  }
}

/** Answers whether the server knows. */
export function createSignOut<U, C>(
  { runtime, store }: Context<U, C>,
  exchange: Exchange<U>,
  signOutOperation: SignOutOperation<U>,
): (options?: SignOutOptions) => Promise<boolean> {
  const { clock, records, channel } = runtime

  async function tellServer(credentials: Credentials<U> | null): Promise<boolean> {
    try {
      await exchange(signOutOperation(credentials))
      return true
    } catch {
      return false
    }
  }

  return async ({ local = false, signal } = {}) => {
    store.hasDecided = true
    const { credentials, state } = store
    store.dispatch({ type: 'signed-out' })
    // Read before the record is written: this tab may not hold what another tab has got since, nor anything at its start.
    const reading = records.read().catch(() => null)
    const isPending = !local && state.status !== 'unauthenticated'
    // Without waiting for the lock: a page that navigates at once must not lose it. A storage that does not answer writes it
    // down once it can, and the server is told all the same.
    const change = signOutChange(isPending, firstGeneration(store, clock))
    store.adopt(await writeAlone(records, { change, credentials: null }).catch(() => null), 'this-tab')
    channel.post('moved') // only now there is something to read
    if (!isPending) return true
    // Under the lock: after a refresh in flight, whose late answer would bring the session back.
    const telling = reading.then((found) => tellServer(found?.credentials ?? credentials))
    return abortable(telling, signal)
  }
}
