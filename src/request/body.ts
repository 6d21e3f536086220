// The body of a request, the same at each sending. Strings, Blobs and forms can be sent again as they are. Buffers are copied,
// since the caller may change them; a stream is kept while it is sent, since it can be read only once. Both count against one cap.

/** How many bytes may still be copied, for all requests of a session together. */
export interface CopyBudget {
  left: number
}

/** A share of the budget, given back in one piece. */
class Share {
  #bytes = 0

  constructor(readonly budget: CopyBudget) {}

  /** Whether there was room for so many bytes. */
  take(bytes: number): boolean {
    if (bytes > this.budget.left) return false
    this.budget.left -= bytes
    this.#bytes += bytes
    return true
  }

  giveBack(): void {
    this.budget.left += this.#bytes
    this.#bytes = 0
  }
}

/** A stream that is read once, and what was read of it: kept until it is too long, or nobody needs it any more. */
export class KeptStream {
  readonly #reader: ReadableStreamDefaultReader<unknown>
  readonly #share: Share
  #chunks: Uint8Array<ArrayBuffer>[] = []
  #isKept = true
  #isSent = false
  #isReleased = false
  #isCancelled = false
  #whole: Promise<Blob | null> | undefined

  constructor(source: ReadableStream, budget: CopyBudget) {
    this.#reader = source.getReader()
    this.#share = new Share(budget)
  }

  /** Whether all that was read so far is kept. */
  get isKept(): boolean {
    return this.#isKept
  }

  /** For the first sending: reads only as fast as it is read. */
  passOn(): ReadableStream {
    this.#isSent = true
    return new ReadableStream(
      {
        pull: async (controller) => {
          const { done, value } = await this.#next()
          if (done) controller.close()
          else controller.enqueue(value)
        },
        cancel: async (reason) => {
          this.#isCancelled = true
          // A refused request may be sent again: then the rest is still needed.
          if (this.#isReleased) await this.#reader.cancel(reason)
        },
      },
      { highWaterMark: 0 },
    )
  }

  /** Reads what is left. @returns all of it, `null` where it is too long to keep. */
  readWhole(): Promise<Blob | null> {
    this.#whole ??= this.#readOn()
    return this.#whole
  }

  async #readOn(): Promise<Blob | null> {
    for (;;) {
      if (!this.#isKept) return null
      const { done } = await this.#next()
      if (done) return this.#isKept ? new Blob(this.#chunks) : null
    }
  }

  /** The request is over: nothing is kept any more. What is still being sent goes on. */
  release(): void {
    this.#isReleased = true
    this.#forget()
    const isOver = this.#isCancelled || !this.#isSent
    if (isOver) this.#reader.cancel().catch(() => {})
  }

  async #next(): Promise<ReadableStreamReadResult<unknown>> {
    const result = await this.#reader.read()
    if (!result.done) this.#keep(result.value)
    return result
  }

  #keep(chunk: unknown): void {
    if (!this.#isKept) return
    if (chunk instanceof Uint8Array && this.#share.take(chunk.length)) this.#chunks.push(chunk.slice())
    else this.#forget()
  }

  #forget(): void {
    this.#isKept = false
    this.#chunks = []
    this.#share.giveBack()
  }
}

/** A body, ready to be sent more than once. */
export class KeptBody {
  readonly #share: Share
  readonly #stream: KeptStream | undefined
  #copy: BodyInit | undefined
  #isTooLong = false

  constructor(body: BodyInit, budget: CopyBudget) {
    this.#share = new Share(budget)
    const source = streamOf(body)
    if (source) {
      this.#stream = new KeptStream(source, budget)
      return
    }
    const bytes = bytesOf(body)
    this.#isTooLong = !!bytes && !this.#share.take(bytes.length)
    this.#copy = bytes && !this.#isTooLong ? bytes.slice() : snapshot(body)
  }

  /** For the next sending. */
  take(): BodyInit {
    return this.#copy ?? this.#stream!.passOn()
  }

  /** Of a stream nobody knows how long it is before it has ended. */
  get isStream(): boolean {
    return this.#stream !== undefined
  }

  /** Whether it can be sent again, as far as is known. A buffer that is too long to copy can't: the caller may change it meanwhile. */
  get canReplay(): boolean {
    return !this.#isTooLong && (this.#stream?.isKept ?? true)
  }

  /** Waits for the end of a stream, so that it can be sent again. */
  async rewind(): Promise<void> {
    const whole = await this.#stream?.readWhole()
    if (whole) this.#copy = whole
  }

  /** The request is over. */
  release(): void {
    this.#share.giveBack()
    this.#stream?.release()
  }
}

/** A stream that can be read only once; `undefined`: the body is none. */
function streamOf(body: BodyInit): ReadableStream | undefined {
  if (body instanceof ReadableStream) return body
  // Node takes whatever can be iterated over in time.
  if (typeof body !== 'object' || !(Symbol.asyncIterator in body)) return undefined
  const chunks = (body as AsyncIterable<unknown>)[Symbol.asyncIterator]()
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await chunks.next()
      if (done) controller.close()
      else controller.enqueue(typeof value === 'string' ? new TextEncoder().encode(value) : value)
    },
    async cancel(reason) {
      await chunks.return?.(reason)
    },
  })
}

function bytesOf(body: BodyInit): Uint8Array<ArrayBuffer> | undefined {
  if (typeof body === 'string') return undefined
  if (body instanceof ArrayBuffer) return new Uint8Array(body)
  return ArrayBuffer.isView(body) ? new Uint8Array(body.buffer, body.byteOffset, body.byteLength) : undefined
}

/** Lists that the caller can still change are copied, not what is in them; strings and Blobs can't be changed. */
function snapshot(body: BodyInit): BodyInit {
  if (body instanceof URLSearchParams) return new URLSearchParams(body)
  if (!(body instanceof FormData)) return body
  const copy = new FormData()
  for (const [name, value] of body) copy.append(name, value as string)
  return copy
}
