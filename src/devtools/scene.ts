// What the timeline draws: scenes, each with requests of the app, talks with the server, and events. Types only; times are
// monotonic ms of this page.

export interface Send {
  readonly from: number
  to?: number
  status?: number
}

/** A request of the app, or a talk of the session with its server. */
export interface Drawn {
  /** `GET /api/me`, or `refresh`, `sign-in`, `back-off`. */
  readonly label: string
  /** Beside the label: why. */
  readonly note?: string
  readonly from: number
  to?: number
  status?: number
  failed?: string
  /** How it ended, in words. */
  ended?: string
  readonly sends: Send[]
}

export interface Mark {
  readonly at: number
  readonly type: string
  readonly text: string
}

export interface Scene {
  title: string
  readonly from: number
  to: number
  readonly requests: Drawn[]
  readonly calls: Drawn[]
  readonly marks: Mark[]
  /** What happened, in plain sentences. */
  readonly lines: { readonly at: number; readonly text: string }[]
  /** How much of it is still under way. */
  open: number
}
