// Where a schedule is played: what the seed may do to people, networks and devices, and what is known when it is over.

import type { createSession, Session } from 'resesh'
import type { bearer } from 'resesh/backends/bearer'
import type { custom } from 'resesh/storage/custom'
import type { Dice } from './dice.ts'
import type { Claims, Server } from './server.ts'
import type { LiveTab } from './tab.ts'

/** What is looked at: the source itself, or a mutant of it. */
export interface Sdk {
  readonly createSession: typeof createSession
  readonly bearer: typeof bearer
  readonly custom: typeof custom
}

export interface Result {
  readonly seed: number
  readonly hash: string
  /** `I5 tab 2 stores …`, or null. */
  readonly violation: string | null
  readonly steps: number
  readonly trace: readonly string[]
  readonly thefts: number
}

export interface OpenTab extends LiveTab {
  readonly session: Session<{ id: string; v: number }, Claims>
}

/** What the scenario may do. */
export interface Stage {
  readonly dice: Dice
  readonly nights: Dice
  readonly server: Server
  readonly tabs: readonly OpenTab[]
  /** 0: none. */
  faults: number
  isOnline: boolean
  /** Refreshes are answered with 500. */
  isStormy: boolean
  now(): number
  after(ms: number, run: () => void): void
  open(): void
  /** The wall clock of the device is set. */
  jump(ms: number): void
  /** The machine sleeps: everything stands still but the wall clock and the server. */
  sleep(ms: number): void
  /** The user clears the site's data, under all tabs. */
  clear(): void
  /** The storage answers nothing for so long: a disk that is busy, a tab that keeps the database from all others. */
  slowDown(ms: number): void
  call(
    tab: OpenTab,
    kind: string,
    run: (id: string, signal?: AbortSignal) => Promise<unknown>,
    abortAfter?: number,
  ): void
  note(text: string): void
}

export interface Run {
  until(time: number): Promise<void>
  /** Until every call has settled, at most until then. */
  settled(time: number): Promise<void>
  readonly longEnough: number
}
