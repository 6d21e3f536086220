// Changes of the shared record by which a session begins or ends, outside of a refresh: a restore, a sign-in, a sign-out, what an
// ordinary response said. Pure, as `changes.ts` is.

import { type Credentials, isOlder } from './credentials.ts'
import { lifetimeOf, type Receipt } from './expiry.ts'
import {
  type Change,
  type Ending,
  isNewer,
  isSameSession,
  type Row,
  type SessionRecord,
  type Version,
} from './record.ts'
import { addSignOut, beginSession, endSession, issuedAfter, issuedNow, renewCredentials, startRecord } from './steps.ts'

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
  // What the server says of the cookie that it got is news also where this browser was signed out before.
  return found.signedIn || ending ? endSession(found, ending ?? 'expired') : undefined
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

/**
 * A sign-out always counts.
 * @param isPending Whether the server is to be told.
 * @param held The generation of the session that this tab held. Another one may have begun since, of which it has not heard yet:
 *   both end.
 */
export const signOutChange =
  (isPending: boolean, at: number, firstGeneration: number, held = 0): Change =>
  (found) => {
    const old = found ?? startRecord(firstGeneration)
    const ended = endSession(old, 'signed-out')
    if (!isPending) return ended
    const { generation } = old.version
    const isBehind = old.signedIn && held > 0 && held < generation
    return addSignOut(isBehind ? addSignOut(ended, held, at) : ended, generation, at)
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

/** Neither a token, nor how long a cookie lives. */
const saysNoLife = (said: Credentials<unknown>, receipt: Receipt): boolean =>
  !said.accessToken && lifetimeOf(said, receipt) === null

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
    // A tab that has found nobody has written nothing: a response may still be the first to sign somebody in.
    const current = found || held ? old.version : heldVersion
    if (!isSameSession(sentWith, current)) return undefined
    if (!fresh || !said) return old.signedIn ? endSession(old, ending) : undefined
    // It was merged with credentials that were replaced since: their refresh token may be spent.
    if (held && !said.refreshToken && isNewer(old.version, heldVersion)) return undefined
    if (!old.signedIn || !isSame) return beginSession(old, issuedNow(fresh, 'signed-in', receipt))
    // A response that says nothing of a token, nor of how long a cookie lives, makes neither any younger.
    if (saysNoLife(said, receipt)) return renewCredentials(old, { ...old, reason: 'updated' })
    return renewCredentials(old, issuedAfter(old, held ?? {}, said, fresh, 'updated', receipt))
  }
