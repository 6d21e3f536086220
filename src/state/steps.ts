// The steps of the shared record: an attempt begins, brings credentials or fails; a session begins or ends. Pure: each takes a
// record and gives the next one.

import { type Credentials } from './credentials.ts'
import { lifetimeOf, type Receipt } from './expiry.ts'
import { BLANK, type Ending, type Reason, type SessionRecord } from './record.ts'

/** How many automatic refreshes may fail within a minute; or cure nothing, before the next ones are put off: see `plan.ts`. */
export const BUCKET_SIZE = 5
// Each keeps a refresh token in the storage.
const MAX_SIGN_OUTS = 5
const MAX_WASTED = 2 * BUCKET_SIZE

/** What the record says of credentials that were just received. */
export interface Issued {
  readonly reason: Reason
  readonly receivedAt: number
  readonly lifetime: number | null
}

export const issuedNow = (fresh: Credentials<unknown>, reason: Reason, receipt: Receipt): Issued => ({
  reason,
  receivedAt: receipt.at,
  lifetime: lifetimeOf(fresh, receipt),
})

/**
 * As {@link issuedNow}, after an answer (`said`) that may have brought no new access token: one that was held before is made no
 * younger.
 * @param record What is known of the held credentials.
 * @param fresh The held credentials, and over them what was said.
 */
export const issuedAfter = (
  { receivedAt, lifetime }: SessionRecord,
  held: Credentials<unknown>,
  said: Credentials<unknown>,
  fresh: Credentials<unknown>,
  reason: Reason,
  receipt: Receipt,
): Issued => (isHeldToken(held, said, fresh) ? { reason, receivedAt, lifetime } : issuedNow(fresh, reason, receipt))

/** Whether the access token is the one that was held. A server that hands it out again may give it new times as well. */
function isHeldToken(held: Credentials<unknown>, said: Credentials<unknown>, fresh: Credentials<unknown>): boolean {
  if (!fresh.accessToken || fresh.accessToken !== held.accessToken) return false
  return !said.accessToken || (said.expiresInSeconds == null && said.expiresAt == null)
}

/** A record where there is none: its generation is above all that this tab may remember of a record that was cleared. */
export const startRecord = (generation: number): SessionRecord => ({ ...BLANK, version: { generation, revision: 0 } })

/** Newer credentials of the same session. */
export const renewCredentials = (record: SessionRecord, issued: Issued): SessionRecord => ({
  ...record,
  reason: issued.reason,
  receivedAt: issued.receivedAt,
  lifetime: issued.lifetime,
  version: { ...record.version, revision: record.version.revision + 1 },
})

/** Journals an attempt before it is sent: the next tab that gets the lock then knows of an answer that nobody has seen. */
export const beginAttempt = (
  record: SessionRecord,
  at: number,
  timeout: number,
  endsWithPage = false,
): SessionRecord => ({
  ...record,
  attempt: record.attempt + 1,
  // A time yet to come was written before the clock was set back: it would count twice.
  charges: record.charges.filter((time) => time <= at),
  wasted: record.wasted.filter((each) => each.at <= at),
  // A server forgives a second use from the first use on.
  sent: { first: Math.min(record.sent?.first ?? at, at), at, deadline: at + timeout, endsWithPage },
})

/** Nobody can receive the answer of the last attempt any more: the call has failed, or the page that sent it is gone. */
export const loseAnswer = (record: SessionRecord): SessionRecord => ({
  ...record,
  sent: record.sent && { ...record.sent, deadline: 0 },
})

/** An attempt has brought new credentials. */
export const completeAttempt = (record: SessionRecord, issued: Issued, isReload: boolean): SessionRecord => ({
  ...renewCredentials(record, issued),
  mintedBy: record.attempt,
  reloadedBy: isReload ? record.attempt : record.reloadedBy,
  sent: null,
  failures: 0,
  coolUntil: 0,
})

/**
 * A session begins or ends: no attempt of the session before can write any more. Where attempts count from the clock, the
 * record was cleared and begun anew by a tab that may have missed a sign-in: none of those generations may come again.
 */
const beginGeneration = (record: SessionRecord, rest: Partial<SessionRecord>): SessionRecord => ({
  ...BLANK,
  // Of a session that is over: a session that begins knows nothing of it, and must not forget it.
  signOuts: record.signOuts,
  ...rest,
  version: { generation: Math.max(record.version.generation + 1, record.attempt), revision: 0 },
  attempt: record.attempt,
})

export const beginSession = (record: SessionRecord, issued: Issued): SessionRecord =>
  beginGeneration(record, { ...issued, signedIn: true })

export const endSession = (record: SessionRecord, reason: Reason & (Ending | 'restored')): SessionRecord =>
  beginGeneration(record, { reason })

/** The user signs out. The server is to be told. */
export const addSignOut = (record: SessionRecord, id: number, at: number): SessionRecord => ({
  ...record,
  signOuts: [...record.signOuts.slice(1 - MAX_SIGN_OUTS), { id, at }],
})

/** Takes one automatic refresh from the bucket: it failed. */
export const chargeBudget = (record: SessionRecord, now: number): SessionRecord => ({
  ...record,
  charges: [...record.charges.slice(1 - BUCKET_SIZE), now],
})

/** Writes down that the refresh which brought this revision cured nothing. */
export const chargeWasted = (record: SessionRecord, revision: number, at: number): SessionRecord => ({
  ...record,
  wasted: [...record.wasted.slice(1 - MAX_WASTED), { revision, at }],
})
