// What all tabs of one session share, and every change that may be made to it. Pure: each change takes the record as it
// stands and gives the next one, or undefined where it came too late. That refusal is the fence: a holder that was frozen,
// robbed or restored finds the record moved on, and cannot write. No secrets in here: credentials are stored beside it.

import type { Reason, Ending } from './state.ts'

/** Order of credentials. A sign-in or an end opens a new generation, a refresh raises the revision. */
export interface Version {
  readonly generation: number
  readonly revision: number
}

export const isNewer = (a: Version, b: Version): boolean =>
  a.generation > b.generation || (a.generation === b.generation && a.revision > b.revision)

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
  /** A refresh whose outcome nobody has written down: under way, or lost with its answer. */
  readonly sent: { readonly at: number; readonly deadline: number } | null
  readonly failures: number
  /** No refresh before this wall time; `told` by the server, so that not even coming online shortens it. */
  readonly coolUntil: number
  readonly told: boolean
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
  sent: null,
  failures: 0,
  coolUntil: 0,
  told: false,
  wasted: [],
  untold: false,
}

const BUCKET = 5
const BUCKET_MS = 60_000

/** What a refresh is asked for. */
export interface Ask {
  /** Only a refresh that starts after the asking will do (linearizable freshness). */
  readonly forced: boolean
  readonly reload: boolean
  /** Names what it wants beyond a plain refresh: another organization, input data. Such a one is shared with its like only. */
  readonly alone: string | null
}

/** An automatic refresh: anything newer than what is held will do. */
export const AUTOMATIC: Ask = { forced: false, reload: false, alone: null }

/** Who asks, and what had happened when it did. */
export interface Asked {
  readonly ask: Ask
  readonly version: Version
  /** The journal's number at that time. */
  readonly attempt: number
  /** The network came back: a cool-down of our own making is over. */
  readonly hasty?: boolean
}

export type Plan =
  | { do: 'adopt' }
  | { do: 'send' }
  /** An earlier attempt may still be under way, or the server wants peace. */
  | { do: 'wait'; until: number }
  /** Too many automatic refreshes brought nothing. */
  | { do: 'give-up' }

// Longer than any cool-down we write down: a clock that was set back must not stretch one for ever.
const LONGEST_COOL_DOWN = 600_000

/** Under the lock: has somebody else done it already, may it be sent, or may an earlier one still be under way? */
export function planned(record: Record, asked: Asked, now: number, replayWindow: number): Plan {
  const { ask, version, attempt } = asked
  if (!record.signedIn || record.version.generation !== version.generation) return { do: 'adopt' }
  if (ask.alone === null) {
    const done = ask.forced
      ? record.minted > attempt && (!ask.reload || record.reloaded > attempt)
      : isNewer(record.version, version)
    if (done) return { do: 'adopt' }
  }
  if (!ask.forced && isExhausted(record, now)) return { do: 'give-up' }
  const { sent, coolUntil, told } = record
  if (coolUntil > now && coolUntil - now <= LONGEST_COOL_DOWN && (told || !asked.hasty))
    return { do: 'wait', until: coolUntil }
  // Times of before the clock was set back say nothing.
  if (sent && now >= sent.at && now < sent.deadline && now - sent.at >= replayWindow)
    return { do: 'wait', until: sent.deadline }
  return { do: 'send' }
}

/** Journals an attempt before it is sent: a later holder then knows of an answer nobody saw. */
export const journalled = (record: Record, version: Version, now: number, timeout: number): Record | undefined =>
  record.signedIn && same(record.version, version)
    ? { ...record, attempt: record.attempt + 1, sent: { at: now, deadline: now + timeout } }
    : undefined

/** A late answer still counts, until a later attempt is journalled or the generation has moved on. */
const mayWrite = (record: Record, attempt: number, generation: number): boolean =>
  record.signedIn && record.attempt === attempt && record.version.generation === generation

export interface Minted {
  readonly reason: Reason
  readonly receivedAt: number
  readonly life: number | null
}

export const refreshed = (
  record: Record,
  attempt: number,
  generation: number,
  fresh: Minted,
  reload: boolean,
): Record | undefined =>
  mayWrite(record, attempt, generation)
    ? {
        ...renewed(record, fresh),
        minted: attempt,
        reloaded: reload ? attempt : record.reloaded,
        sent: null,
        failures: 0,
        coolUntil: 0,
      }
    : undefined

/** Newer credentials of the same session that no refresh brought. */
export const renewed = (record: Record, fresh: Minted): Record => ({
  ...record,
  ...fresh,
  version: { ...record.version, revision: record.version.revision + 1 },
})

export interface Failure {
  /** The outcome is unknown: the refresh token may be spent, so `sent` stays. */
  readonly unknown: boolean
  /** null: nothing failed, the server wants something of the user first. */
  readonly cool: { readonly until: number; readonly told: boolean } | null
}

export const failed = (record: Record, attempt: number, generation: number, failure: Failure): Record | undefined =>
  mayWrite(record, attempt, generation)
    ? {
        ...record,
        sent: failure.unknown ? record.sent : null,
        ...(failure.cool && {
          failures: record.failures + 1,
          coolUntil: failure.cool.until,
          told: failure.cool.told,
        }),
      }
    : undefined

export const ended = (record: Record, attempt: number, generation: number, reason: Ending): Record | undefined =>
  mayWrite(record, attempt, generation) ? over(record, reason) : undefined

export const signedOut = (record: Record, untold: boolean): Record => ({ ...over(record, 'signed-out'), untold })

export const signedIn = (record: Record, fresh: Minted): Record => ({
  ...BLANK,
  ...fresh,
  signedIn: true,
  version: { generation: record.version.generation + 1, revision: 0 },
  attempt: record.attempt,
})

export const over = (record: Record, reason: Ending): Record => ({
  ...BLANK,
  reason,
  version: { generation: record.version.generation + 1, revision: 0 },
  attempt: record.attempt,
})

/** Takes one from the bucket of automatic refreshes that brought nothing. */
export const wasted = (record: Record, now: number): Record => ({ ...record, wasted: [...recent(record, now), now] })

export const isExhausted = (record: Record, now: number): boolean => recent(record, now).length >= BUCKET

const recent = (record: Record, now: number): readonly number[] =>
  record.wasted.filter((at) => at <= now && now - at < BUCKET_MS)

const same = (a: Version, b: Version): boolean => a.generation === b.generation && a.revision === b.revision
