// How an answer about a session is read: as JSON, no longer than such an answer is.

import { RefreshFailedError } from '../errors.ts'
import type { Json } from '../state/credentials.ts'

// An answer about a session is short: a longer one is something else, or an attack.
const MAX_ANSWER_LENGTH = 2 ** 20
// Of a response that belongs to the app only this much is read, for this many ms: it may be a stream that never ends.
const MAX_PEEK_LENGTH = 2 ** 16
const PEEK_TIMEOUT_MS = 2_000

/**
 * The JSON object of a successful answer. Anything else says nothing about the session: a captive portal answers 200 with a
 * page of its own.
 * @throws {@link RefreshFailedError}
 */
export async function readJson(response: Response): Promise<Json> {
  const json = await readJsonOrNull(response)
  if (json) return json
  throw new RefreshFailedError(`answered ${response.status} with null`, { refusal: response })
}

/** As {@link readJson}, where the server says `null` for nobody. @throws {@link RefreshFailedError} */
export async function readJsonOrNull(response: Response): Promise<Json | null> {
  if (!response.ok) throw new RefreshFailedError(`answered ${response.status}`, { refusal: response })
  const json = await parseJson(response, MAX_ANSWER_LENGTH)
  if (typeof json === 'object') return json as Json | null
  const type = response.headers.get('content-type') ?? 'no content-type'
  throw new RefreshFailedError(`answered ${response.status}, but not with a JSON object (${type})`, {
    refusal: response,
  })
}

/** Whether a response has no body; no more of it is read than its first piece. */
export async function isEmpty(response: Response): Promise<boolean> {
  const reader = response.clone().body?.getReader()
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true, value: undefined }
    if (done) return true
    if (!value.length) continue
    reader!.cancel().catch(() => {})
    return false
  }
}

/** What a response says in JSON, if it does; its body stays unread. */
export async function peek(response: Response): Promise<Json | null> {
  const isTooLong = Number(response.headers.get('content-length')) > MAX_PEEK_LENGTH
  if (response.bodyUsed || isTooLong) return null
  const json = await parseJson(response.clone(), MAX_PEEK_LENGTH, AbortSignal.timeout?.(PEEK_TIMEOUT_MS))
  return (json ?? null) as Json | null
}

/** `undefined`: no JSON, or too long, or too late. */
async function parseJson(response: Response, maxLength: number, signal?: AbortSignal): Promise<unknown> {
  try {
    const text = response.body ? await readText(response.body, maxLength, signal) : await response.text()
    return text === undefined || text.length > maxLength ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}

/** `undefined`: too long, or too late. */
async function readText(
  body: ReadableStream<Uint8Array>,
  maxLength: number,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  const stop = (): void => void reader.cancel().catch(() => {}) // a body that has broken off rejects
  signal?.addEventListener('abort', stop)
  let text = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (signal?.aborted) return undefined
    if (done) return text + decoder.decode()
    text += decoder.decode(value, { stream: true })
    if (text.length > maxLength) return stop() as undefined
  }
}
