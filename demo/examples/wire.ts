// What goes over the wire, as lines: the transport each example hands to its session. Long values are cut: no token is shown.

export interface Line {
  readonly method: string
  readonly path: string
  /** `session`: a call that the SDK makes for itself. `replay`: a request of the app once more, with new credentials. */
  readonly kind: 'request' | 'session' | 'replay'
  status?: number
  readonly sent: string[]
  readonly got: string[]
}

const dull =
  /^(accept|access-control-.*|cache-control|connection|content-(type|length)|date|keep-alive|transfer-encoding|vary)$/

const word = (text: string): string => (text.length > 24 ? `${text.slice(0, 5)}…` : text)
const short = (text: string): string => text.split(' ').map(word).join(' ') || '(empty)'

const shape = (value: unknown, depth = 0): string => {
  if (Array.isArray(value)) return `[${value.map((each) => shape(each, depth + 1)).join(', ')}]`
  if (typeof value !== 'object' || value === null) return short(String(value))
  const parts = Object.entries(value).map(([name, each]) => `${name}: ${shape(each, depth + 1)}`)
  return depth > 1 ? '{…}' : depth > 0 ? `{ ${parts.join(', ')} }` : parts.join(', ')
}

const headersOf = (headers: Headers): string[] =>
  [...headers].filter(([name]) => !dull.test(name)).map(([name, value]) => `${name}: ${short(value)}`)

const bodyOf = async (message: Request | Response): Promise<string[]> => {
  const text = await message.text().catch(() => '')
  const type = message.headers.get('content-type') ?? ''
  if (type.includes('form')) return Array.from(new URLSearchParams(text), ([name, value]) => `${name}=${word(value)}`)
  try {
    return text ? [shape(JSON.parse(text)) || '{ }'] : []
  } catch {
    return [short(text)]
  }
}

export class Wire {
  readonly #watchers = new Set<(line: Line) => void>()
  readonly #refused = new Set<string>()

  /** @param isOwn Whether a path is one of the SDK's own calls. */
  constructor(readonly isOwn: (path: string) => boolean) {}

  /** Called when a line begins, and again when it is answered. */
  watch(run: (line: Line) => void): void {
    this.#watchers.add(run)
  }

  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input instanceof Request ? input.clone() : input, init)
    const { method, headers } = request
    const path = new URL(request.url).pathname.replace(/^\/vendors\/[^/]+/, '')
    const kind = this.isOwn(path) ? 'session' : this.#refused.delete(method + path) ? 'replay' : 'request'
    const sent = headersOf(headers)
    const line: Line = { method, path, kind, sent, got: [] }
    if (method !== 'GET') line.sent.push(...(await bodyOf(request)))
    this.#tell(line)
    const response = await fetch(input, init)
    line.status = response.status
    // A 403 is no expiry: nobody sends it again.
    if (kind === 'request' && !response.ok && response.status !== 403) this.#refused.add(method + path)
    line.got.push(...headersOf(response.headers), ...(await bodyOf(response.clone())))
    this.#tell(line)
    return response
  }

  #tell(line: Line): void {
    for (const run of this.#watchers) run(line)
  }
}
