// What can be seen of the world from outside, as it happens: the oracles look at nothing else.

import type { State } from 'resesh'
import type { SessionRecord } from '../../src/state/record.ts'
import type { Owner } from './clock.ts'
import type { Access, Claims, Family } from './server.ts'

export type View = State<{ id: string; v: number }, Claims>

export interface Tab extends Owner {
  readonly id: number
  readonly openedAt: number
  /** When it stood still, went on, lost a lock, or was thrown away. */
  readonly breaks: number[]
  /** When it last came back, and was told so. */
  returnedAt: number
  /** Timers of a hidden tab fire only at multiples of this. */
  throttle: number
  isHidden: boolean
  view(): View
}

/** One request as it left a tab. */
export interface Sent {
  readonly nth: number
  readonly tab: Tab
  readonly at: number
  readonly method: string
  readonly url: URL
  readonly body: string
  /** The call of the app it is made for; null: one of the session's own. */
  readonly call: Call | null
  readonly authorization: string | null
  readonly token: Access | null
  /** The refresh token in its body, and whose it is. */
  readonly refreshToken: string | null
  readonly family: Family | null
  outcome: 'open' | 'answered' | 'failed' | 'aborted'
  status: number
  settledAt: number
  /** Until when the storage may not have taken what was answered: it was slow then. */
  writableAt: number
  /** What the server asked for in a `Retry-After`, ms. */
  retryAfter: number
  /** Of a refresh: the number its tab had journalled last, the token that the answer brings, and whether it got there. */
  attempt: number
  minted: Access | null
}

/** One call of the app, from asking to settling. */
export interface Call {
  readonly id: string
  readonly kind: string
  readonly tab: Tab
  readonly at: number
  /** What the app saw when it called. */
  readonly view: View
  /** How old the profile was then, by the server. */
  readonly edition: number
  readonly abort: AbortController | null
  abortedAt: number
  settledAt: number
  value: unknown
  error: unknown
}

export interface Value {
  readonly record: SessionRecord
  readonly credentials: { accessToken: string; refreshToken: string } | null
}

export interface Facts {
  sent(sent: Sent): void
  posted(message: unknown): void
  stored(tab: Tab, old: Value | null, next: Value): void
  cleared(): void
  changed(tab: Tab, view: View, previous: View): void
  /** An event of any kind, as it would be written to a log. */
  told(text: string): void
  called(call: Call): void
  settled(call: Call): void
  aborted(call: Call): void
  /** The server did something for this call. */
  executed(call: Call): void
  /** The server takes the nth request for theft. */
  stolen(family: Family, refreshToken: string, nth: number): void
  rejected(error: unknown): void
  /** Faults have stopped, everybody has been woken, and much time has passed. */
  ended(tabs: readonly Tab[], stored: Value | null): void
}

export type Publish = <K extends keyof Facts>(fact: K, ...details: Parameters<Facts[K]>) => void

/** An oracle sees what it wants to see, and says what is wrong. */
export type Oracle = (look: Look) => Partial<Facts>

export interface Look {
  readonly timeout: number
  readonly replayWindow: number
  /** Of an access token, ms. */
  readonly life: number
  now(): number
  /** What the clock of the world says: time goes on while the machine sleeps. */
  worldTime(): number
  /** When the wall clock was set last, or the machine slept: which of the two it was, no page can tell. */
  jumpedAt(): number
  /** When the wall clock was set back last. */
  setBackAt(): number
  /** When the storage was cleared last: what had been written before, nobody can know. */
  clearedAt(): number
  /** The later of the two. */
  upsetAt(): number
  readonly sent: readonly Sent[]
  readonly calls: readonly Call[]
  access(token: string): Access | undefined
  family(id: number): Family | undefined
  familyOf(refreshToken: string): Family | undefined
  isOver(family: Family): boolean
  fail(why: string): void
}
