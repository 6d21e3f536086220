// What failures mean, and how they are told again.

import {
  sentenceOf,
  RefreshFailedError,
  SessionDisposedError,
  SessionEndedError,
  StepUpRequiredError,
  StorageError,
} from './errors.ts'

/** For a call that sent no request, because an earlier one failed: repeats the message and the cause of that failure. */
export function failedBefore(message: string, last: unknown): RefreshFailedError {
  const { refusal, isWrongUrl = false } = Object(last) as Partial<RefreshFailedError>
  const reason = last ? `The last one failed with: ${sentenceOf(last)}` : 'The session is kept.'
  return new RefreshFailedError(`${message}. ${reason}`, { cause: last ?? undefined, refusal, isWrongUrl })
}

/** No refresh is sent, because too many failed or did not help lately. @param call The method that asked, such as `getToken`. */
export const gaveUp = (call: string, last: unknown): RefreshFailedError =>
  failedBefore(`${call}: no refresh was sent, because too many failed or did not help within the last minute`, last)

/** @param isSecure False: a page over plain http, where browsers offer no encryption. */
export function storageFailed(storage: string, isSecure: boolean, cause: unknown): StorageError {
  const reason = isSecure ? '' : ', since this page is no secure context'
  const next = isSecure ? 'until the storage works again' : 'and is gone after a reload. Serve the page over https'
  const message = `The storage ${storage} failed${reason}: the session lives in this tab's memory now, ${next}.`
  return new StorageError(message, { cause })
}

/** Whether it is still unknown how the session is: the error is not the server's answer about the session. */
export const isTransient = (error: unknown): boolean =>
  !(error instanceof SessionEndedError || error instanceof StepUpRequiredError || error instanceof SessionDisposedError)

/** Whether fetch has said that what it was given is no URL. */
export function isNoUrl(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if (cause instanceof TypeError && /\burl\b/i.test(cause.message)) return true
  return false
}

/** Whether another try would fail in the same way, because the URL is wrong. */
export const isWrongUrl = (error: unknown): boolean => error instanceof RefreshFailedError && error.isWrongUrl
