// One `send` of the page, however often it goes over the wire, and what the native object said of it that may still turn out
// not to be the last word.

export const nothing = (): void => {}

export class Run {
  /** Frees the session of it. */
  readonly caller: AbortController = new AbortController()
  sends = 0
  /** On the wire, not held. */
  isFlying = false
  /** Its credentials travel in a header that must not follow a redirect. */
  refusesRedirects = false
  /** The native timer, if there is one, no longer counts from `send`. */
  isLate = false
  /** The last answer is known: the native object speaks for itself. */
  isLive = false
  /** readyState as the page sees it until then. */
  state = 1
  answered: (response: Response) => void = nothing
  failed: (error: unknown) => void = nothing
  /** The body is there. */
  ended: () => void = nothing
  #heldBack: { event: Event; state: number }[] = []

  constructor(
    readonly hasBody: boolean,
    readonly stopTimer: () => void,
  ) {}

  /** Kept in order; of what repeats itself, the last. */
  hold(event: Event, state: number): void {
    const at = this.#heldBack.findIndex((earlier) => earlier.event.type === event.type && earlier.state === state)
    this.#heldBack.splice(at < 0 ? Infinity : at, 1, { event, state })
  }

  /** Hands out what was held, each with its readyState. */
  *release(): Generator<Event> {
    for (const { event, state } of this.#heldBack) {
      this.state = state
      yield event
    }
    this.isLive = true
    if (!this.isFlying) this.stopTimer()
  }

  /** A refused answer is not told of. */
  forget(): void {
    this.#heldBack = []
  }

  /** Nothing of it goes on, and nobody waits for it. */
  leave(): void {
    this.stopTimer()
    this.caller.abort()
    this.failed(this.caller.signal.reason)
  }
}
