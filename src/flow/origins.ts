// Which requests are the session's business: exact origins, looked up by string, parsed only the first time one is seen. Where
// one has a path, each URL is parsed: `/v1/../admin` is not below `/v1/`.

import { urlOf } from '../outgoing.ts'

/** Whether a request goes where credentials may go. */
export type Origins = (input: RequestInfo | URL) => boolean

// All up to the end of the authority, or a path that no parser takes for `//host`. White space belongs to an authority: the
// URL parser drops tabs and newlines wherever they stand.
const PLACE = /^https?:\/\/[^/?#\\]+|^\/(?=[\w.~?#-])/i
const MOST_SEEN = 100

export function createOrigins(allowed: readonly string[], base: () => string | undefined): Origins {
  const seen = new Map<string, boolean>()
  const places = allowed.map((each) => each.replace(/\/?$/, '/'))
  const hasPaths = places.some((each) => new URL(each).pathname !== '/')
  // By its beginning, not by its origin: blob:https://… has the same.
  const parsed = (url: string, against: string | undefined): boolean =>
    URL.canParse(url, against) && places.some((each) => new URL(url, against).href.startsWith(each))

  return (input) => {
    const url = urlOf(input)
    const place = PLACE.exec(url)?.[0]
    const against = place?.[1] ? undefined : base()
    // blob:, data:, `//host`, `https:/host` and other rarities are not worth a place in memory.
    if (!place || hasPaths) return parsed(url, against)
    const key = against ?? place
    let known = seen.get(key)
    if (known === undefined) {
      if (seen.size >= MOST_SEEN) seen.clear()
      seen.set(key, (known = parsed(place, against)))
    }
    return known
  }
}
