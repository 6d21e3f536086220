// Every change that is made to the shared record, and when it comes too late. Pure: each sees the record as it stands and gives
// the next one, or `undefined` to leave it alone. That refusal is the fence: a tab that was frozen, or lost its lock, finds that
// the record has moved on, and cannot write.

import { type Credentials, isOtherUser } from './credentials.ts'
import { BLANK, type Change, type Ending, isNewer, type SessionRecord, type Version } from './record.ts'
import {
  beginAttempt,
  beginSession,
  chargeBudget,
  chargeWasted,
  completeAttempt,
  endSession,
  type Issued,
  loseAnswer,
  renewCredentials,
} from './steps.ts'

/** Whether an attempt may still write: no later attempt was journalled, and no session began or ended since. */
export const mayWrite = (record: SessionRecord | null, journal: SessionRecord): record is SessionRecord =>
  !!record?.signedIn && record.attempt === journal.attempt && record.version.generation === journal.version.generation

/** Before an attempt is sent. Too late: another tab has moved the record since it was read. */
export const attemptChange =
  (found: SessionRecord, at: number, timeout: number, endsWithPage: boolean): Change =>
  (old) =>
    mayWrite(old, found) && !isNewer(old.version, found.version)
      ? beginAttempt(old, at, timeout, endsWithPage)
      : undefined

/**
 * What a failed attempt leaves of its refresh token. `unused`: as good as before. `unknown`: the server may have used it up, and
 * the answer may still come. `lost`: it may have been used up, and nobody can receive the answer any more.
 */
export type TokenFate = 'unused' | 'unknown' | 'lost'

function settleToken(record: SessionRecord, fate: TokenFate): SessionRecord {
  if (fate === 'unused') return { ...record, sent: null }
  return fate === 'lost' ? loseAnswer(record) : record
}

/**
 * After an attempt has failed.
 * @param coolDown ms until the next attempt, from the number of failures in a row; `null`: the server works, and asks more of
 *   the user.
 * @param isOrdered Whether the server asked for that cool-down.
 * @param isCharged Whether the failure counts in the bucket of automatic refreshes.
 */
export const failureChange =
  (
    journal: SessionRecord,
    at: number,
    fate: TokenFate,
    coolDown: ((failures: number) => number) | null,
    isOrdered: boolean,
    isCharged: boolean,
  ): Change =>
  (old) => {
    // A slow storage may have written the answer after all.
    if (!mayWrite(old, journal) || old.mintedBy === journal.attempt) return undefined
    const next = settleToken(old, fate)
    if (!coolDown) return next
    const failures = old.failures + 1
    return { ...(isCharged ? chargeBudget(next, at) : next), failures, coolUntil: at + coolDown(failures), isOrdered }
  }

/**
 * After a refresh that brought credentials. Another user in the answer begins another session: requests must not mix.
 * @param isStillHeld Whether this tab still holds the session: it writes a record anew that was cleared meanwhile.
 */
export const refreshChange =
  (
    journal: SessionRecord,
    held: Credentials<unknown>,
    fresh: Credentials<unknown>,
    issued: Issued,
    isReload: boolean,
    isStillHeld: boolean,
  ): Change =>
  (found) => {
    const old = found ?? (isStillHeld ? journal : null)
    if (!mayWrite(old, journal)) return undefined
    const next = completeAttempt(old, issued, isReload)
    return isOtherUser(held, fresh) ? beginSession(next, { ...issued, reason: 'signed-in' }) : next
  }

/** After an automatic refresh that brought no newer token, although the held one is spent: more of them would bring none either. */
export const chargedChange =
  (change: Change, at: number): Change =>
  (old) => {
    const next = change(old)
    return next && chargeBudget(next, at)
  }

/** After the server said that the session is over. */
export const endChange =
  (journal: SessionRecord, reason: Ending, isStillHeld: boolean): Change =>
  (found) => {
    const old = found ?? (isStillHeld ? journal : null)
    return mayWrite(old, journal) ? endSession(old, reason) : undefined
  }

/** After a side token was minted. The session stays what it was; only a rotated refresh token is news. */
export const sideTokenChange =
  (journal: SessionRecord, isRotated: boolean): Change =>
  (old) => {
    if (!mayWrite(old, journal) || isNewer(old.version, journal.version)) return undefined
    return { ...(isRotated ? renewCredentials(old, old) : old), sent: null, failures: 0, coolUntil: 0 }
  }

/** The record was cleared: a tab that still holds the session writes it anew, above all attempts of before. */
export const reseedChange =
  (version: Version, receivedAt: number, lifetime: number | null, now: number): Change =>
  (old) =>
    old && !isNewer(version, old.version)
      ? undefined
      : { ...BLANK, attempt: now, ...old, version, signedIn: true, receivedAt, lifetime }

/**
 * A change that the storage did not take is tried again: it may have been written all the same, and more may have come since.
 * @param last The last version that the change may still be made to.
 */
export const retriedChange =
  (change: Change, last: Version): Change =>
  (old) =>
    old && isNewer(old.version, last) ? undefined : change(old)

/** A refresh cured nothing: a route refused the token that it had just brought. Charged once, over all tabs and requests. */
export const wastedChange =
  ({ generation, revision }: Version, at: number): Change =>
  (old) => {
    if (!old?.signedIn || old.version.generation !== generation) return undefined
    return old.wasted.some((each) => each.revision === revision) ? undefined : chargeWasted(old, revision, at)
  }

/** A request was served with the token of this version: refreshes do cure, and what refused tokens were routes of their own mind. */
export const curedChange =
  ({ generation, revision }: Version): Change =>
  (old) => {
    if (old?.version.generation !== generation) return undefined
    const wasted = old.wasted.filter((each) => each.revision > revision)
    return wasted.length < old.wasted.length ? { ...old, wasted } : undefined
  }

/**
 * A storage works again, in place of which a tab has lived in its memory: who signed in or out there, and was not overtaken.
 * That this tab has found nobody says nothing of what is stored.
 */
export const reseatChange =
  (held: SessionRecord): Change =>
  (old) => {
    if (!held.signedIn && held.reason === 'restored') return undefined
    return old && !isNewer(held.version, old.version) ? undefined : held
  }

/** The next attempt, in whatever tab, is to ask for the user, too. */
export const requestReload: Change = (old) => (old ? { ...old, reloadFrom: old.attempt + 1 } : undefined)

/** Back online: an own cool-down ends, not one that the server asked for. */
export const endCoolDown: Change = (old) => (old?.coolUntil && !old.isOrdered ? { ...old, coolUntil: 0 } : undefined)
