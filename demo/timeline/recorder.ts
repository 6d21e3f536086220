// What happened, for the timeline to draw: requests as the app saw them, each with its sends as the wire saw them, the calls
// of the session itself, and events. One scene per click. It draws nothing.

export interface Send {
  from: number
  to?: number
  status?: number
}

/** A request of the app's, or a call that the session made for itself. */
export interface Drawn {
  readonly label: string
  readonly from: number
  to?: number
  status?: number
  failed?: string
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
  open: number
}

// What comes this long after the last of a scene, unasked, is a scene of its own.
const quiet = 3000
const most = 30
const key = 'drawn'

const pathOf = (input: RequestInfo | URL): URL => new URL(input instanceof Request ? input.url : input, location.href)

export class Recorder {
  readonly scenes: Scene[] = []
  readonly #watchers = new Set<(scene: Scene) => void>()
  readonly #byKey = new Map<string, { request: Drawn; scene: Scene }>()
  #next = 0

  watch(run: (scene: Scene) => void): void {
    this.#watchers.add(run)
  }

  begin(title: string): Scene {
    const now = performance.now()
    const scene: Scene = { title, from: now, to: now, requests: [], calls: [], marks: [], open: 0 }
    this.scenes.push(scene)
    if (this.scenes.length > most) this.scenes.shift()
    return scene
  }

  /** Before the first scene there is nothing to mark. */
  mark(type: string, text: string): void {
    if (this.scenes.length === 0) return
    const scene = this.#scene()
    scene.to = performance.now()
    scene.marks.push({ at: scene.to, type, text })
    this.#tell(scene)
  }

  /** The app's side. The request is known again on the wire by a number in its query. */
  track(fetch: typeof globalThis.fetch): typeof globalThis.fetch {
    return async (input, init) => {
      const scene = this.#scene()
      const url = pathOf(input)
      const number = String(this.#next++)
      const request: Drawn = { label: `${init?.method ?? 'GET'} ${url.pathname}`, from: performance.now(), sends: [] }
      url.searchParams.set(key, number)
      this.#byKey.set(number, { request, scene })
      scene.requests.push(request)
      this.#open(scene)
      try {
        const response = await fetch(url, init)
        request.status = response.status
        return response
      } catch (error) {
        request.failed = error instanceof Error ? error.name : String(error)
        throw error
      } finally {
        request.to = performance.now()
        this.#byKey.delete(number)
        this.#close(scene)
      }
    }
  }

  /** The wire's side: the transport that the session is given. */
  readonly wire: typeof globalThis.fetch = async (input, init) => {
    const url = pathOf(input)
    const from = performance.now()
    const tracked = this.#byKey.get(url.searchParams.get(key) ?? '')
    const scene = tracked?.scene ?? this.#scene()
    const send: Send = { from }
    const call: Drawn = { label: url.pathname, from, sends: [send] }
    if (tracked) tracked.request.sends.push(send)
    else scene.calls.push(call)
    this.#open(scene)
    try {
      const response = await fetch(input, init)
      send.status = call.status = response.status
      return response
    } catch (error) {
      call.failed = error instanceof Error ? error.name : String(error)
      throw error
    } finally {
      send.to = call.to = performance.now()
      this.#close(scene)
    }
  }

  #scene(): Scene {
    const last = this.scenes.at(-1)
    return last && (last.open > 0 || performance.now() - last.to < quiet)
      ? last
      : this.begin(last ? 'In the background' : 'Page load')
  }

  #open(scene: Scene): void {
    scene.open++
    this.#tell(scene)
  }

  #close(scene: Scene): void {
    scene.open--
    scene.to = performance.now()
    this.#tell(scene)
  }

  #tell(scene: Scene): void {
    for (const run of this.#watchers) run(scene)
  }
}
