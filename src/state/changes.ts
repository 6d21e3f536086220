// Every change that is made to the shared record, and when it comes too late. Pure: each sees the record as it stands and gives
// the next one, or `undefined` to leave it alone. That refusal is the fence: a tab that was frozen, or lost its lock, finds that
// the record has moved on, and cannot write.

import { type Credentials, isOlder, isOtherUser } from './credentials.ts'
import { lifetimeOf, type Receipt } from './expiry.ts'
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
  addSignOut,
  beginAttempt,
  beginSession,
  chargeBudget,
  chargeWasted,
  completeAttempt,
  endSession,
  type Issued,
  issuedAfter,
  issuedNow,
  loseAnswer,
  renewCredentials,
  startRecord,
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
    if (!mayWrite(old, journal)) return undefined
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

/**
 * After a restore has asked the server. Too late: somebody signed in or out while it asked.
 * @param before What the storage held before the server was asked.
 * @param fresh Who is signed in, as the server says.
 * @param isSame Whether that is the session which the storage held.
 * @param ending How the session ended, where the server said more than that nobody is signed in.
 */
export const restoreChange =
  (
    before: Row<Credentials<unknown>> | null,
    fresh: Credentials<unknown> | null,
    isSame: boolean,
    ending: Ending | null,
    receipt: Receipt,
    firstGeneration: number,
  ): Change =>
  (found) => {
    if (before?.record.version.generation !== found?.version.generation) return undefined
    if (!fresh) return endRestored(found, ending, firstGeneration)
    const old = found ?? startRecord(firstGeneration)
    const issued = issuedNow(fresh, 'restored', receipt)
    const held = before?.credentials
    if (!isSame || !held) return beginSession(old, issued)
    // A cached page brings credentials that were replaced long ago.
    if (isOlder(fresh, held)) return undefined
    if (!old.signedIn) return beginSession(old, issued)
    if (!isSameToken(fresh, held)) return renewCredentials(old, issued)
    // The same token again is no refresh: the version must not rise, and the token gets no younger. A cookie lives as long as
    // the server says now.
    const isCookieTimed = !fresh.accessToken && lifetimeOf({ ...fresh, claims: null }, receipt) !== null
    return { ...old, ...(isCookieTimed && issued), reason: 'restored' }
  }

function endRestored(
  found: SessionRecord | null,
  ending: Ending | null,
  firstGeneration: number,
): SessionRecord | undefined {
  if (!found) return endSession(startRecord(firstGeneration), ending ?? 'restored')
  return found.signedIn ? endSession(found, ending ?? 'expired') : undefined
}

const isSameToken = (a: Credentials<unknown>, b: Credentials<unknown>): boolean =>
  (a.accessToken ?? null) === (b.accessToken ?? null)

/** A sign-in always counts, whatever came before. `null`: the server was asked, and nobody is signed in. */
export const signInChange =
  (fresh: Credentials<unknown> | null, receipt: Receipt, firstGeneration: number): Change =>
  (found) => {
    if (!fresh) return endRestored(found, null, firstGeneration)
    return beginSession(found ?? startRecord(firstGeneration), issuedNow(fresh, 'signed-in', receipt))
  }

/** A sign-out always counts. @param isPending Whether the server is to be told. */
export const signOutChange =
  (isPending: boolean, at: number, firstGeneration: number): Change =>
  (found) => {
    const old = found ?? startRecord(firstGeneration)
    const ended = endSession(old, 'signed-out')
    return isPending ? addSignOut(ended, old.version.generation, at) : ended
  }

/** The server has been told of these sign-outs, or need not be told any more. */
export const signOutToldChange =
  (ids: readonly number[]): Change =>
  (old) => {
    const signOuts = old?.signOuts.filter(({ id }) => !ids.includes(id))
    return signOuts && signOuts.length < old!.signOuts.length ? { ...old!, signOuts } : undefined
  }

/** There are newer credentials to tell the server of this sign-out with: the others are spent. `null`: of the last one. */
export const signOutRenewedChange =
  (id: number | null): Change =>
  (old) =>
    old?.signOuts.some((each) => id === null || each.id === id) ? old : undefined

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
    receipt: Receipt,
  ): Change =>
  (found) => {
    const old = found ?? startRecord(Math.max(receipt.at, heldVersion.generation))
    if (!isSameSession(sentWith, old.version)) return undefined
    if (!fresh || !said) return old.signedIn ? endSession(old, ending) : undefined
    // It was merged with credentials that were replaced since: their refresh token may be spent.
    if (held && !said.refreshToken && isNewer(old.version, heldVersion)) return undefined
    if (!old.signedIn || !isSame) return beginSession(old, issuedNow(fresh, 'signed-in', receipt))
    // A response that says nothing of a token, nor of how long a cookie lives, makes neither any younger.
    if (!said.accessToken && lifetimeOf(said, receipt) === null)
      return renewCredentials(old, { ...old, reason: 'updated' })
    return renewCredentials(old, issuedAfter(old, held ?? {}, said, fresh, 'updated', receipt))
  }

/** The record was cleared: a tab that still holds the session writes it anew, above all attempts of before. */
export const reseedChange =
  (version: Version, receivedAt: number, lifetime: number | null, now: number): Change =>
  (old) =>
    old && !isNewer(version, old.version)
      ? undefined
      : { ...BLANK, attempt: now, ...old, version, signedIn: true, receivedAt, lifetime }

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
