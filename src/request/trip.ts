// One request of the app on its way, from the call to the response: what was sent so far, and to which session it belongs.

import type { RequestView } from '../seam/io.ts'
import type { ResponseContext } from '../seam/extension.ts'
import type { Version } from '../state/record.ts'
import type { View } from '../state/view.ts'
import type { ReplayableRequest } from './replayable.ts'
import { viewOf } from './response-view.ts'

// Past this, a server that refuses everything would be asked for ever.
export const MAX_SENDS = 3

export class Trip<U, C> implements ResponseContext {
  sends = 0
  /** The version of the credentials of the last sending, and when that was (monotonic ms). */
  sentWith: Version
  sentAt = 0
  /** The caller brought an `Authorization` of its own: a refusal of it says nothing about the session. */
  hasOwnAuthorization = false
  /** The user was asked for more, so that it could go on, and has said no: the user is not asked again for it. */
  isDenied = false
  /** It has waited, so that it sets out in turn with the others that have. */
  hasWaited = false
  /** It has one of the places of those that set out. */
  hasPlace = false
  /** A refresh was waited for right before the last sending, so that another refresh would cure nothing. */
  wasRefreshed = false
  /** The last response. */
  refusal: Response | undefined
  /** The response that the extensions have seen already. */
  observed: Response | undefined
  #controller: AbortController | undefined
  #view: Response | undefined
  #viewed: Response | undefined

  constructor(
    readonly id: number,
    readonly request: ReplayableRequest,
    /** The view of the tab when the request began: of the session that it belongs to. */
    public started: View<U, C>,
    /** It began while a login function ran, and may come from that. */
    readonly isInLogin: boolean,
  ) {
    this.sentWith = started.version
  }

  /** As code of the app may see it. */
  get response(): Response {
    if (this.#viewed !== this.refusal) this.#view = viewOf(this.refusal!)
    this.#viewed = this.refusal
    return this.#view!
  }

  get hasSendsLeft(): boolean {
    return this.sends < MAX_SENDS
  }

  get mayReplay(): boolean {
    return this.hasSendsLeft && this.request.canReplay
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    return this.#controller.signal
  }

  shown(): RequestView {
    const { url, method } = this.request
    // A new copy each time: what is attached to the next sending is no handler's business.
    const headers = new Headers(this.request.resetHeaders())
    // What the caller set is a token of the session, or was one before that ended.
    if (!this.hasOwnAuthorization) headers.delete('authorization')
    return { url, method, headers }
  }

  /** Nobody waits for the request any more. */
  end(): void {
    this.#controller?.abort()
  }
}
