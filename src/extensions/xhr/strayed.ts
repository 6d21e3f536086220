// XMLHttpRequest can't refuse a redirect. Where it led a request to an origin that is not the session's, with credentials in a
// header, the app is told.

import { InvalidOptionError } from '../../errors.ts'
import { internalsKey, type SessionInternals } from '../../request/internals.ts'

const MAX_TOLD = 100

/** @returns takes the URL that was asked and the URL that answered; tells once of each pair of origins. */
export function createStrayed(session: object): (asked: string, answered: string) => void {
  const internals = (session as { [internalsKey]?: SessionInternals })[internalsKey]
  const told = new Set<string>()

  return (asked, answered) => {
    if (!internals || !answered || internals.isAllowed(answered)) return
    const [from, to] = [new URL(asked).origin, new URL(answered).origin]
    const pair = `${from} ${to}`
    if (told.has(pair) || told.size >= MAX_TOLD) return
    told.add(pair)
    const rule = `leaves out ${to}, to which ${from} redirected: the browser may have sent the session's headers there, since XMLHttpRequest can't refuse redirects. The session ignores its answer. Add ${to} if it is yours; otherwise send such requests by fetch`
    internals.tell(new InvalidOptionError('origins', rule))
  }
}
