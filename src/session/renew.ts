// refresh and reload: new credentials from a refresh that starts after the call.

import type { Context } from '../context.ts'
import { InvalidOptionError, SessionEndedError } from '../errors.ts'
import { assertMeant, type Names } from '../known-options.ts'
import type { RequestRefresh } from '../refresh/queue.ts'
import { abortable } from '../runtime/wait.ts'
import type { Backend } from '../seam/backend.ts'
import type { RefreshIntent } from '../seam/io.ts'
import type { Json } from '../state/credentials.ts'
import type { State } from '../state/view.ts'
import type { Readiness } from './readiness.ts'

export interface RefreshOptions {
  /** Switches the session to this organization. */
  organizationId?: string
  /** Rejects with {@link SessionEndedError} if nobody is signed in then, in place of resolving. @default false */
  ensureSignedIn?: boolean
  /** Input for the backend, where the server takes some. */
  data?: Json
  /** Frees this caller; the refresh goes on for the others. */
  signal?: AbortSignal | undefined
}

/** The options of each method. */
const OPTIONS = {
  refresh: { organizationId: true, ensureSignedIn: true, data: true, signal: true },
  reload: { data: true, signal: true },
} satisfies { refresh: Names<RefreshOptions>; reload: Names<Pick<RefreshOptions, 'data' | 'signal'>> }

export function createRenew<U, C>(
  { runtime, backend, store, reentrance }: Context<U, C>,
  readiness: Readiness,
  requestRefresh: RequestRefresh,
): (method: 'refresh' | 'reload', options?: RefreshOptions) => Promise<State<U, C>> {
  let inputs = 0

  return async (method, options = {}) => {
    assertMeant(`session.${method}`, options, OPTIONS[method])
    runtime.disposed.throwIfAborted()
    reentrance.startCall(method)()
    const { data, organizationId, signal, ensureSignedIn } = options
    await readiness.untilReady(signal)
    assertAccepted(backend, { organizationId, data })
    const reload = method === 'reload'
    const reason = reload ? method : organizationId === undefined ? 'forced' : 'switch'
    // Input is for one call alone; a switch is shared by those who want the same organization.
    const shareKey = data ? `data ${++inputs}` : organizationId
    while (store.state.status === 'authenticated') {
      const asking = requestRefresh({ reason, organizationId, data }, { forced: true, reload, shareKey })
      const outcome = await abortable(asking, signal)
      // A session that has begun meanwhile may be older than the call. A switch, or input, is not for that session.
      if (outcome !== 'other-session' || shareKey !== undefined) break
    }
    if (ensureSignedIn && store.state.status !== 'authenticated') throw new SessionEndedError(endReason(store.state))
    return store.state
  }
}

/** Refuses an option that the backend would ignore: the caller would go on with the token of another organization. */
function assertAccepted(
  { name, accepts = [] }: Pick<Backend, 'name' | 'accepts'>,
  asked: Pick<RefreshIntent, 'organizationId' | 'data'>,
): void {
  for (const option of ['organizationId', 'data'] as const)
    if (asked[option] !== undefined && !accepts.includes(option))
      throw new InvalidOptionError(
        option,
        `is not supported by the backend ${name}: nothing was sent. If your server takes it: bearer({ accepts: ['${option}'], body: … })`,
      )
}

/** If nobody was ever signed in, the reason is the same as after a sign-out. */
const endReason = ({ reason }: State<unknown, unknown>): SessionEndedError['reason'] =>
  reason === 'restored' ? 'signed-out' : (reason as SessionEndedError['reason'])
