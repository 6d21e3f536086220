// Where a socket leads to, and whether a token may go there.

import { parseUrl } from '../../parse-url.ts'
import { InvalidOptionError } from '../../errors.ts'
import type { SessionInternals } from '../../request/internals.ts'

/** @throws InvalidOptionError */
export function hrefOf(
  url: string | URL,
  { runtime, isAllowed }: Pick<SessionInternals, 'runtime' | 'isAllowed'>,
  carriesToken: boolean,
): string {
  const base = runtime.base()
  const parsed = parseUrl(url, base)
  if (!parsed) throw new InvalidOptionError('url', 'must be a URL, or a path of a page')
  // A WebSocket takes no fragment, and not every browser takes http: for ws:.
  parsed.hash = ''
  const href = parsed.href.replace(/^http/, 'ws')
  if (!/^wss?:/.test(href))
    throw new InvalidOptionError('url', `must begin with wss:, ws:, https: or http:, not ${parsed.protocol}`)
  // `ws:` on `http:` and `wss:` on `https:` are one origin for what a session allows.
  if (carriesToken && !isAllowed(href.replace(/^ws/, 'http')))
    throw new InvalidOptionError(
      'url',
      `leads to ${parsed.host}, which is not among the session's origins: no token goes there. Add it to \`origins\` if it is yours`,
    )
  return href
}
