// The first line of `debug`. It is often loaded after the session was created, so it can only tell how the session is now.

import type { Session } from '../face.ts'
import { explain } from './explain.ts'
import { insideOf } from './inside.ts'
import { duration, tokenName } from './words.ts'

/** How the session is now. */
export function describeStart(session: Session): string {
  const begin =
    session.current.status === 'loading' ? 'debug starts.' : 'debug starts: what happened before is not shown.'
  return [begin, explain(session).sentence, ...describeToken(session)].join(' ')
}

function describeToken(session: Session): string[] {
  const { about, runtime } = insideOf(session)
  const { tokenNumber, receivedAtMono, canRefresh } = about.store
  const { expiresAt } = session.current
  if (tokenNumber === null) return []
  const { mono, now } = runtime.clock
  // A token from `initial` has no number before it is stored.
  const name = tokenNumber > 0 ? tokenName(tokenNumber) : 'a token'
  const came = `It holds ${name}, which came ${duration(mono() - receivedAtMono)} ago`
  const left = expiresAt === null ? null : expiresAt - now()
  const life = left === null ? '' : left > 0 ? ` and expires in ${duration(left)}` : ' and has expired'
  return [`${came}${life}${canRefresh ? '' : ', and there is nothing to renew it with'}.`]
}
