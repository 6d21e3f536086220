// News of the session from outside of a refresh, such as an ordinary response or a vendor's SDK, as a change of the record.

import type { Commit, Kernel } from '../../seam/extension.ts'
import { type Credentials, isOlder, isOtherUser, type Json, merge } from '../../state/credentials.ts'
import type { Receipt } from '../../state/expiry.ts'
import type { Ending, Version } from '../../state/record.ts'
import { responseChange } from '../../state/session-changes.ts'

export interface News {
  /** Newer credentials; `null`: the session is over. */
  readonly said: Credentials | null
  /** The session that they speak of; generation 0: it was not yet known which session that is. */
  readonly of: Version
  readonly ending: Ending
  readonly receipt: Receipt
}

/** What the news change. `undefined`: nothing, since they are older than what is held, or of another session. */
export function commitOf(
  { said, of, ending, receipt }: News,
  { credentials: held, version, hasDecided }: Pick<Kernel, 'credentials' | 'version' | 'hasDecided'>,
): Commit<Json> | undefined {
  // News overtake each other: credentials that were minted before the held ones are none.
  if (said && held && isOlder(said, held)) return undefined
  // It was not yet known who is signed in, and the user has signed in or out since.
  if (hasDecided && !of.generation) return undefined
  const isSame = !said || !held || !isOtherUser(held, merge(held, said))
  const credentials = said && merge(isSame ? held : null, said)
  return { change: responseChange(of, version, held, said, credentials, isSame, ending, receipt), credentials }
}
