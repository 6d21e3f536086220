// Every error this SDK throws. The code is the promise, the message may change. A message names method and URL, the cause, and
// what is still true; never a token.

interface Details {
  cause?: unknown
  /** The answer that decided. */
  refusal?: Response | undefined
}

type Code =
  | 'ERR_REFRESH_FAILED'
  | 'ERR_REFRESH_TIMEOUT'
  | 'ERR_SESSION_ENDED'
  | 'ERR_STEP_UP_REQUIRED'
  | 'ERR_REPLAY'
  | 'ERR_QUEUE_FULL'
  | 'ERR_INVALID_TOKEN'
  | 'ERR_SIGN_IN_REFUSED'
  | 'ERR_INVALID_OPTION'
  | 'ERR_DISPOSED'
  | 'ERR_CALLBACK'
  | 'ERR_LOGIN'
  | 'ERR_STORAGE'

/** The base of them all: `error instanceof SessionError`, then narrow {@link AnySessionError} on `code`. */
export abstract class SessionError extends Error {
  abstract readonly code: Code
  /**
   * The answer that decided, its body unread where the request was refused. Not called `response`: clients such as axios write
   * to what an error has under that name.
   */
  readonly refusal: Response | undefined

  constructor(message: string, { cause, refusal }: Details = {}) {
    super(message, { cause })
    this.refusal = refusal
  }
}

/**
 * It could not be found out whether the session lives: the server was out of reach, or its answer made no sense. The session is
 * kept, and it is tried again.
 */
export class RefreshFailedError extends SessionError {
  override readonly name = 'RefreshFailedError'
  override readonly code = 'ERR_REFRESH_FAILED'
  /** Whether the server may have used up the refresh token all the same. `undefined`: judged by the refusal. */
  readonly spent: boolean | undefined
  /**
   * The URL does not lead to what was asked for: it answered 404, 405, a redirect or a page of HTML. Another try would meet the
   * same, so that requests do not wait for one.
   */
  readonly isWrongUrl: boolean

  constructor(message: string, details: Details & { spent?: boolean | undefined; isWrongUrl?: boolean } = {}) {
    super(message, details)
    this.spent = details.spent
    this.isWrongUrl = details.isWrongUrl ?? false
  }
}

/**
 * No answer within {@link SessionOptions.timeout}. The session is kept; an answer that comes late is still taken. Also for a
 * storage that does not answer within 10 s, and another refresh that does not end within twice the timeout.
 */
export class RefreshTimeoutError extends SessionError {
  override readonly name = 'RefreshTimeoutError'
  override readonly code = 'ERR_REFRESH_TIMEOUT'
}

const ENDED = {
  'signed-out': 'the user signed out',
  'signed-in': 'another session has begun',
  expired: 'the server says that it has expired',
  revoked: 'the server has revoked it',
  reused: 'the server says that a refresh token was used twice',
} as const

/** The session that the call belonged to is over. */
export class SessionEndedError extends SessionError {
  override readonly name = 'SessionEndedError'
  override readonly code = 'ERR_SESSION_ENDED'
  /** Why it ended: the user signed out, another session began, or what the server said. */
  readonly reason: keyof typeof ENDED

  constructor(reason: keyof typeof ENDED, details?: Details) {
    super(`The session is over: ${ENDED[reason] ?? reason}`, details)
    this.reason = reason
  }
}

/** What a server asks of the user before it goes on. */
export interface Challenge extends Record<string, unknown> {
  type: string
  url?: string
  organizationId?: string
}

/** The server asks more of the user, such as a second factor. The session is kept. */
export class StepUpRequiredError extends SessionError {
  override readonly name = 'StepUpRequiredError'
  override readonly code = 'ERR_STEP_UP_REQUIRED'
  readonly challenge: Challenge

  constructor(challenge: Challenge, details?: Details) {
    super(
      `The server asks the user for more first: ${challenge.type}. The session is kept. Let the user confirm, then call again.`,
      details,
    )
    this.challenge = challenge
  }
}

/**
 * The request met an expired session, and its body cannot be sent a second time. `refusal` is the server's refusal. The session
 * is renewed by then: the app can send the request again with a new body.
 */
export class ReplayError extends SessionError {
  override readonly name = 'ReplayError'
  override readonly code = 'ERR_REPLAY'
}

/** Too many requests wait for a refresh already. This request was not sent. */
export class QueueFullError extends SessionError {
  override readonly name = 'QueueFullError'
  override readonly code = 'ERR_QUEUE_FULL'
}

/** A token that cannot stand in a header, or credentials without a token. Nothing was taken over. */
export class InvalidTokenError extends SessionError {
  override readonly name = 'InvalidTokenError'
  override readonly code = 'ERR_INVALID_TOKEN'
}

/** The server refused the login. Nobody was signed in: the state is as before. `refusal` is its answer, the body unread. */
export class SignInRefusedError extends SessionError {
  override readonly name = 'SignInRefusedError'
  override readonly code = 'ERR_SIGN_IN_REFUSED'
}

/** An option or argument that is unknown, has a wrong value, or needs an extension that is not in `use`. Nothing was started. */
export class InvalidOptionError extends SessionError {
  override readonly name = 'InvalidOptionError'
  override readonly code = 'ERR_INVALID_OPTION'
  readonly option: string

  constructor(option: string, rule: string) {
    super(`${option} ${rule}`)
    this.option = option
  }
}

/** `session.dispose()` was called while the call waited, or before a call that has to wait. Create another session to go on. */
export class SessionDisposedError extends SessionError {
  override readonly name = 'SessionDisposedError'
  override readonly code = 'ERR_DISPOSED'

  constructor() {
    super('session.dispose() was called: create another session to go on')
  }
}

/** Code of the app threw while a response was handled: a handler, a predicate, an extension. The session goes on without its answer. */
export class CallbackError extends SessionError {
  override readonly name = 'CallbackError'
  override readonly code = 'ERR_CALLBACK'
}

const LOGIN = {
  denied: 'The login was denied',
  refused: 'The server refused the login',
  stale: 'The login is not known here: it was used already, began in another tab, or was never begun',
  invalid: 'The answer to the login is not from the server that was asked, or does not belong to this login',
  unavailable: 'The login could not go on',
} as const

/**
 * A login by redirect that signed nobody in; or, of `logout()`, that the server could not be told. The session is as it was, and
 * neither code nor state is left in the page's URL.
 */
export class LoginError extends SessionError {
  override readonly name = 'LoginError'
  override readonly code = 'ERR_LOGIN'
  /**
   * `denied`: the user, or the server, said no (`access_denied`). `refused`: the server answered with another error. `stale`: the
   * `state` is of no login that this tab has begun and not finished. `invalid`: an answer that fails a check, such as `iss`, nonce
   * or signature. `unavailable`: the server could not be reached, or this browser lacks what a login needs.
   */
  readonly reason: keyof typeof LOGIN
  /** The error code of the server (RFC 6749 §4.1.2.1, §5.2), where it sent one. */
  readonly error: string | undefined
  /** The details, as they are in the message. */
  readonly what: string
  /** Where the user wanted to go, where that is known. */
  returnTo: string | undefined

  constructor(
    reason: keyof typeof LOGIN,
    what = '',
    { error, still = STILL_AS_BEFORE, ...details }: LoginDetails = {},
  ) {
    super(`${sentenceOf(LOGIN[reason] + (what && `: ${what}`))} ${still}.`, details)
    this.reason = reason
    this.error = error
    this.what = what
  }
}

const STILL_AS_BEFORE = 'The session is as before; login() begins a new login'

interface LoginDetails extends Details {
  error?: string | undefined
  /** What is still true. */
  still?: string
}

/** The storage can't be used: the session lives in the memory of this tab, and nothing of it is there after a reload. Only in an `error` event. */
export class StorageError extends SessionError {
  override readonly name = 'StorageError'
  override readonly code = 'ERR_STORAGE'
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
  | SignInRefusedError
  | InvalidOptionError
  | SessionDisposedError
  | CallbackError
  | LoginError
  | StorageError

/** The message of an error, or of anything else that was thrown. */
export const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

/** The same text as a sentence: with a full stop at its end, unless it ends with `.`, `?` or `!`. */
export const sentenceOf = (cause: unknown): string => messageOf(cause).replace(/[^.?!]$/, '$&.')
