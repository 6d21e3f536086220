// What backends have in common on the wire: how a token is attached, which URLs are theirs, and how an answer is read.

import type { Credentials, Json } from './core/credentials.ts'
import { RefreshFailedError } from './errors.ts'

// No server's answer to a refresh is longer; what is would only fill the memory.
const LONGEST = 262_144

/** RFC 6750 §2.1. */
export function attachBearer(headers: Headers, credentials: Credentials<unknown> | null): void {
  if (credentials?.accessToken) headers.set('authorization', `Bearer ${credentials.accessToken}`)
}

/**
 * The JSON object of a successful answer. Anything else says nothing about the session: a captive portal answers 200 with a
 * page of its own.
 * @throws {@link RefreshFailedError}
 */
export async function readJson(response: Response): Promise<Json> {
  const failed = (how: string): Error =>
    new RefreshFailedError(`${response.url.replace(/[?#].*/s, '')} answered ${response.status}${how}`, { response })
  if (!response.ok) throw failed('')
  const text = await response.text()
  if (text.length > LONGEST) throw failed(` and more than ${LONGEST} characters`)
  try {
    const json: unknown = JSON.parse(text)
    if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as Json
  } catch {
    // said below
  }
  throw failed(' without a JSON object')
}

/** The origins of absolute URLs; a relative one is the page's own. */
export const originsOf = (...urls: (string | undefined)[]): string[] =>
  urls.filter((url): url is string => URL.canParse(url ?? '')).map((url) => new URL(url).origin)

/** Whether a request goes to one of these endpoints, whatever it asks there. */
export const isOneOf = (url: string, endpoints: readonly (string | undefined)[]): boolean => {
  const at = url.replace(/[?#].*/s, '')
  return endpoints.some(
    (endpoint) => endpoint !== undefined && (at === endpoint || (endpoint.startsWith('/') && at.endsWith(endpoint))),
  )
}
