// What `debug`, `explain` and the devtools may know of a session beyond its public methods. No credentials.

import { internalsKey, type SessionInternals } from '../internals.ts'

export type About = SessionInternals['about']

/** @throws TypeError for an object that is no session of this SDK. */
export function insideOf(session: object): SessionInternals {
  const internals = (session as { [internalsKey]?: SessionInternals })[internalsKey]
  if (!internals) throw new TypeError('This is no session: pass what createSession() returned')
  return internals
}
