// What failures mean, and how they are told again.

import {
  sentenceOf,
  RefreshFailedError,
  SessionDisposedError,
  SessionEndedError,
  StepUpRequiredError,
  StorageError,
} from './errors.ts'

/** Nothing was asked this time, because of what failed before: the cause, and what it said, are told again. */
export function failedBefore(message: string, last: unknown): RefreshFailedError {
  const { refusal, isWrongUrl = false } = Object(last) as Partial<RefreshFailedError>
  const reason = last ? `The last one failed with: ${sentenceOf(last)}` : 'The session is kept.'
  return new RefreshFailedError(`${message}. ${reason}`, { cause: last ?? undefined, refusal, isWrongUrl })
}

/** Too many refreshes failed or brought nothing lately, so that none is sent. @param call What it was for. */
export const gaveUp = (call: string, last: unknown): RefreshFailedError =>
  failedBefore(`${call}: no refresh, since too many failed or did not help within the last minute`, last)

/** @param isSecure False: a page over plain http, where browsers offer no encryption. */
export function storageFailed(storage: string, isSecure: boolean, cause: unknown): StorageError {
  const reason = isSecure ? '' : ', since this page is no secure context'
  const next = isSecure ? 'until the storage works again' : 'and is gone after a reload. Serve the page over https'
  const message = `The storage ${storage} failed${reason}: the session lives in this tab's memory now, ${next}.`
  return new StorageError(message, { cause })
}

/** Whether it is unknown how the session is, in place of the server having said something about it. */
export const isTransient = (error: unknown): boolean =>
  !(error instanceof SessionEndedError || error instanceof StepUpRequiredError || error instanceof SessionDisposedError)

/** Whether another try would only meet the same, since the URL leads elsewhere. */
export const isWrongUrl = (error: unknown): boolean => error instanceof RefreshFailedError && error.isWrongUrl
