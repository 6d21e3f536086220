// A browser without a browser: tabs that share a cookie jar, storage, locks and messages, on a page of one origin, in front of
// whatever server a test has. Redirects, `no-cors` and cookies are as fetch has them; time passes when it is told to.

import { createSession, type Backend, type Session, type SessionOptions } from 'resesh'
import { sideTokens } from 'resesh/side-tokens'
import { onTestFinished } from 'vitest'
import { createChannels, createSharedStorage } from '../../src/testing/shared.ts'
import { createWire, type Wire } from '../support/session.ts'

export const PAGE = 'https://app.example.test'

/** A server. `drop`: the connection is cut. */
export type Handle = (request: Request, host: { cookie: string }) => Promise<Response | 'drop'>

export interface Clock {
  now(): number
  pass(ms: number): void
}

export const createClock = (): Clock => {
  let ahead = 0
  return { now: () => Date.now() + ahead, pass: (ms) => void (ahead += ms) }
}

export interface Browser {
  readonly wire: Wire
  /** Another tab of the app. */
  open(options?: Partial<SessionOptions>): Session
  /** Plain fetch of a page, with the jar. */
  readonly fetch: typeof fetch
  /** The cookies, whoever may see them. */
  readonly cookies: readonly string[]
  /** What is in localStorage. */
  readonly local: Map<string, string>
  readonly jar: Pick<Jar, 'take'>
}

interface Cookie {
  name: string
  value: string
  path: string
  isHidden: boolean
}

/** The cookies of one site; all hosts of a test belong to it. */
class Jar {
  #cookies: Cookie[] = []

  get names(): string[] {
    return this.#cookies.map(({ name }) => name)
  }

  get forScripts(): string {
    return this.#header(this.#cookies.filter(({ isHidden }) => !isHidden))
  }

  header(path: string): string {
    return this.#header(this.#cookies.filter((cookie) => path.startsWith(cookie.path)))
  }

  take(header: string): void {
    const [pair = '', ...rest] = header.split('; ')
    const attributes = new Map(rest.map((each) => each.toLowerCase().split('=') as [string, string | undefined]))
    if (!new URL(PAGE).hostname.endsWith(attributes.get('domain') ?? '')) return // not for us
    const cut = pair.indexOf('=')
    const [name, value, path] = [pair.slice(0, cut), pair.slice(cut + 1), attributes.get('path') ?? '/']
    this.#cookies = this.#cookies.filter((cookie) => cookie.name !== name || cookie.path !== path)
    if (value && attributes.get('max-age') !== '0')
      this.#cookies.push({ name, value, path, isHidden: attributes.has('httponly') })
  }

  #header = (cookies: Cookie[]): string => cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
}

// What a page may see of an answer it may not read.
const opaque = (type: ResponseType): Response =>
  Object.defineProperties(new Response(), { type: { value: type }, status: { value: 0 }, ok: { value: false } })

const transport =
  (handle: Handle, jar: Jar) =>
  async (request: Request): Promise<Response> => {
    const { origin, pathname } = new URL(request.url)
    const mayCookie = request.credentials === 'include' || (request.credentials === 'same-origin' && origin === PAGE)
    request.signal.throwIfAborted()
    const aborted = new Promise<never>((_, reject) =>
      request.signal.addEventListener('abort', () => reject(request.signal.reason as Error)),
    )
    aborted.catch(() => {})
    const answer = await Promise.race([handle(request, { cookie: mayCookie ? jar.header(pathname) : '' }), aborted])
    if (answer === 'drop') throw new TypeError('fetch failed')
    if (mayCookie) answer.headers.getSetCookie().forEach((header) => jar.take(header))
    if (request.mode === 'no-cors') return opaque('opaque')
    if (answer.status < 300 || answer.status > 399) return answer
    if (request.redirect === 'manual') return opaque('opaqueredirect')
    throw new TypeError('fetch failed: a redirect')
  }

/** As navigator.locks, for one browser. */
function createLocks(): LockManager {
  type Waiting = { go: () => void }
  const queues = new Map<string, Waiting[]>()
  const request = (name: string, { signal, steal }: LockOptions, hold: () => Promise<unknown>): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const queue = queues.get(name) ?? []
      queues.set(name, queue)
      const waiting = {
        go() {
          signal?.removeEventListener('abort', leave)
          hold()
            .then(resolve, reject)
            .finally(() => remove())
        },
      }
      const remove = (): void => {
        const place = queue.indexOf(waiting)
        if (place >= 0) queue.splice(place, 1)
        if (place === 0) queue[0]?.go()
      }
      const leave = (): void => {
        remove()
        reject(signal!.reason as Error)
      }
      if (signal?.aborted) return reject(signal.reason as Error)
      signal?.addEventListener('abort', leave)
      if (steal) queue.shift()
      if (steal) queue.unshift(waiting)
      else queue.push(waiting)
      if (queue[0] === waiting) waiting.go()
    })
  return { request } as unknown as LockManager
}

// Back-off all but none: tests wait for what happens, not for how long it is put off.
const littleChance = Object.create(Math, { random: { value: () => 0.01 } }) as Math

export function createBrowser(handle: Handle, backend: () => Backend<any>, clock: Clock): Browser {
  const jar = new Jar()
  const wire = createWire(transport(handle, jar) as typeof fetch)
  const fetchOfPage: typeof fetch = (input, init) =>
    wire.fetch(typeof input === 'string' ? new URL(input, PAGE) : input, init)
  const local = new Map<string, string>()
  const shared = {
    localStorage: {
      getItem: (key: string) => local.get(key) ?? null,
      removeItem: (key: string) => void local.delete(key),
    } as Storage,
    fetch: fetchOfPage,
    Math: littleChance,
    Date: Object.assign(class extends Date {}, { now: clock.now }) as DateConstructor,
    performance: { now: clock.now } as Performance,
    navigator: { locks: createLocks(), onLine: true } as Navigator,
    BroadcastChannel: createChannels(setImmediate),
    location: { origin: PAGE, href: `${PAGE}/`, hostname: new URL(PAGE).hostname, protocol: 'https:' } as Location,
    document: {
      get cookie() {
        return jar.forScripts
      },
      set cookie(header) {
        jar.take(header)
      },
      visibilityState: 'visible',
      addEventListener() {},
    } as unknown as Document,
  }
  const storage = createSharedStorage()
  return {
    wire,
    jar,
    fetch: fetchOfPage,
    local,
    get cookies() {
      return jar.names
    },
    open(options = {}) {
      const session = createSession({
        backend: backend(),
        storage,
        use: [sideTokens()],
        refreshAhead: 'never',
        ...options,
        platform: shared,
      })
      onTestFinished(session.dispose)
      return session
    },
  }
}
