// Every change that is made to the shared record, and when it comes too late. Pure: each sees the record as it stands and gives
// the next one, or `undefined` to leave it alone. That refusal is the fence: a tab that was frozen, or lost its lock, finds that
// the record has moved on, and cannot write.

import { type Credentials, isOlder, isOtherUser } from './credentials.ts'
import { lifetimeOf } from './expiry.ts'
import {
  BLANK,
  type Change,
  type Ending,
  isNewer,
  isSameSession,
  type Row,
  type SessionRecord,
  type Version,
} from './record.ts'
import {
  beginAttempt,
  beginSession,
  chargeBudget,
  completeAttempt,
  endSession,
  type Issued,
  issuedNow,
  renewCredentials,
  startRecord,
} from './steps.ts'

/** Whether an attempt may still write: no later attempt was journalled, and no session began or ended since. */
export const mayWrite = (record: SessionRecord | null, journal: SessionRecord): record is SessionRecord =>
  !!record?.signedIn && record.attempt === journal.attempt && record.version.generation === journal.version.generation

/** Before an attempt is sent. Too late: another tab has moved the record since it was read. */
export const attemptChange =
  (found: SessionRecord, at: number, timeout: number): Change =>
  (old) =>
    mayWrite(old, found) && !isNewer(old.version, found.version) ? beginAttempt(old, at, timeout) : undefined

/**
 * After an attempt has failed.
 * @param maySpend Whether the server may have used up the refresh token all the same.
 * @param coolDown ms until the next attempt, from the number of failures in a row; `null`: the server works, and asks more of
 *   the user.
 * @param isOrdered Whether the server asked for that cool-down.
 * @param isCharged Whether the failure counts in the bucket of automatic refreshes.
 */
export const failureChange =
  (
    journal: SessionRecord,
    at: number,
    maySpend: boolean,
    coolDown: ((failures: number) => number) | null,
    isOrdered: boolean,
    isCharged: boolean,
  ): Change =>
  (old) => {
    if (!mayWrite(old, journal)) return undefined
    const next = { ...old, sent: maySpend ? old.sent : null }
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

/**
 * After a restore has asked the server. Too late: somebody signed in or out while it asked.
 * @param before What the storage held before the server was asked.
 * @param fresh Who is signed in, as the server says.
 * @param isSame Whether that is the session which the storage held.
 */
export const restoreChange =
  (
    before: Row<Credentials<unknown>> | null,
    fresh: Credentials<unknown> | null,
    isSame: boolean,
    ending: Ending,
    receivedAt: number,
    firstGeneration: number,
  ): Change =>
  (found) => {
    if (before?.record.version.generation !== found?.version.generation) return undefined
    if (!fresh) return endRestored(found, ending, firstGeneration)
    const old = found ?? startRecord(firstGeneration)
    const issued = issuedNow(fresh, 'restored', receivedAt)
    const held = before?.credentials
    if (!isSame || !held) return beginSession(old, issued)
    // A cached page brings credentials that were replaced long ago.
    if (isOlder(fresh, held)) return undefined
    if (!old.signedIn) return beginSession(old, issued)
    // The same token again is no refresh, so that the version must not rise.
    return isSameToken(fresh, held) ? { ...old, reason: 'restored' } : renewCredentials(old, issued)
  }

function endRestored(found: SessionRecord | null, ending: Ending, firstGeneration: number): SessionRecord | undefined {
  if (!found) return endSession(startRecord(firstGeneration), 'restored')
  return found.signedIn ? endSession(found, ending) : undefined
}

const isSameToken = (a: Credentials<unknown>, b: Credentials<unknown>): boolean =>
  (a.accessToken ?? null) === (b.accessToken ?? null)

/** A sign-in always counts, whatever came before. `null`: the server was asked, and nobody is signed in. */
export const signInChange =
  (fresh: Credentials<unknown> | null, receivedAt: number, firstGeneration: number): Change =>
  (found) => {
    if (!fresh) return endRestored(found, 'expired', firstGeneration)
    return beginSession(found ?? startRecord(firstGeneration), issuedNow(fresh, 'signed-in', receivedAt))
  }

/** A sign-out always counts. */
export const signOutChange =
  (isPending: boolean, firstGeneration: number): Change =>
  (found) =>
    endSession(found ?? startRecord(firstGeneration), 'signed-out', isPending)

/** The server has been told of the sign-out that opened this generation. */
export const signOutToldChange =
  (generation: number): Change =>
  (old) =>
    old?.version.generation === generation ? { ...old, signOutPending: false } : undefined

/**
 * After an ordinary response brought credentials (`fresh`: merged with the held ones), or said that the session is over.
 * @param isSame Whether that is the session which this tab holds.
 */
export const responseChange =
  (
    sentWith: Version,
    heldVersion: Version,
    held: Credentials<unknown> | null,
    said: Credentials<unknown> | null,
    fresh: Credentials<unknown> | null,
    isSame: boolean,
    ending: Ending,
    receivedAt: number,
  ): Change =>
  (found) => {
    const old = found ?? startRecord(Math.max(receivedAt, heldVersion.generation))
    if (!isSameSession(sentWith, old.version)) return undefined
    if (!fresh || !said) return old.signedIn ? endSession(old, ending) : undefined
    // It was merged with credentials that were replaced since: their refresh token may be spent.
    if (held && !said.refreshToken && isNewer(old.version, heldVersion)) return undefined
    if (!old.signedIn || !isSame) return beginSession(old, issuedNow(fresh, 'signed-in', receivedAt))
    // A response that says nothing of a token makes the held token no younger.
    if (!said.accessToken && lifetimeOf(said, receivedAt) === null)
      return renewCredentials(old, { ...old, reason: 'updated' })
    return renewCredentials(old, issuedNow(fresh, 'updated', receivedAt))
  }

/** The record was cleared: a tab that still holds the session writes it anew, above all attempts of before. */
export const reseedChange =
  (version: Version, receivedAt: number, lifetime: number | null, now: number): Change =>
  (old) =>
    old && !isNewer(version, old.version)
      ? undefined
      : { ...BLANK, attempt: now, ...old, version, signedIn: true, signOutPending: false, receivedAt, lifetime }

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
