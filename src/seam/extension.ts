// What an extension is: one optional capability as a plain object, and what the session lets it do. Types only.
//
// An extension judges, it never sends. Whatever it answers, the core still checks the session, the body and the number of
// sends afterwards, so that an extension can't break a promise.

import type { AnySessionError, Challenge, SessionEndedError, StepUpRequiredError } from '../errors.ts'
import type { Credentials, Json } from '../state/credentials.ts'
import type { Receipt } from '../state/expiry.ts'
import type { Plan } from '../state/plan.ts'
import type { Change, Row, SessionRecord, Version } from '../state/record.ts'
import type { State } from '../state/view.ts'
import type { Awaitable, Io, RefreshIntent, RequestView, SideToken } from './io.ts'

/**
 * `createSession({ backend, use: [extension] })`. The first extension in the list that has a word to say counts; those of the
 * backend come last. An extension that throws has said nothing, and an `error` event tells of it.
 */
export interface Extension {
  /** Two extensions of one name are an `InvalidOptionError`. */
  readonly name: string
  /** Called once, as the session is created. */
  setup(kernel: Kernel): ExtensionHooks
}

/** `deliver`: the caller gets the response. `replay`: sent again, without a refresh. `refresh`: sent again after a refresh. */
export type ExtensionVerdict = 'deliver' | 'replay' | 'refresh'

/** All are optional, and none is called for a request to an origin that is not the session's. */
export interface ExtensionHooks {
  /** Sees each response before anybody judges it. A returned promise is awaited. */
  observe?(context: ResponseContext): Promise<unknown> | undefined
  /**
   * Says what a response means, before the core does; `undefined`: nothing. Not asked where the caller brought its own
   * `Authorization`. While a promise is awaited, a sign-out, another sign-in or the caller's abort frees the request.
   */
  judge?(context: ResponseContext): Awaitable<ExtensionVerdict | undefined>
  /**
   * The request can't go on: the server has ended its session, or refuses a refresh until the user has done more. `deliver`, or
   * nothing: the caller gets the server's answer. `replay`: it goes on as soon as the same user is signed in.
   */
  blocked?(
    context: RequestContext,
    error: SessionEndedError | StepUpRequiredError,
  ): Awaitable<'deliver' | 'replay' | undefined>
  /** Sees each response that was not refused, before its caller does. A returned promise is awaited. */
  served?(context: ResponseContext): Promise<unknown> | undefined
  /** Answers `getToken` for another organization, template or resource; `undefined`: it has none. */
  token?(target: TokenTarget, options: SideTokenOptions): Promise<string | null> | undefined
}

export interface RequestContext {
  readonly request: RequestView
  /** The request as a handler of the app may see it: without credentials of the session. */
  shown(): RequestView
  /** Whether the request may be sent once more: its body can be, and it was not sent too often. */
  readonly mayReplay: boolean
  /** Aborted when the caller gives up, or the session is disposed of. */
  readonly signal: AbortSignal
}

export interface ResponseContext extends RequestContext {
  readonly response: Response
  /** The version of the credentials that it was sent with; generation 0: it was not yet known who is signed in. */
  readonly sentWith: Version
}

export type TokenTarget = Pick<RefreshIntent, 'organizationId' | 'template' | 'resource'>

export interface SideTokenOptions {
  /** Only a token that is minted after this call. */
  readonly skipCache: boolean
  /** ms that the token has to live at least. */
  readonly minValidity: number | undefined
}

/** What a backend can do beyond keeping the session alive. */
export interface ServerSkills<U = Json> {
  readonly name: string
  /**
   * What a response asks of the user beyond being signed in; `null`: nothing. Read by the extension `stepUp`.
   * @default RFC 9470 §3: a 401 with `insufficient_user_authentication`
   */
  stepUp?(response: Response, request: RequestView): Awaitable<Challenge | null>
  /**
   * A token for something else than the session, where the server has such. The session is not switched by it. `null`: the
   * session is over. Used by the extension `sideTokens`.
   */
  token?(credentials: Credentials<U>, io: Io<U>, target: RefreshIntent): Promise<SideToken<U> | null>
  /** What a token of {@link ServerSkills.token} may be for. Asking for anything else is an `InvalidOptionError`. @default [] */
  readonly mints?: readonly (keyof TokenTarget)[]
}

/** What the session lets an extension do. */
export interface Kernel {
  readonly server: ServerSkills
  readonly current: State
  /** The version of what this tab holds. Another generation is another session. */
  readonly version: Version
  readonly credentials: Credentials | null
  /** Whether the user has signed in or out in this tab. */
  readonly hasDecided: boolean
  /** Whether a response is one that refuses the access token, by the session's own rule. May throw what code of the app throws. */
  isExpired(context: ResponseContext): Awaitable<boolean>
  /** Aborted when the session is disposed of: what an extension has subscribed to ends then. */
  readonly disposed: AbortSignal
  /** Wall time, epoch ms. */
  now(): number
  /** Monotonic ms, sleep of the machine included. */
  mono(): number
  /**
   * A refresh that starts after this call, shared with others that come meanwhile. Never rejects: what could not be found out
   * makes the session `stale`, and it heals; any other failure is told by an `error` event.
   */
  refresh(options?: { reload?: boolean }): Promise<void>
  /**
   * Writes the record without asking the server, and publishes what it holds then.
   * @throws InvalidTokenError for credentials without a token, unless the backend says that it needs none. Nothing is written.
   */
  write(commit: Commit<Json>): Promise<void>
  /** Tells an error that no call can be told of, by an `error` event. */
  report(error: AnySessionError): void
  /** Talks with the server under the lock of all tabs: see {@link Operation}. */
  exchange<A>(operation: Operation<Json, A>): Promise<A | undefined>
}

/** One talk with the server: lock → read → plan → journal → call → fenced commit → publish. */
export interface Operation<U, A> {
  /** For messages. */
  readonly name: string
  /**
   * With what the storage holds now: may it be sent? `done`: no, nothing is left to do. `adopt`: no, another tab has done it.
   * A number: not before that wall time.
   */
  plan(found: Row<Credentials<U>> | null, now: number, replayWindow: number): Plan | 'done'
  /** Whether the call may use up the refresh token: then it is journalled, and an answer that comes late still counts. */
  maySpend(held: Credentials<U> | null): boolean
  call(io: Io<U>, sending: Sending<U>): Promise<A>
  /** What the answer changes. `undefined`: nothing. Not called for an answer that no one waits for, unless it `maySpend`. */
  commit(answer: A, sending: Sending<U>, receipt: Receipt): Commit<U> | undefined
  /** What changes where the server has ended the session. Left out: such an answer is a failure. */
  end?(reason: SessionEndedError['reason'], sending: Sending<U>): Commit<U>
  /**
   * Where another tab was quicker, so that the commit is refused: take over what that tab wrote; plan again, since that may
   * not be enough; or be content with the answer. @default 'adopt'
   */
  readonly ifRefused?: 'adopt' | 'plan-again' | 'keep-answer'
  /** Whether a failure counts in the bucket of automatic refreshes. @default false */
  readonly isAutomatic?: boolean
}

export interface Sending<U> {
  /** The record after the attempt was journalled; without a journal: as it was found. */
  readonly record: SessionRecord | null
  readonly held: Credentials<U> | null
}

export interface Commit<U> {
  readonly change: Change
  /** Written in the same step; left out, they stay. */
  readonly credentials?: Credentials<U> | null
}

export type { Challenge, SideToken }
