// What all tabs of one session share. No secrets in here: the credentials are stored beside it. Pure.

export type Reason =
  | 'restored'
  | 'signed-in'
  | 'refreshed'
  | 'reloaded'
  | 'switched'
  | 'updated'
  | 'stale'
  | 'recovered'
  | Ending
/** Why a session is over: the user signed out, or the server said so. */
export type Ending = 'signed-out' | 'expired' | 'revoked' | 'reused'

/** The order of credentials. A sign-in or an end opens a new generation, a refresh raises the revision. */
export interface Version {
  readonly generation: number
  readonly revision: number
}

export const isNewer = (a: Version, b: Version): boolean =>
  a.generation > b.generation || (a.generation === b.generation && a.revision > b.revision)

/** Whether both are of one session. Generation 0 is of a time when it was not yet known which session that is. */
export const isSameSession = (then: Version, now: Version): boolean =>
  !then.generation || then.generation === now.generation

/** Attempts whose outcome is not known: the last one is under way, or its answer was lost. Wall times. */
export interface Sent {
  /** When the first of them was sent, and the last. */
  readonly first: number
  readonly at: number
  /** Until then the answer may come; 0: nobody can receive it any more. */
  readonly deadline: number
  /** Whether nobody can receive the answer once the page that sent it is gone, which shows by the lock of the attempt. */
  readonly endsWithPage: boolean
}

export interface SessionRecord {
  readonly layout: 2
  readonly version: Version
  readonly signedIn: boolean
  readonly reason: Reason
  /** Wall time at which the credentials were received, and their lifetime from then on, in ms. */
  readonly receivedAt: number
  readonly lifetime: number | null
  /** The number of the last attempt that was journalled; of the attempt that brought these credentials; of the last reload. */
  readonly attempt: number
  readonly mintedBy: number
  readonly reloadedBy: number
  /** The first attempt that has to be a reload, because a caller in some tab waits for one. */
  readonly reloadFrom: number
  readonly sent: Sent | null
  readonly failures: number
  /** No refresh before this wall time. */
  readonly coolUntil: number
  /** The server asked for the cool-down: coming back online does not shorten it. */
  readonly isOrdered: boolean
  /** Wall times of the automatic refreshes that failed: the token bucket. */
  readonly charges: readonly number[]
  /** Refreshes that cured nothing, each once: the revision that it brought, and the wall time at which that was refused. */
  readonly wasted: readonly { readonly revision: number; readonly at: number }[]
  /** Sign-outs that the server was not told of yet, the oldest first. A later sign-in or sign-out leaves them there. */
  readonly signOuts: readonly PendingSignOut[]
}

export interface PendingSignOut {
  /** The generation of the session that ended. */
  readonly id: number
  /** Wall time. */
  readonly at: number
}

export const BLANK: SessionRecord = {
  layout: 2,
  version: { generation: 0, revision: 0 },
  signedIn: false,
  reason: 'restored',
  receivedAt: 0,
  lifetime: null,
  attempt: 0,
  mintedBy: 0,
  reloadedBy: 0,
  reloadFrom: 0,
  sent: null,
  failures: 0,
  coolUntil: 0,
  isOrdered: false,
  charges: [],
  wasted: [],
  signOuts: [],
}

const isTime = (value: unknown): boolean => typeof value === 'number' && value >= 0 && value < Infinity
const isCount = (value: unknown): boolean => typeof value === 'number' && value >= 0 && value < Number.MAX_SAFE_INTEGER

/**
 * Whether a stored value is a whole record of this layout that makes sense: other scripts of the origin may have written there,
 * too. Nothing could be newer than a version that is no count, and no refresh be later than an attempt that is none.
 */
export function isRecord(value: unknown): value is SessionRecord {
  const record = Object(value) as SessionRecord
  const {
    layout,
    version,
    charges,
    wasted,
    signOuts,
    receivedAt,
    lifetime,
    coolUntil,
    attempt,
    mintedBy,
    reloadedBy,
    reloadFrom,
  } = record
  const areTypesRight = Object.entries(BLANK).every(
    ([name, part]) => part === null || typeof record[name as keyof SessionRecord] === typeof part,
  )
  return (
    layout === BLANK.layout &&
    areTypesRight &&
    [version?.generation, version?.revision, attempt].every(isCount) &&
    [mintedBy, reloadedBy, reloadFrom - 1].every((number) => number <= attempt) &&
    [receivedAt, coolUntil, lifetime ?? 0].every(isTime) &&
    [charges, wasted, signOuts].every(Array.isArray) &&
    isSent(record.sent)
  )
}

/** The times of an attempt, in their order; or `null`. */
function isSent(sent: SessionRecord['sent']): boolean {
  if (sent === null) return true
  const { first, at, deadline } = Object(sent) as NonNullable<typeof sent>
  return [first, at, deadline].every(isTime) && first <= at && (at <= deadline || deadline === 0)
}

/** The record and, beside it, its credentials, in the form in which the storage keeps them. */
export interface Row<C> {
  readonly record: SessionRecord
  readonly credentials: C | null
  /** What the server is to be told of pending sign-outs with, by their ids. */
  readonly leaving?: { readonly [id: string]: C } | undefined
}

/** Credentials of a session that is over, to tell the server of its sign-out with. */
export interface Leaving<C> {
  /** Newer ones for this sign-out. `null`: for the last one, if the row holds none for it. */
  readonly id: number | null
  readonly credentials: C
}

/** Sees the record as it stands and gives the next one, or `undefined` to leave it alone. */
export type Change = (old: SessionRecord | null) => SessionRecord | undefined

const leaveAsIs: Change = (old) => old ?? undefined

/** The row after a change; `null` where the change left it alone. Credentials that are left out stay as they are. */
export function applyChange<C>(
  found: Row<C> | null | undefined,
  change: Change = leaveAsIs,
  credentials?: C | null,
  leaving?: Leaving<C>,
): Row<C> | null {
  const old = isRecord(found?.record) ? found : null
  const record = change(old?.record ?? null)
  if (!record) return null
  const kept = keepLeaving(old, record, leaving)
  const next = { record, credentials: (credentials === undefined ? old?.credentials : credentials) ?? null }
  return Object.keys(kept)[0] ? { ...next, leaving: kept } : next
}

/** In the step that writes a sign-out down, the credentials of its session move to those that are kept for telling the server. */
function keepLeaving<C>(old: Row<C> | null, { signOuts }: SessionRecord, fresh?: Leaving<C>): { [id: string]: C } {
  const kept: { [id: string]: C } = {}
  for (const { id } of signOuts) {
    const own = old?.record.version.generation === id ? old.credentials : null
    const isLast = id === signOuts.at(-1)!.id
    const fallback = fresh?.id === null && isLast ? fresh.credentials : null
    const credentials = fresh?.id === id ? fresh.credentials : (old?.leaving?.[id] ?? own ?? fallback)
    if (credentials) kept[id] = credentials
  }
  return kept
}
