// Which requests are the session's business: exact origins, looked up by string, parsed only the first time one is seen.

import { urlOf } from '../outgoing.ts'

/** Whether a request goes where credentials may go. */
export type Origins = (input: RequestInfo | URL) => boolean

// All up to the end of the authority. White space belongs to it: the URL parser drops tabs and newlines wherever they stand.
const AUTHORITY = /^https?:\/\/[^/?#\\]+/i
// A path that no parser takes for `//host`.
const PLAIN_PATH = /^\/[\w.~?#-]/
const MOST_SEEN = 100

export function createOrigins(allowed: ReadonlySet<string>, base: () => string | undefined): Origins {
  const seen = new Map<string, boolean>()

  function ask(url: string, against: string | undefined, key: string): boolean {
    let known = seen.get(key)
    if (known === undefined) {
      known = URL.canParse(url, against) && allowed.has(new URL(url, against).origin)
      if (seen.size >= MOST_SEEN) seen.clear()
      seen.set(key, known)
    }
    return known
  }

  return (input) => {
    const url = urlOf(input)
    const authority = AUTHORITY.exec(url)?.[0]
    if (authority) return ask(authority, undefined, authority)
    const against = base()
    if (PLAIN_PATH.test(url)) return against !== undefined && ask('/', against, `/ ${against}`)
    // blob:, data:, `//host`, `https:/host` and other rarities are not worth a place in memory.
    return URL.canParse(url, against) && allowed.has(new URL(url, against).origin)
  }
}
