// Every error this SDK throws. The code is the promise, the message may change. A message names method and URL, never a token.

interface Details {
  cause?: unknown
  response?: Response | undefined
}

type Code =
  | 'ERR_REFRESH_FAILED'
  | 'ERR_REFRESH_TIMEOUT'
  | 'ERR_SESSION_ENDED'
  | 'ERR_STEP_UP_REQUIRED'
  | 'ERR_REPLAY'
  | 'ERR_QUEUE_FULL'
  | 'ERR_INVALID_TOKEN'
  | 'ERR_INVALID_OPTION'

/** The base of them all: `error instanceof SessionError`, then narrow {@link AnySessionError} on `code`. */
export abstract class SessionError extends Error {
  abstract readonly code: Code
  /** The answer that decided, its body unread where it was refused. */
  readonly response: Response | undefined

  constructor(message: string, { cause, response }: Details = {}) {
    super(message, { cause })
    this.response = response
  }
}

/** It could not be found out whether the session lives: the server was out of reach, or its answer made no sense. The session is kept. */
export class RefreshFailedError extends SessionError {
  override readonly name = 'RefreshFailedError'
  override readonly code = 'ERR_REFRESH_FAILED'
  /** Whether the server may have used up the refresh token all the same. Undefined: judged by what came back. */
  readonly spent: boolean | undefined

  constructor(message: string, details: Details & { spent?: boolean } = {}) {
    super(message, details)
    this.spent = details.spent
  }
}

/** No answer within {@link SessionOptions.timeout}. The session is kept; a late answer is still taken. */
export class RefreshTimeoutError extends SessionError {
  override readonly name = 'RefreshTimeoutError'
  override readonly code = 'ERR_REFRESH_TIMEOUT'
}

/** The session this call belonged to is over. */
export class SessionEndedError extends SessionError {
  override readonly name = 'SessionEndedError'
  override readonly code = 'ERR_SESSION_ENDED'
  /** How it ended: the user signed out, another signed in, or the server's word. */
  readonly reason: 'signed-out' | 'signed-in' | 'expired' | 'revoked' | 'reused'

  constructor(reason: SessionEndedError['reason'], details?: Details) {
    super(`The session is over: ${reason}`, details)
    this.reason = reason
  }
}

/** What a server asks of the user before it goes on. */
export interface Challenge extends Record<string, unknown> {
  type: string
  url?: string
  organizationId?: string
}

/** The session is fine, but more is asked of the user, such as a second factor. The session is kept. */
export class StepUpRequiredError extends SessionError {
  override readonly name = 'StepUpRequiredError'
  override readonly code = 'ERR_STEP_UP_REQUIRED'
  readonly challenge: Challenge

  constructor(challenge: Challenge, details?: Details) {
    super(`The user has to do more: ${challenge.type}`, details)
    this.challenge = challenge
  }
}

/** The request met an expired session, and its body cannot be sent a second time. `response` is the server's refusal. */
export class ReplayError extends SessionError {
  override readonly name = 'ReplayError'
  override readonly code = 'ERR_REPLAY'
}

/** Too many requests wait for a refresh already. This one was not sent. */
export class QueueFullError extends SessionError {
  override readonly name = 'QueueFullError'
  override readonly code = 'ERR_QUEUE_FULL'
}

/** A token that cannot stand in a header. It was not taken over. */
export class InvalidTokenError extends SessionError {
  override readonly name = 'InvalidTokenError'
  override readonly code = 'ERR_INVALID_TOKEN'
}

/** An option or argument that makes no sense. Nothing was started. */
export class InvalidOptionError extends SessionError {
  override readonly name = 'InvalidOptionError'
  override readonly code = 'ERR_INVALID_OPTION'
  readonly option: string

  constructor(option: string, rule: string) {
    super(`${option} ${rule}`)
    this.option = option
  }
}

/** A union that narrows on `code`. */
export type AnySessionError =
  | RefreshFailedError
  | RefreshTimeoutError
  | SessionEndedError
  | StepUpRequiredError
  | ReplayError
  | QueueFullError
  | InvalidTokenError
  | InvalidOptionError

/** Whether it is unknown how the session is, in place of the server having said something about it. */
export const isTransient = (error: unknown): boolean =>
  !(error instanceof SessionEndedError || error instanceof StepUpRequiredError)
