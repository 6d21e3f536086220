// Whose a socket or a stream is: that of the user who was signed in when it first connected. It is never used for another user,
// nor after that session is over.

import type { Session } from '../../face.ts'
import { internalsKey, type SessionInternals } from '../../request/internals.ts'
import { isOtherUser, isSameUser } from '../../state/credentials.ts'
import { isSameSession } from '../../state/record.ts'
import type { View } from '../../state/view.ts'

/**
 * `signed-out`: by the user. `session-over`: the server ended the session. `other-user`: somebody else signed in.
 * `disposed`: `session.dispose()` was called.
 */
export type Over = 'signed-out' | 'session-over' | 'other-user' | 'disposed'

/** What is needed of a session, whatever the types of its user and claims. */
export type StreamSession = Pick<Session<any, any>, 'current' | 'fetch' | 'getToken' | 'on'>

export const internalsOf = (session: StreamSession): SessionInternals =>
  (session as unknown as { [internalsKey]: SessionInternals })[internalsKey]

export interface OwnerHandlers {
  /** Called once; nothing is followed any more. */
  over(why: Over): void
  /** The same user goes on in another organization: what the server sends is of the one before. */
  switched(): void
  /** The state has changed, and the owner is still there. */
  changed(): void
}

/**
 * Follows the session until `signal` aborts.
 * @returns whether the owner is signed in; whoever is signed in when it is first called becomes the owner.
 */
export function followOwner(session: StreamSession, signal: AbortSignal, handlers: OwnerHandlers): () => boolean {
  const internals = internalsOf(session)
  let owner: View<unknown, unknown> | null = null

  function whyOver(now: View<unknown, unknown>): Over | null {
    if (internals.disposed.aborted) return 'disposed'
    if (!owner) return null
    if (now.state.status !== 'authenticated') return now.state.reason === 'signed-out' ? 'signed-out' : 'session-over'
    const isTheirs = isSameSession(owner.version, now.version) || isSameUser(owner.state, now.state)
    return isTheirs && !isOtherUser(owner.state, now.state) ? null : 'other-user'
  }

  function look(): boolean {
    if (signal.aborted) return false
    const now = { version: internals.version, state: session.current }
    const why = whyOver(now)
    if (why) {
      handlers.over(why)
      return false
    }
    if (now.state.status !== 'authenticated') return false
    const isSwitched = !!owner && owner.state.organizationId !== now.state.organizationId
    owner = now
    if (isSwitched) handlers.switched()
    return true
  }

  function lookAndTell(): void {
    look()
    if (!signal.aborted) handlers.changed()
  }

  const stopListening = session.on('change', lookAndTell)
  signal.addEventListener('abort', stopListening)
  internals.disposed.addEventListener('abort', lookAndTell, { signal })
  return look
}
