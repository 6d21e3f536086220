// Where the browser is told to send cookies (`credentials: 'include'`). Cookies go to the page's own origin without that. With it,
// an answer counts only if its server names the page in `Access-Control-Allow-Origin`: an API that answers everybody with `*`,
// or storage that a download is redirected to, would fail.

import { parseUrl } from '../../parse-url.ts'
import { InvalidOptionError } from '../../errors.ts'
import type { AttachedRequest } from '../../seam/io.ts'
import type { Credentials } from '../../state/credentials.ts'

/** Other origins that get the cookie, too: a list, or a look at the absolute URL of a request. */
export type CookieOrigins = readonly string[] | ((url: string) => boolean)

/** Whether a request of the app, on its way to another origin than the page's own, needs `credentials: 'include'`. */
export type NeedsInclude = (request: AttachedRequest, credentials: Credentials<unknown> | null) => boolean

/**
 * For the `attach` of a backend whose session is in a cookie.
 *
 * @param endpoints Origins of the backend's own endpoints: they always get the cookie.
 * @param wanted Left out: every origin of the session gets it; but where there is an access token, that goes there in its place.
 * @param hasToken Whether there is one, as far as the app says. @default where the credentials have one
 * @throws {@link InvalidOptionError} for what is no origin.
 * @example
 * const needsInclude = cookieReach(originsOf([sessionUrl]))
 * attach: (headers, credentials, request) => needsInclude(request, credentials) ? { credentials: 'include' } : {}
 */
export function cookieReach(endpoints: readonly string[], wanted?: CookieOrigins, hasToken = false): NeedsInclude {
  const list = typeof wanted === 'object' ? wanted : []
  if (!list.every(isOrigin)) throw new InvalidOptionError('credentials', 'must be origins like https://api.example.com')
  const places = [...endpoints, ...list]
  return (request, credentials) => {
    const { url, isSameOrigin } = request
    if (isSameOrigin) return false
    if (places.some((place) => isAt(url, place))) return true
    if (typeof wanted === 'function') return wanted(url)
    return !wanted && !hasToken && !credentials?.accessToken
  }
}

const isOrigin = (place: unknown): boolean => typeof place === 'string' && parseUrl(place)?.origin === place

/** By string where it is spelled as usual: it is asked for each request. */
const isAt = (url: string, origin: string): boolean => url.startsWith(`${origin}/`) || new URL(url).origin === origin
