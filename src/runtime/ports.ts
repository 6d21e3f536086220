// What the session asks of the world it runs in, one interface for each thing. Types only.

import type { Credentials } from '../state/credentials.ts'
import type { Change, Leaving, Row, SessionRecord } from '../state/record.ts'
import type { Fetch, ReadGlobal, Undo } from '../seam/io.ts'

/** Everything the SDK touches. Left out: the real one, read at call time. `null`: absent. */
export type Platform = {
  [K in keyof typeof globalThis]?: (K extends 'fetch' ? Fetch : (typeof globalThis)[K]) | null
}

export interface Clock {
  /** Wall time, epoch ms: may jump. */
  now(): number
  /**
   * Monotonic ms, for everything that happens within this page: how much time has passed, sleep of the machine included. Goes
   * on with the clock of the platform that has moved further, so that a wall clock which is set forward ends a life, and one
   * which is set back lengthens none.
   */
  mono(): number
  /** Runs once after that many ms, however many they are. @returns what stops it. */
  after(ms: number, run: () => void): Undo
  random(): number
}

/** One holder at a time, over all tabs. */
export interface Locks {
  /** Whether the holder's attempt is written where the tabs that wait can read it. */
  readonly isJournalShared: boolean
  /**
   * @param patience Called once only other tabs are waited for: when its signal aborts, the lock may be taken from its holder.
   * @throws the reason of `late`, if that aborts while the lock is waited for.
   */
  acquire(late: AbortSignal, patience: () => AbortSignal): Promise<Undo>
  /** Whether holding it keeps every other tab out. */
  isSole(): boolean
  /**
   * A lock of its own for one attempt, beside the lock that `acquire` gives: the platform frees it when this page is closed or
   * crashes, not while the page is frozen. `null`: there are no such locks.
   */
  holdAttempt(id: string): Promise<Undo | null>
  /** What the locks tell of the tab that has sent this attempt; without an id: of the tabs that have sent any. */
  findSender(id?: string): Promise<Sender>
}

/**
 * `gone`: no page holds the lock of the attempt. `in-turn`: the page that does holds the lock of the session as well.
 * `out-of-turn`: it has lost that, since it was frozen or stalled. `unknown`: there are no such locks.
 */
export type Sender = 'gone' | 'in-turn' | 'out-of-turn' | 'unknown'

/** The shared record and its credentials, as a session reads them. */
export type Stored<U> = Row<Credentials<U>>

/** The shared record and, beside it, the credentials it speaks of. */
export interface Records<U> {
  read(): Promise<Stored<U> | null>
  /**
   * An atomic compare-and-set. The credentials are written in the same step; left out, they stay.
   * @returns the record that was written, or `null` where the change left it alone.
   */
  update(
    change: Change,
    credentials?: Credentials<U> | null,
    leaving?: Leaving<Credentials<U>>,
  ): Promise<SessionRecord | null>
}

/** `moved`: the record has moved. `cleared`: it is gone, and whoever holds the session should write it anew. Never what it holds. */
export type Hint = 'moved' | 'cleared'

/** News between tabs. */
export interface Channel {
  /** Answers whether other tabs could hear it. */
  post(hint: Hint): boolean
  listen(run: (hint: Hint) => void): void
  /** Has this tab answer those who ask for a tab that is busy, as long as it is. */
  answerWhile(isBusy: () => boolean): void
  /** Whether another tab that is busy answers: its script does not stand still. True where there are no messages. */
  isAnswered(): Promise<boolean>
}

/** What the page goes through. */
export interface Page {
  /** False where there is no page at all. */
  isVisible(): boolean
  /** False only where the platform knows that there is no network. */
  isOnline(): boolean
  /** The user or the network is back: the record may have moved, and a refresh that is due may work now. */
  onWake(run: (why: string) => void): void
  /** From now on nothing runs here, maybe for hours. */
  onSleep(run: () => void): void
}

export interface Runtime<U> {
  readonly clock: Clock
  readonly locks: Locks
  readonly records: Records<U>
  readonly channel: Channel
  readonly page: Page
  /** Whether what is stored is shared with other tabs, and other sessions of this page. */
  readonly isShared: boolean
  /** The transport: what lies below an installed patch. */
  fetch: typeof fetch
  /** What relative URLs are resolved against, where there is a page. */
  base(): string | undefined
  cookie(name: string): string | null
  /** Reads a global of the platform. */
  readonly get: ReadGlobal
  /** Aborted when the session is disposed of. */
  readonly disposed: AbortSignal
  dispose(): void
}
