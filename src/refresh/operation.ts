// What an operation of the core is: one talk with the server, as `exchange.ts` carries it out. Types only.

import type { Stored } from '../runtime/ports.ts'
import type { Commit, Operation, Sending } from '../seam/extension.ts'
import type { RefreshIntent } from '../seam/io.ts'
import type { Source } from '../session/events.ts'
import type { Credentials } from '../state/credentials.ts'
import type { Receipt } from '../state/expiry.ts'
import type { Plan } from '../state/plan.ts'
import type { SessionRecord, Version } from '../state/record.ts'

/** What the core's own operations may say beyond those of extensions. */
export interface CoreOperation<U, A> extends Operation<U, A> {
  /** In place of `call`, for code of the app: no deadline, and what it throws is thrown on as it is. */
  run?(): Promise<A>
  /** Sign-outs that the server has missed are told first; `required`: if that fails, so does this operation. */
  readonly pendingSignOut?: 'required' | 'attempted'
  /** Whether a checkpoint is all that the caller waits for. */
  readonly isCheckpointEnough?: boolean
  /** What a checkpoint changes. @default as an answer */
  checkpoint?(credentials: Credentials<U>, sending: Sending<U>, receipt: Receipt): Commit<U> | undefined
  /** What is published in place of what was read or written. */
  present?(news: News<U>): News<U>
  /** Why it is sent, for traces. */
  reason?(record: SessionRecord): RefreshIntent['reason']
}

export type News<U> = readonly [stored: Stored<U> | null, source: Source]

export interface Exchanged<A> {
  /** What was decided with the record in hand. */
  readonly plan: Plan | 'done'
  /** Of what was found or written. */
  readonly version?: Version | undefined
  /** Only where it was sent. */
  readonly answer?: A | undefined
}

/** @throws SessionError */
export type Exchange<U> = <A>(operation: CoreOperation<U, A>) => Promise<Exchanged<A>>

/** Makes the operation that tells the server of the sign-out of this id. */
export type SignOutOperation<U> = (id: number) => Operation<U, void>
