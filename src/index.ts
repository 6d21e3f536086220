// Names only. Backends, extensions and storages are entries of their own, so that nobody ships what they don't use.

export type { Credentials, Json } from './state/credentials.ts'
export type { Receipt } from './state/expiry.ts'
export type { Plan } from './state/plan.ts'
export type { Change, Reason, Row, SessionRecord, Version } from './state/record.ts'
export type { Verdict } from './state/verdict.ts'
export type { AuthenticatedState, LoadingState, State, Status, UnauthenticatedState } from './state/view.ts'
export {
  type AnySessionError,
  CallbackError,
  type Challenge,
  InvalidOptionError,
  InvalidTokenError,
  LoginError,
  QueueFullError,
  RefreshFailedError,
  RefreshTimeoutError,
  ReplayError,
  SessionDisposedError,
  SessionEndedError,
  SessionError,
  SignInRefusedError,
  StepUpRequiredError,
  StorageError,
} from './errors.ts'
export type { RefreshAhead, SessionOptions } from './options.ts'
export type { Replay, RequestOptions, SessionRequestInit } from './request/replayable.ts'
export type { Globals } from './runtime/globals.ts'
export type { Platform, Records, Stored } from './runtime/ports.ts'
export type { Backend, BackendIdentity } from './seam/backend.ts'
export type {
  Commit,
  Extension,
  ExtensionHooks,
  ExtensionVerdict,
  Kernel,
  Operation,
  RequestContext,
  ResponseContext,
  Sending,
  ServerSkills,
  SideTokenOptions,
  TokenTarget,
} from './seam/extension.ts'
export type {
  Attached,
  AttachedRequest,
  Awaitable,
  CookieReader,
  Fetch,
  Io,
  IsExpired,
  RefreshIntent,
  RequestView,
  SideToken,
  Undo,
} from './seam/io.ts'
export type { SessionFetch } from './request/intercept.ts'
export type { Session } from './face.ts'
export { createSession } from './session.ts'
export type { Events, Source } from './session/events.ts'
export type { ExchangeOutcome, HoldReason, Trace, Traces } from './seam/trace.ts'
export type { RefreshOptions } from './session/renew.ts'
export type { LogIn, SignInSource } from './session/sign-in.ts'
export type { LoginAnswer } from './session/login.ts'
export type { SignOutOptions } from './session/sign-out.ts'
export type { TokenOptions } from './session/tokens.ts'
export { indexedDb } from './storage/indexeddb.ts'
export { memory } from './storage/memory.ts'
export type { SessionStorage, StoragePlace } from './storage/storage.ts'
export { defineBackend } from './backends/kit.ts'
