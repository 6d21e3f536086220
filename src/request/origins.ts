// Which requests are the session's business: exact origins, looked up by string, and parsed only the first time that one is
// seen. Where an allowed origin has a path, each URL is parsed: `/v1/../admin` is not below `/v1/`.

import { parseUrl } from '../parse-url.ts'
import { InvalidOptionError } from '../errors.ts'
import type { Awaitable } from '../seam/io.ts'
import { urlOf } from './replayable.ts'

/** Whether a request goes where credentials may go. */
export type IsAllowed = (input: RequestInfo | URL) => boolean

// All up to the end of the authority, or the `/` of a path that no parser takes for `//host`. White space belongs to an
// authority: the URL parser drops tabs and newlines wherever they stand.
const PREFIX = /^https?:\/\/[^/?#\\]+|^\/(?=[\w.~?#-])/i
const MAX_REMEMBERED = 100

/** `undefined`: a rare form, which is not remembered. */
function prefixOf(url: string): string | undefined {
  const authority = url.startsWith('https://') ? 8 : url.startsWith('http://') ? 7 : 0
  const end = authority && url.indexOf('/', authority)
  // What stands before the first `/` names the host, whatever the path is: that part alone is parsed and remembered.
  return end > authority ? url.slice(0, end) : PREFIX.exec(url)?.[0]
}

/**
 * For a list that leaves out the page's own origin: looks at answers to plain requests, and tells once of a refusal from there.
 * The page's own API may have been forgotten. `undefined`: nothing is left out.
 */
export function createForgottenOrigin(
  { origins: allowed, page }: { readonly origins: readonly string[]; readonly page: string | undefined },
  isExpired: (response: Response) => Awaitable<boolean>,
  tell: (error: InvalidOptionError) => void,
): ((response: Response) => Promise<void>) | undefined {
  if (!page || page === 'null' || allowed.some((each) => each === page || each.startsWith(`${page}/`))) return undefined
  let isTold = false

  /** By the session's own rule, whose code of the app may throw: then it has said nothing. */
  async function isRefusal(response: Response): Promise<boolean> {
    const { status } = response
    try {
      return status === 401 || (status > 401 && (await isExpired(response)))
    } catch {
      return false
    }
  }

  return async (response) => {
    const { status, url } = response
    if (isTold || !url.startsWith(`${page}/`) || !(await isRefusal(response)) || isTold) return
    isTold = true
    tell(new InvalidOptionError('origins', `leaves out ${page}, which answered ${status}: add it if its API is yours`))
  }
}

export function createOrigins(allowed: readonly string[], base: () => string | undefined): IsAllowed {
  const verdicts = new Map<string, boolean>()
  const prefixes = allowed.map((each) => (each.endsWith('/') ? each : `${each}/`))
  const hasPaths = prefixes.some((each) => new URL(each).pathname !== '/')

  /** By how the URL begins, not by its origin: `blob:https://…` has the same origin. */
  function isBelow(url: string, against: string | undefined): boolean {
    const href = parseUrl(url, against)?.href
    return href !== undefined && prefixes.some((each) => href.startsWith(each))
  }

  return (input) => {
    const url = urlOf(input)
    const prefix = prefixOf(url)
    const isAbsolute = prefix !== undefined && prefix !== '/'
    const against = isAbsolute ? undefined : base()
    // blob:, data:, `//host`, `https:/host` and other rare forms are not remembered.
    if (prefix === undefined || hasPaths) return isBelow(url, against)
    const key = against ?? prefix
    const remembered = verdicts.get(key)
    if (remembered !== undefined) return remembered
    const verdict = isBelow(prefix, against)
    if (verdicts.size >= MAX_REMEMBERED) verdicts.clear()
    verdicts.set(key, verdict)
    return verdict
  }
}
