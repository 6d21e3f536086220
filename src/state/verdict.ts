// Decides what a response means for its request. Pure: all that matters comes in as facts, and every outcome has a name.

import { isEndedByUser, type View } from './view.ts'
import { isNewer, isSameSession, type Reason, type Version } from './record.ts'

export interface Facts {
  /** A redirect led to an origin that is not the session's: nothing that is said there is about this session. */
  readonly isForeign: boolean
  /** What an extension wants; the first in the list of extensions that said something. */
  readonly extension: 'deliver' | 'replay' | 'refresh' | undefined
  /** The response says that the access token of the session is not accepted. */
  readonly isExpired: boolean
  /** False while the session itself waits for code that the request may come from: a login function. */
  readonly mayWait: boolean
  /** Whether this tab's session is the one that the request was sent with, or newer credentials of it, or another one. */
  readonly sentWith: 'current' | 'older' | 'other-session'
  /** How the session that the request belongs to has ended, if it has. */
  readonly end: Reason | null
  /**
   * The request was held for a refresh right before this sending, and the token that it brought can't have died since: another
   * refresh would cure nothing.
   */
  readonly wasRefreshed: boolean
  /** This route has refused a fresh token before, so that no refresh is to be tried for it now. */
  readonly isRefusedRoute: boolean
  /** The app allows this request to be sent again, by the option `replay`. */
  readonly mayReplay: boolean
  /** It was not sent too often. */
  readonly hasSendsLeft: boolean
  /** Its body can be sent again. */
  readonly canReplay: boolean
}

export type Verdict =
  /** The caller gets the response: it was not refused. */
  | 'served'
  /** The caller gets the response: it is not for the session to judge, or the server's own word. */
  | 'deliver'
  /** The caller gets the response; the route is remembered, since it refuses fresh tokens. */
  | 'refused-route'
  /** Sent again, without a refresh. */
  | 'replay'
  /** Sent again after a refresh. */
  | 'refresh'
  /** The caller gets the response; a refresh goes on for the requests that come next. */
  | 'refresh-behind'
  /** The server ended the session: an extension may wait for the user, else the caller gets the response. */
  | 'session-over'

export function judge(facts: Facts): Verdict {
  const { isForeign, extension, isExpired, hasSendsLeft, canReplay } = facts
  if (isForeign || extension === 'deliver') return 'deliver'
  if (extension === 'replay') return hasSendsLeft && canReplay ? 'replay' : 'deliver'
  return isExpired || extension === 'refresh' ? judgeRefused(facts) : 'served'
}

function judgeRefused(facts: Facts): Verdict {
  const { mayWait, sentWith, wasRefreshed, isRefusedRoute, mayReplay, hasSendsLeft } = facts
  if (!mayWait && sentWith !== 'older') return 'deliver'
  if (sentWith === 'other-session') return judgeEnded(facts)
  if (!hasSendsLeft) return wasRefreshed ? 'refused-route' : 'deliver'
  if (sentWith === 'older') return mayReplay ? 'replay' : 'deliver'
  if (wasRefreshed) return 'refused-route'
  if (isRefusedRoute) return 'deliver'
  return mayReplay ? 'refresh' : 'refresh-behind'
}

function judgeEnded({ end, mayReplay, hasSendsLeft }: Facts): Verdict {
  const isByServer = end !== null && !isEndedByUser(end)
  return isByServer && mayReplay && hasSendsLeft ? 'session-over' : 'deliver'
}

/** The fact `sentWith`, for a request that was sent with that version. */
export function compareSent({ version, state }: View<unknown, unknown>, sentWith: Version): Facts['sentWith'] {
  if (state.status !== 'authenticated' || !isSameSession(sentWith, version)) return 'other-session'
  return isNewer(version, sentWith) ? 'older' : 'current'
}
