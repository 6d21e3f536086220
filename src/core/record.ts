// What all tabs of one session share, and every change that may be made to it. Pure: each change takes the record as it
// stands and gives the next one, or undefined where it came too late. That refusal is the fence: a holder that was frozen,
// robbed or restored finds the record moved on, and cannot write. No secrets in here: credentials are stored beside it.

import type { Ending, Reason } from './state.ts'

/** Order of credentials. A sign-in or an end opens a new generation, a refresh raises the revision. */
export interface Version {
  readonly generation: number
  readonly revision: number
}

export const isNewer = (a: Version, b: Version): boolean =>
  a.generation > b.generation || (a.generation === b.generation && a.revision > b.revision)

/** Whether what began with `then` belongs to the session of `now`. Generation 0: begun before it was known which one that is. */
export const isSameSession = (then: Version, now: Version): boolean =>
  !then.generation || then.generation === now.generation

export interface Record {
  readonly layout: 1
  readonly version: Version
  readonly signedIn: boolean
  readonly reason: Reason
  /** Wall time of receipt, and the life from there in ms. */
  readonly receivedAt: number
  readonly life: number | null
  /** Number of the last refresh that was journalled; the one that brought these credentials; the last that asked for the user. */
  readonly attempt: number
  readonly minted: number
  readonly reloaded: number
  /** The first attempt that has to ask for the user, until one did: somebody, in whatever tab, waits for that. */
  readonly reloadFrom: number
  /** A refresh whose outcome nobody has written down: under way, or lost with its answer. */
  readonly sent: { readonly first: number; readonly at: number; readonly deadline: number } | null
  readonly failures: number
  /** No refresh before this wall time. */
  readonly coolUntil: number
  /** By the server: not even coming online shortens it. */
  readonly isOrdered: boolean
  /** Wall times of the automatic refreshes that failed or cured nothing: the token bucket. */
  readonly wasted: readonly number[]
  /** The user signed out, and the server does not know yet. */
  readonly untold: boolean
}

export const BLANK: Record = {
  layout: 1,
  version: { generation: 0, revision: 0 },
  signedIn: false,
  reason: 'restored',
  receivedAt: 0,
  life: null,
  attempt: 0,
  minted: 0,
  reloaded: 0,
  reloadFrom: 0,
  sent: null,
  failures: 0,
  coolUntil: 0,
  isOrdered: false,
  wasted: [],
  untold: false,
}

/** Whether it is a record of this layout, and whole: anybody may have written there. */
export function isRecord(value: unknown): value is Record {
  const record = Object(value) as Record
  const { layout, version, wasted } = record
  return (
    layout === BLANK.layout &&
    version?.generation >= 0 &&
    version.generation < Number.MAX_SAFE_INTEGER &&
    version.revision >= 0 &&
    Array.isArray(wasted) &&
    Object.entries(BLANK).every(([name, part]) => part === null || typeof record[name as keyof Record] === typeof part)
  )
}

/** The record and, beside it, the credentials it speaks of, in the form they are kept in. */
export interface Row<C> {
  readonly record: Record
  readonly credentials: C | null
}

/** Sees the record as it stands and gives the next one, or undefined to leave it. */
export type Change = (old: Record | null) => Record | undefined

const unchanged: Change = (old) => old ?? undefined

/** The row after a change, `null` where there is none; credentials that are left out stay. The old one may be anybody's. */
export function rowAfter<C>(
  found: Row<C> | null | undefined,
  change: Change = unchanged,
  credentials?: C | null,
): Row<C> | null {
  const old = isRecord(found?.record) ? found : null
  const record = change(old?.record ?? null)
  return record ? { record, credentials: (credentials === undefined ? old?.credentials : credentials) ?? null } : null
}

const BUCKET = 5
const BUCKET_MS = 60_000
// Longer than any cool-down we write down: a clock that was set back must not stretch one for ever.
const LONGEST_COOL_DOWN = 600_000

/** What a refresh is asked for. */
export interface Ask {
  /** Only a refresh that starts after the asking will do (linearizable freshness). */
  readonly forced: boolean
  readonly reload: boolean
  /** Names what it wants beyond a plain refresh: another organization, input data. Such a one is shared with its like only. */
  readonly alone?: string | undefined
}

/** Who asks, and what had happened when it did. */
export interface Asked extends Ask {
  readonly version: Version
  /** The journal's number at that time. */
  readonly attempt: number
}

/**
 * Under the lock: has somebody else done it already, or may it be sent? `give-up`: too many automatic refreshes brought
 * nothing. A wall time: not before then, since an earlier attempt may be under way, or the server wants peace.
 */
export function planned(
  { version, signedIn, minted, reloaded, sent, coolUntil, wasted }: Record,
  asked: Asked,
  now: number,
  replayWindow: number,
): 'adopt' | 'send' | 'give-up' | number {
  if (!signedIn || !isSameSession(asked.version, version)) return 'adopt'
  const isDone = asked.forced
    ? minted > asked.attempt && (!asked.reload || reloaded > asked.attempt)
    : isNewer(version, asked.version)
  if (isDone && asked.alone === undefined) return 'adopt'
  if (!asked.forced && wasted.filter((at) => at <= now && now - at < BUCKET_MS).length >= BUCKET) return 'give-up'
  if (coolUntil > now && coolUntil - now < LONGEST_COOL_DOWN) return coolUntil
  // Times of before the clock was set back say nothing.
  return sent && now >= sent.first + replayWindow && now < sent.deadline ? sent.deadline : 'send'
}

/** Journals an attempt before it is sent: a later holder then knows of an answer nobody saw. */
export const journalled = (record: Record, at: number, timeout: number): Record => ({
  ...record,
  attempt: record.attempt + 1,
  wasted: record.wasted.filter((time) => time <= at), // of before the clock was set back: they would count once more
  // A server forgives from the first use on; a time that is yet to come is of before the clock was set back.
  sent: { first: Math.min(record.sent?.first ?? at, at), at, deadline: at + timeout },
})

export interface Minted {
  readonly reason: Reason
  readonly receivedAt: number
  readonly life: number | null
}

/** Newer credentials of the same session. */
export const renewed = (record: Record, minted: Minted): Record => ({
  ...record,
  ...minted,
  version: { ...record.version, revision: record.version.revision + 1 },
})

export const refreshed = (record: Record, minted: Minted, reload: boolean): Record => ({
  ...renewed(record, minted),
  minted: record.attempt,
  reloaded: reload ? record.attempt : record.reloaded,
  sent: null,
  failures: 0,
  coolUntil: 0,
})

/**
 * A session begins, or ends: whatever was under way for the one before can't write any more. Where attempts count from the
 * clock, the record was cleared, and begun anew by a tab that may have missed a sign-in: no generation of that may come again.
 */
const opened = (record: Record, rest: Partial<Record>): Record => ({
  ...BLANK,
  ...rest,
  version: { generation: Math.max(record.version.generation + 1, record.attempt), revision: 0 },
  attempt: record.attempt,
})

export const signedIn = (record: Record, minted: Minted): Record => opened(record, { ...minted, signedIn: true })

export const over = (record: Record, reason: Reason & (Ending | 'restored'), untold = false): Record =>
  opened(record, { reason, untold })

/** A late answer still counts, until a later attempt is journalled or the generation has moved on. */
export const mayWrite = (record: Record | null, { attempt, version }: Record): record is Record =>
  !!record?.signedIn && record.attempt === attempt && record.version.generation === version.generation

/** Takes one from the bucket of automatic refreshes that brought nothing. */
export const wasted = (record: Record, now: number): Record => ({
  ...record,
  wasted: [...record.wasted.slice(1 - BUCKET), now],
})
