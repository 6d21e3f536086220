// A refresh as an operation: when it may be sent, what the backend is asked, and what the answer changes.

import { RefreshFailedError } from '../errors.ts'
import type { Stored } from '../runtime/ports.ts'
import type { Backend } from '../seam/backend.ts'
import type { RefreshIntent } from '../seam/io.ts'
import type { Commit, Sending } from '../seam/extension.ts'
import type { Store } from '../session/store.ts'
import { requireAccessToken } from '../session/answers.ts'
import { chargedChange, endChange, refreshChange } from '../state/changes.ts'
import { type Credentials, isOtherUser, isSameUser, mergeAnswer } from '../state/credentials.ts'
import type { Receipt } from '../state/expiry.ts'
import { type Asked, planRefresh } from '../state/plan.ts'
import { type Ending, isSameSession, type Reason, type SessionRecord } from '../state/record.ts'
import { issuedAfter } from '../state/steps.ts'
import type { State } from '../state/view.ts'
import type { CoreOperation } from './operation.ts'

export interface RefreshOperation<U> extends CoreOperation<U, Credentials<U> | null> {
  /** Nothing was sent, since the session that was found is not that of the callers. */
  readonly isOfOther: boolean
}

export function refreshOperation<U, C>(
  backend: Backend<U>,
  store: Store<U, C>,
  asked: Asked & { readonly of: State<U, C> },
  intent: RefreshIntent,
): RefreshOperation<U> {
  /** A caller in another tab may wait for a reload. */
  const isReload = ({ reloadFrom, reloadedBy }: SessionRecord): boolean => asked.reload || reloadFrom > reloadedBy
  const intentFor = (record: SessionRecord): RefreshIntent =>
    isReload(record) ? { ...intent, reason: 'reload' } : intent
  const isStillHeld = (): boolean => store.credentials !== null

  /** Another user's session owes the caller nothing; and a switch, or input, is only for who is known to be the same user. */
  function isCallers({ record, credentials }: Stored<U>): boolean {
    if (!credentials || isSameSession(asked.version, record.version)) return true
    if (isOtherUser(asked.of, credentials)) return false
    return asked.shareKey === undefined || isSameUser(asked.of, credentials)
  }

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

  /** Without a refresh token a refused access token is the end of the session; one that is still good is no reason for that. */
  function assertCanRefresh({ record, credentials }: Stored<U>, now: number): void {
    const canRefresh = !credentials || (backend.canRefresh?.(credentials) ?? true)
    const isRefused = !asked.forced && intent.reason === 'expired'
    const isDead = record.lifetime !== null && record.receivedAt + record.lifetime <= now
    if (canRefresh || isRefused || isDead) return
    const hint = backend.name === 'bearer' ? " (is it in a cookie? bearer({ refreshTokenIn: 'cookie' }))" : ''
    throw new RefreshFailedError(
      `${backend.name}: not refreshed, because there is no refresh token${hint}. The session is kept, with its access token.`,
    )
  }

  let isOfOther = false

  return {
    name: 'refresh',
    get isOfOther() {
      return isOfOther
    },
    isAutomatic: !asked.forced,
    isCheckpointEnough: !asked.reload,
    ifRefused: 'plan-again',
    plan(found, now, replayWindow) {
      isOfOther = !!found && !isCallers(found)
      const plan = found && !isOfOther ? planRefresh(found.record, asked, now, replayWindow) : 'adopt'
      if (plan === 'send') assertCanRefresh(found!, now)
      return plan
    },
    maySpend: (held) => held !== null,
    async call(io, { record, held }) {
      if (!held) throw new RefreshFailedError('no credentials are stored')
      const method = (isReload(record!) && backend.reload) || backend.refresh
      const said = await method.call(backend, held, io, intentFor(record!))
      return said && requireAccessToken(backend, said)
    },
    commit: (said, sending, receipt) =>
      said === null ? end('expired', sending) : commitAs(isReload(sending.record!), said, sending, receipt),
    // The user is still to come: such credentials are no reload yet.
    checkpoint: (said, sending, receipt) => commitAs(false, said, sending, receipt),
    end,
    reason: (record) => intentFor(record).reason,
  }
}
