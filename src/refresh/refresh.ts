// A refresh as an operation: when it may be sent, what the backend is asked, and what the answer changes.

import { InvalidTokenError, RefreshFailedError } from '../errors.ts'
import type { Backend } from '../seam/backend.ts'
import type { RefreshIntent } from '../seam/io.ts'
import type { Commit, Sending } from '../seam/extension.ts'
import type { Store } from '../session/store.ts'
import { chargedChange, endChange, refreshChange } from '../state/changes.ts'
import { type Credentials, mergeAnswer } from '../state/credentials.ts'
import type { Receipt } from '../state/expiry.ts'
import { type Asked, planRefresh } from '../state/plan.ts'
import type { Ending, Reason, SessionRecord } from '../state/record.ts'
import { issuedAfter } from '../state/steps.ts'
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
    receipt: Receipt,
  ): Commit<U> {
    const fresh = mergeAnswer(held!, said)
    const issued = issuedAfter(record!, held!, said, fresh, reasonOf(hasReloaded), receipt)
    const change = refreshChange(record!, held!, fresh, issued, hasReloaded, isStillHeld())
    const isInVain = !asked.forced && issued.receivedAt === record!.receivedAt && store.isNearExpiry()
    return { change: isInVain ? chargedChange(change, receipt.at) : change, credentials: fresh }
  }

  const end = (reason: string, { record }: Sending<U>): Commit<U> => ({
    change: endChange(record!, reason as Ending, isStillHeld()),
    credentials: null,
  })

  return {
    name: 'refresh',
    isAutomatic: !asked.forced,
    isCheckpointEnough: !asked.reload,
    ifRefused: 'plan-again',
    plan: (found, now, replayWindow) => (found ? planRefresh(found.record, asked, now, replayWindow) : 'adopt'),
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
    commit: (said, sending, receipt) =>
      said === null ? end('expired', sending) : commitAs(isReload(sending.record!), said, sending, receipt),
    // The user is still to come: such credentials are no reload yet.
    checkpoint: (said, sending, receipt) => commitAs(false, said, sending, receipt),
    end,
    trace: (record) => ({ reason: intentFor(record).reason }),
  }
}
