// A session over the sample server, within one process: no socket, but real tokens, rotation and faults. Beside it what tests
// need to look at the wire, to stop an answer there, and to let time pass without waiting.

import { createSession, type Json, type Platform, type Session, type SessionOptions, type State } from 'resesh'
import { bearer } from 'resesh/backends/bearer'
import { cookie } from 'resesh/backends/cookie'
import { oauth2 } from 'resesh/backends/oauth2'
import { custom } from 'resesh/storage/custom'
import { expect, onTestFinished } from 'vitest'
import { createSampleServer, type SampleServer, type SampleServerOptions } from '../servers/sample/server.ts'
import { defer } from './defer.ts'

export { defer }

export const ORIGIN = 'https://api.example.test'
export const url = (path: string): string => ORIGIN + path

/** fetch over a sample server: a dropped connection rejects as fetch does, an abort is obeyed, a cookie is kept as by a jar. */
export const fetchOf = (server: SampleServer): typeof fetch => {
  let jar = ''
  return async (input, init) => {
    const request = new Request(input, init)
    request.signal.throwIfAborted()
    const aborted = new Promise<never>((_, reject) =>
      request.signal.addEventListener('abort', () => reject(request.signal.reason as Error)),
    )
    aborted.catch(() => {})
    const answer = await Promise.race([server.handle(request, { cookie: jar }), aborted])
    if (answer === 'drop') throw new TypeError('fetch failed')
    jar = answer.headers.getSetCookie()[0]?.split(';')[0] ?? jar
    return answer
  }
}

/** One request as it left the session. */
export interface Sent {
  readonly method: string
  readonly path: string
  readonly url: string
  readonly headers: Headers
  /** As fetch was called. */
  readonly args: readonly [input: RequestInfo | URL, init?: RequestInit | undefined]
  text(): Promise<string>
}

/** An answer kept back: the server has done its work, nobody has heard of it yet. */
export interface Held {
  readonly arrived: Promise<void>
  release(): void
}

export interface Wire {
  readonly fetch: typeof fetch
  readonly sent: readonly Sent[]
  /** The sent ones of a path. */
  to(path: string): readonly Sent[]
  /** The next request to this path gets its answer only at `release`. */
  hold(path: string): Held
  /** While true, nothing gets through. */
  isDown: boolean
}

export const createWire = (transport: typeof fetch): Wire => {
  const sent: Sent[] = []
  const gates = new Map<string, { arrive(): void; opened: Promise<void> }[]>()
  const wire: Wire = {
    sent,
    to: (path) => sent.filter((each) => each.path === path),
    hold(path) {
      const [arrived, opened] = [defer(), defer()]
      gates.set(path, [...(gates.get(path) ?? []), { arrive: arrived.resolve, opened: opened.promise }])
      return { arrived: arrived.promise, release: opened.resolve }
    },
    isDown: false,
    async fetch(...args) {
      const request = new Request(...args)
      const copy = request.clone()
      const { method, headers } = request
      const { pathname: path } = new URL(request.url)
      sent.push({ method, path, url: request.url, headers, args, text: () => copy.text() })
      if (wire.isDown) throw new TypeError('fetch failed')
      const gate = gates.get(path)?.shift()
      if (!gate) return transport(request)
      const answer = await transport(request)
      gate.arrive()
      await new Promise<void>((done, fail) => {
        request.signal.addEventListener('abort', () => fail(request.signal.reason as Error))
        done(gate.opened)
      })
      return answer
    },
  }
  return wire
}

export interface Clock {
  /** Wall time. */
  now(): number
  /** Time passes, and every timer that is due runs at its time. */
  pass(ms: number): Promise<void>
  /** The device's wall clock is set; no time passes. */
  setWall(ms: number): void
  /** Timers that wait. */
  readonly waiting: number
  readonly platform: Platform
}

// Signing happens in another thread, and may take longer than any number of turns of this one: so it is counted.
const inThreads = new Set<Promise<unknown>>()
const counted = <A extends unknown[], R>(work: (...args: A) => Promise<R>) =>
  async function (this: SubtleCrypto, ...args: A): Promise<R> {
    const done = work.apply(this, args)
    inThreads.add(done)
    const forget = () => inThreads.delete(done)
    done.then(forget, forget)
    return done
  }
const { sign, digest } = crypto.subtle
Object.assign(crypto.subtle, { sign: counted(sign), digest: counted(digest) })

/** Whatever can go on without time passing has done so. */
export const settled = async (): Promise<void> => {
  for (let quiet = 0; quiet < 3; quiet++) {
    if (inThreads.size) quiet = 0
    await Promise.allSettled(inThreads)
    await new Promise((done) => setImmediate(done))
  }
}

export const createClock = (start = Date.UTC(2026, 0, 1)): Clock => {
  let mono = 0
  let wall = start
  let lastId = 0
  const timers = new Map<number, { due: number; run: () => void }>()
  const move = (to: number) => {
    wall += Math.max(0, to - mono)
    mono = Math.max(mono, to)
  }
  const next = () => [...timers].sort(([, a], [, b]) => a.due - b.due)[0]
  return {
    now: () => wall,
    setWall: (ms) => (wall = ms),
    get waiting() {
      return timers.size
    },
    async pass(ms) {
      const end = mono + ms
      await settled()
      for (let timer = next(); timer && timer[1].due <= end; timer = next()) {
        const [id, { due, run }] = timer
        timers.delete(id)
        move(due)
        run()
        await settled()
      }
      move(end)
      await settled()
    },
    platform: {
      Date: Object.assign(class extends Date {}, { now: () => wall }) as DateConstructor,
      performance: { now: () => mono } as Performance,
      setTimeout: ((run: () => void, ms = 0) => {
        // As the real one: what it can't hold fires at once.
        timers.set(++lastId, { due: mono + (ms > 2 ** 31 - 1 ? 0 : Math.max(0, ms)), run })
        return lastId
      }) as unknown as typeof setTimeout,
      clearTimeout: ((id: number) => timers.delete(id)) as typeof clearTimeout,
    },
  }
}

/** Chance without surprise: jitter and back-off are in the middle of what they may be. */
export const evenChance = Object.create(Math, { random: { value: () => 0.5 } }) as Math

export const bearerBackend = () =>
  bearer({
    refreshUrl: `${ORIGIN}/auth/refresh`,
    signOutUrl: `${ORIGIN}/auth/logout`,
    userUrl: `${ORIGIN}/auth/user`,
  })

export const oauth2Backend = () =>
  oauth2({
    tokenEndpoint: `${ORIGIN}/oauth/token`,
    revocationEndpoint: `${ORIGIN}/oauth/revoke`,
    userinfoEndpoint: `${ORIGIN}/oauth/userinfo`,
    clientId: 'spa',
  })

export const cookieBackend = () =>
  cookie({
    sessionUrl: `${ORIGIN}/bff/session`,
    refreshUrl: `${ORIGIN}/bff/refresh`,
    signOutUrl: `${ORIGIN}/bff/logout`,
    headers: { 'x-bff': '1' },
  })

/** What tabs of one browser share, to be looked into. */
export const sharedStorage = () => {
  const items = {
    text: null as string | null,
    getItem: async function () {
      return this.text
    },
    setItem: async function (_key: string, text: string) {
      this.text = text
    },
    update: async function (_key: string, change: (old: string | null) => string | null | undefined) {
      const next = change(this.text)
      if (next === undefined) return false
      this.text = next
      return true
    },
  }
  return Object.assign(items, custom(items))
}

/** What was thrown, for a look at more than its message. */
export const thrownBy = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => expect.unreachable('nothing was thrown'),
    (error: unknown) => error,
  )

export interface Login {
  accessToken: string
  refreshToken: string
  expiresInSeconds: number
  user: { name: string }
}

/** What a login answers: credentials as the bearer backend would read them. */
export const login = async (server: SampleServer, username = 'ann'): Promise<Login> => {
  const response = await server.handle(
    new Request(`${ORIGIN}/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username, password: 'secret' }),
    }),
  )
  if (response === 'drop') throw new TypeError('fetch failed')
  const { accessToken, refreshToken, expiresIn, user } = await response.json()
  return { accessToken, refreshToken, expiresInSeconds: expiresIn, user }
}

const base64url = (value: Json) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A token that says this, signed by nobody. */
export const jwt = (claims: Json): string => `${base64url({ alg: 'none' })}.${base64url(claims)}.x`

export interface Setup {
  server: SampleServer
  session: Session
  states: State[]
  wire: Wire
}

export interface SetupOptions extends SampleServerOptions {
  server?: SampleServer
  /** In place of the real time, on both sides. */
  clock?: Clock
}

/** Signed in as ann; nothing went over the wire yet. */
export const setup = async (
  options: Partial<SessionOptions> = {},
  { server, clock, ...serverOptions }: SetupOptions = {},
): Promise<Setup> => {
  const started = server ?? createSampleServer({ ...(clock && { now: clock.now }), ...serverOptions })
  const credentials = await login(started)
  const wire = createWire(fetchOf(started))
  const session = createSession({
    backend: bearerBackend(),
    initial: credentials,
    ...options,
    platform: { fetch: wire.fetch, Math: evenChance, ...clock?.platform, ...options.platform },
  })
  onTestFinished(session.dispose)
  await settled()
  const states: State[] = []
  session.on('change', ({ current }) => states.push(current))
  return { server: started, session, states, wire }
}
