// Decides about refreshes: which callers share one, and whether one may be sent now. Pure.

import { refusalBackoff } from './expiry.ts'
import { isNewer, isSameSession, type Sent, type SessionRecord, type Version } from './record.ts'
import { BUCKET_SIZE } from './steps.ts'

const BUCKET_MS = 60_000
// Longer than any cool-down, or deadline, that is ever written down: a longer one comes of a clock that was set back, or of another
// script, and counts for none.
const MAX_COOL_DOWN_MS = 600_000

/** What a refresh is asked for. */
export interface Ask {
  /** Only a refresh that starts after the asking will do (linearizable freshness). */
  readonly forced: boolean
  readonly reload: boolean
  /** Names what is wanted beyond a plain refresh (another organization, input data): only equal keys share one refresh. */
  readonly shareKey?: string | undefined
}

/** An ask, and what had happened when it was made. */
export interface Asked extends Ask {
  readonly version: Version
  /** The number of the last attempt in the journal at that time. */
  readonly attempt: number
}

/**
 * Under the lock. `adopt`: another tab has done it already. `send`: it may go out. `give-up`: too many automatic refreshes
 * failed or cured nothing lately. A number: not before that wall time, since an earlier attempt may be under way, or the server
 * wants to be left alone.
 */
export type Plan = 'adopt' | 'send' | 'give-up' | number

export function planRefresh(record: SessionRecord, asked: Asked, now: number, replayWindow: number): Plan {
  const { version, signedIn, sent, coolUntil, charges } = record
  if (!signedIn) return 'adopt'
  // Credentials of a sign-in may be older than the asking: only a refresh is known to be fresh.
  if (!asked.forced && !isSameSession(asked.version, version)) return 'adopt'
  if (asked.shareKey === undefined && isDone(record, asked)) return 'adopt'
  if (!asked.forced) {
    const recentCharges = charges.filter((at) => at <= now && now - at < BUCKET_MS)
    if (recentCharges.length >= BUCKET_SIZE) return 'give-up'
    if (putOffUntil(record, now) > now) return 'give-up'
  }
  if (coolUntil > now && coolUntil - now < MAX_COOL_DOWN_MS) return coolUntil
  if (!sent || sent.deadline - now > MAX_COOL_DOWN_MS) return 'send'
  // Before `first` the clock was set back: those times say nothing.
  const mayBeUnderWay = now >= sent.first + replayWindow && now < sent.deadline
  return mayBeUnderWay ? sent.deadline : 'send'
}

/** Whether the server would forgive one more use of the refresh token. */
export const isForgiven = (sent: Sent | null, now: number, replayWindow: number): boolean =>
  replayWindow > 0 && now < (sent?.first ?? now) + replayWindow

/**
 * ms for which a tab still leaves the lock to the tab that holds it. While an attempt is under way: until its deadline, since
 * another tab may have taken the lock meanwhile.
 * @param waited ms that the tab has waited already
 */
export function patienceLeft(sent: Sent | null, now: number, waited: number, timeout: number): number {
  const left = (sent?.deadline ?? 0) - now
  return left > 0 && left <= timeout ? left : timeout - waited
}

/**
 * The wall time before which no automatic refresh may go out, since the last ones cured nothing. The first few are free: a route
 * that refuses every token must not stop a refresh that other requests need. Then they are spread ever wider.
 */
function putOffUntil({ wasted }: SessionRecord, now: number): number {
  const recent = wasted.filter(({ at }) => at <= now && now - at < BUCKET_MS)
  if (recent.length < BUCKET_SIZE) return 0
  return recent.at(-1)!.at + refusalBackoff(recent.length - BUCKET_SIZE + 1)
}

/** Whether the refresh that was asked for has happened since, in whatever tab. */
function isDone({ version, mintedBy, reloadedBy }: SessionRecord, asked: Asked): boolean {
  // A forced one is shared by requests that were refused with newer credentials than those which would do for the caller.
  if (!isNewer(version, asked.version)) return false
  return !asked.forced || (mintedBy > asked.attempt && (!asked.reload || reloadedBy > asked.attempt))
}

/**
 * Which refresh of the queue serves this caller, too; -1: none. The first of the queue runs. A forced caller never joins that
 * one, since the server may have answered it before the caller's edit was stored.
 */
export const findShared = (queue: readonly Ask[], { forced, shareKey }: Ask): number =>
  queue.findIndex((queued, place) => queued.shareKey === shareKey && (!forced || place > 0))
