// What the page hears of an upload that may go out twice: each event once, and progress only forward.

const KINDS = ['loadstart', 'progress', 'abort', 'error', 'load', 'timeout', 'loadend']

export class Upload {
  readonly #told = new Map<string, number>()
  readonly #filter: (event: Event) => void

  /** Before the page can listen: listeners run in the order in which they came. @param isMuted Whether nothing may be heard. */
  constructor(
    readonly target: XMLHttpRequestUpload,
    isMuted: () => boolean,
  ) {
    this.#filter = (event) => {
      const { type, loaded, isTrusted } = event as ProgressEvent
      const before = this.#told.get(type)
      const isOld = type === 'progress' ? loaded <= before! : before !== undefined
      if (isTrusted && (isMuted() || isOld || this.isOver)) event.stopImmediatePropagation()
      else this.#told.set(type, loaded)
    }
    for (const kind of KINDS) target.addEventListener(kind, this.#filter)
  }

  get isOver(): boolean {
    return this.#told.has('loadend')
  }

  again(): void {
    this.#told.clear()
  }

  /** For what is not ours: a listener asks for a preflight (XMLHttpRequest §3.5.6). */
  unwatch(): void {
    for (const kind of KINDS) this.target.removeEventListener(kind, this.#filter)
  }
}
