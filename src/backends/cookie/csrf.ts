// Against forged requests: a token in a cookie that scripts can read, copied to a header (double submit). Where the server has a
// route that sets the cookie anew, as Laravel Sanctum has, a token that is missing or out of date is renewed.

import { RefreshFailedError } from '../../errors.ts'
import type { CookieReader, Io } from '../../seam/io.ts'

export interface CsrfOptions {
  /** The name of the cookie. A value that is percent-encoded is decoded. */
  cookie: string
  header: string
  /** GET: sets the cookie anew, such as `/sanctum/csrf-cookie`. Left out: a token that is refused is not renewed. */
  renewUrl?: string
  /** By which statuses the server says that the token is missing or out of date. @default [419], with a `renewUrl` */
  refusals?: readonly number[]
}

export interface Csrf {
  attach(headers: Headers, jar: CookieReader): void
  isRefusal(response: Response): boolean
  /** Whether there is a route for that. */
  readonly canRenew: boolean
  /** @throws {@link RefreshFailedError} */
  renew(io: Io<never>): Promise<void>
}

// What a header may hold (RFC 9110 §5.5); fetch refuses all else.
const SENDABLE = /^[\t -~\u0080-\u00ff]*$/

export function createCsrf(
  { cookie, header, renewUrl, refusals = renewUrl ? [419] : [] }: CsrfOptions,
  ask: (io: Io<never>, url: string) => Promise<Response>,
): Csrf {
  return {
    attach(headers, jar) {
      const token = jar.cookie(cookie)
      if (token) headers.set(header, SENDABLE.test(token) ? token : encodeURIComponent(token))
    },
    isRefusal: ({ status }) => refusals.includes(status),
    canRenew: renewUrl !== undefined,
    async renew(io) {
      if (!renewUrl) return
      const response = await ask(io, renewUrl)
      response.body?.cancel().catch(() => {}) // the cookie is all that is wanted
      if (!response.ok) throw new RefreshFailedError(`answered ${response.status}`, { refusal: response })
    },
  }
}
