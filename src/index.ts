// Names only. Backends, and the wrapper for ky, are entries of their own, so that nobody ships what they don't use.

export type { Credentials, Json } from './core/credentials.ts'
export type { Reason, State, Status } from './core/state.ts'
export {
  type AnySessionError,
  type Challenge,
  InvalidOptionError,
  InvalidTokenError,
  QueueFullError,
  RefreshFailedError,
  RefreshTimeoutError,
  ReplayError,
  SessionEndedError,
  SessionError,
  StepUpRequiredError,
} from './errors.ts'
export type { RefreshAfter } from './flow/after.ts'
export type { Events } from './flow/events.ts'
export type { SignIn } from './flow/lifecycle.ts'
export type { Replay, RequestOptions, SessionRequestInit } from './outgoing.ts'
export type { RefreshAhead } from './flow/schedule.ts'
export type { TokenOptions } from './flow/tokens.ts'
export type { SessionOptions } from './options.ts'
export type { SessionStorage } from './platform/own.ts'
export type { StorageKind } from './platform/storage.ts'
export type { Awaitable, Backend, Expired, Io, Platform, RequestView, Undo, Wanted } from './ports.ts'
export { createSession, type RefreshOptions, type Session } from './session.ts'
export { defineBackend } from './wire.ts'
