// What failures mean, and how they are told again.

import {
  messageOf,
  RefreshFailedError,
  SessionDisposedError,
  SessionEndedError,
  StepUpRequiredError,
  StorageError,
} from './errors.ts'

/** Nothing was asked this time, because of what failed before: the cause, and what it said, are told again. */
export function failedBefore(message: string, last: unknown): RefreshFailedError {
  const { refusal, isWrongUrl = false } = Object(last) as Partial<RefreshFailedError>
  const reason = last ? `It failed with: ${messageOf(last)}` : 'The session is kept.'
  return new RefreshFailedError(`${message}. ${reason}`, { cause: last ?? undefined, refusal, isWrongUrl })
}

/** @param isSecure False: a page over plain http, where browsers offer no encryption. */
export function storageFailed(storage: string, isSecure: boolean, cause: unknown): StorageError {
  const reason = isSecure ? '' : ', since this page is no secure context (it has no crypto.subtle)'
  const next = isSecure ? 'until the storage works again' : 'and is gone after a reload. Serve the page over https'
  const message = `The storage ${storage} failed${reason}: the session lives in this tab's memory now, ${next}.`
  return new StorageError(message, { cause })
}

/** Whether it is unknown how the session is, in place of the server having said something about it. */
export const isTransient = (error: unknown): boolean =>
  !(error instanceof SessionEndedError || error instanceof StepUpRequiredError || error instanceof SessionDisposedError)

/** Whether another try would only meet the same, since the URL leads elsewhere. */
export const isWrongUrl = (error: unknown): boolean => error instanceof RefreshFailedError && error.isWrongUrl
