// What backends have in common on the wire: how a token is attached, which URLs are theirs, how an answer is read; and, out of
// that, help with one of your own.

import type { Credentials, Json } from './core/credentials.ts'
import { InvalidOptionError, RefreshFailedError } from './errors.ts'
import type { Backend } from './ports.ts'

/** RFC 6750 §2.1. */
export function attachBearer(headers: Headers, credentials: Credentials<unknown> | null): void {
  if (credentials?.accessToken) headers.set('authorization', `Bearer ${credentials.accessToken}`)
}

/**
 * The JSON of a successful answer. Anything else says nothing about the session: a captive portal answers 200 with a page of
 * its own.
 * @throws {@link RefreshFailedError}
 */
export async function readJson(response: Response): Promise<Json> {
  const json = await readJsonOrNull(response)
  if (json) return json
  throw new RefreshFailedError(`${bare(response.url)}: ${response.status}, but null`, { response })
}

/** As {@link readJson}, where the server says `null` for nobody. @throws RefreshFailedError */
export async function readJsonOrNull(response: Response): Promise<Json | null> {
  const json = response.ok && (await jsonOf(response, LONGEST_ANSWER))
  if (typeof json === 'object') return json as Json | null
  throw new RefreshFailedError(`${bare(response.url)}: ${response.status}${response.ok ? ', but no JSON' : ''}`, {
    response,
  })
}

// Without what was asked there, which may be a secret.
const bare = (url: string): string => url.replace(/[?#].*/, '')

// An answer about a session is short: what is longer is none, or an attack.
const LONGEST_ANSWER = 2 ** 20
// Of somebody else's response only this much is read, for this many ms: it may be a stream that never ends.
const LONGEST_PEEK = 2 ** 16
const LONGEST_LOOK = 2_000

/** `undefined`: no JSON, or too long. */
async function jsonOf({ body }: Response, longest: number, signal?: AbortSignal): Promise<unknown> {
  let text = ''
  try {
    const reader = body!.pipeThrough(new TextDecoderStream()).getReader()
    const stop = (): void => void reader.cancel().catch(() => {}) // one that has broken off rejects
    signal?.addEventListener('abort', stop)
    for (let part; !(part = await reader.read()).done; text += part.value) if (text.length > longest) return stop()
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** What a response says in JSON, if it does; its body stays unread. */
export const peek = async (response: Response): Promise<Json | null> =>
  response.bodyUsed || Number(response.headers.get('content-length')) > LONGEST_PEEK
    ? null
    : (((await jsonOf(response.clone(), LONGEST_PEEK, AbortSignal.timeout?.(LONGEST_LOOK))) ?? null) as Json | null)

/** Whether a sign-out has been heard; if not, it is told again. @throws {@link RefreshFailedError} */
export function heard({ status, url }: Response): void {
  if (status >= 500 || [408, 425, 429].includes(status)) throw new RefreshFailedError(`${bare(url)}: ${status}`)
}

/** The origins of absolute URLs; a relative one is the page's own. */
export const originsOf = (urls: readonly (string | undefined)[]): string[] =>
  urls.filter((url) => /^https?:/i.test(url ?? '')).map((url) => new URL(url!).origin)

/** Whether an absolute URL is one of these endpoints, each absolute or a path, whatever is asked there. */
export function isOneOf(url: string, endpoints: readonly (string | undefined)[]): boolean {
  const place = bare(url)
  const path = place.slice(place.indexOf('/', 8)) // behind `https://` and the host
  return endpoints.some((endpoint) => endpoint && [place, path].includes(bare(endpoint)))
}

/** The options of a backend. @throws {@link InvalidOptionError} where one of these is missing, which only types can forbid. */
export function needing<T extends object>(options: T, ...names: (keyof T & string)[]): T {
  for (const name of names) if (!options?.[name]) throw new InvalidOptionError(name, 'is missing')
  return options
}

/**
 * A backend of which only `refresh` has to be said; the access token is attached as `Authorization: Bearer` (RFC 6750 §2.1).
 *
 * @example
 * const backend = defineBackend({
 *   async refresh({ refreshToken }, { fetch }) {
 *     const response = await fetch('/token', { method: 'POST', body: refreshToken })
 *     if (response.status === 401) return null             // the session is over
 *     if (!response.ok) throw new Error(response.statusText) // could not find out: the session is kept
 *     const { token, next } = await response.json()
 *     return { accessToken: token, refreshToken: next }
 *   },
 * })
 */
export const defineBackend = <U = Json>(backend: Pick<Backend<U>, 'refresh'> & Partial<Backend<U>>): Backend<U> => ({
  name: 'custom',
  attach: attachBearer,
  ...backend,
})
