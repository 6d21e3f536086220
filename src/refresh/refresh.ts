// A refresh as an operation: when it may be sent, what the backend is asked, and what the answer changes.

import { InvalidTokenError, RefreshFailedError } from '../errors.ts'
import type { Stored } from '../runtime/ports.ts'
import type { Backend } from '../seam/backend.ts'
import type { RefreshIntent } from '../seam/io.ts'
import type { Commit, Sending } from '../seam/extension.ts'
import type { Store } from '../session/store.ts'
import { endChange, refreshChange } from '../state/changes.ts'
import { type Credentials, mergeAnswer } from '../state/credentials.ts'
import { type Asked, planRefresh } from '../state/plan.ts'
import type { Ending, Reason, SessionRecord } from '../state/record.ts'
import { issuedNow } from '../state/steps.ts'
import type { CoreOperation } from './exchange.ts'

export function refreshOperation<U, C>(
  backend: Backend<U>,
  store: Store<U, C>,
  asked: Asked,
  intent: RefreshIntent,
): CoreOperation<U, Credentials<U> | null> {
  /** A caller in another tab may wait for a reload. */
  const isReload = ({ reloadFrom, reloadedBy }: SessionRecord): boolean => asked.reload || reloadFrom > reloadedBy
  const intentFor = (record: SessionRecord): RefreshIntent =>
    isReload(record) ? { ...intent, reason: 'reload' } : intent
  const isStillHeld = (): boolean => store.credentials !== null

  function reasonOf(hasReloaded: boolean): Reason {
    if (intent.organizationId !== undefined) return 'switched'
    if (hasReloaded) return 'reloaded'
    return intent.data ? 'updated' : 'refreshed'
  }

  function commitAs(
    hasReloaded: boolean,
    said: Credentials<U>,
    { record, held }: Sending<U>,
    receivedAt: number,
  ): Commit<U> {
    const fresh = mergeAnswer(held!, said)
    const issued = issuedNow(fresh, reasonOf(hasReloaded), receivedAt)
    return { change: refreshChange(record!, held!, fresh, issued, hasReloaded, isStillHeld()), credentials: fresh }
  }

  const end = (reason: string, { record }: Sending<U>): Commit<U> => ({
    change: endChange(record!, reason as Ending, isStillHeld()),
    credentials: null,
  })

  /** Without a refresh token a refused access token is the end of the session; one that is still good is no reason for that. */
  function assertCanRefresh({ record, credentials }: Stored<U>, now: number): void {
    const canRefresh = !credentials || (backend.canRefresh?.(credentials) ?? true)
    const isRefused = !asked.forced && intent.reason === 'expired'
    const isDead = record.lifetime !== null && record.receivedAt + record.lifetime <= now
    if (canRefresh || isRefused || isDead) return
    throw new RefreshFailedError(
      `${backend.name}: not refreshed, since there is no refresh token to ask with. The session is kept, with the access token that it has.`,
    )
  }

  return {
    name: 'refresh',
    isAutomatic: !asked.forced,
    isCheckpointEnough: !asked.reload,
    ifRefused: 'plan-again',
    plan(found, now, replayWindow) {
      const plan = found ? planRefresh(found.record, asked, now, replayWindow) : 'adopt'
      if (plan === 'send') assertCanRefresh(found!, now)
      return plan
    },
    maySpend: (held) => held !== null,
    async call(io, { record, held }) {
      if (!held) throw new RefreshFailedError('no credentials are stored')
      const method = (isReload(record!) && backend.reload) || backend.refresh
      const said = await method.call(backend, held, io, intentFor(record!))
      // Only a backend with cookies, or with data of its own, does without a token.
      if (said && !said.accessToken && !said.data && !backend.cookies)
        throw new InvalidTokenError(
          `an answer without accessToken (it has ${Object.keys(said).join(', ') || 'nothing'})`,
        )
      return said
    },
    commit: (said, sending, receivedAt) =>
      said === null ? end('expired', sending) : commitAs(isReload(sending.record!), said, sending, receivedAt),
    // The user is still to come: such credentials are no reload yet.
    checkpoint: (said, sending, receivedAt) => commitAs(false, said, sending, receivedAt),
    end,
    trace: (record) => ({ reason: intentFor(record).reason }),
  }
}
