// A session for component tests: a real session, with answers in place of a server.

import { SessionEndedError } from '../errors.ts'
import type { Session } from '../face.ts'
import { defineBackend } from '../backends/kit.ts'
import { assertKnown, type Names } from '../known-options.ts'
import { createSession } from '../session.ts'
import type { Credentials, Json } from '../state/credentials.ts'
import { memory } from '../storage/memory.ts'

export interface MockSessionOptions<U, C> {
  /** Who is signed in; `null`, or left out: nobody. */
  user?: U | null
  /** The payload of the access token. @default {} */
  claims?: C
  /** `'loading'`: it never becomes known who is signed in. @default by `user` */
  status?: 'loading'
  /** Answers the requests of `session.fetch`. @default 200 with `{}` */
  fetch?(request: Request): Response | Promise<Response>
}

export interface MockSession<U, C> extends Session<U, C> {
  /** Changes the user on the server, and reloads the session: a `change` with `reason: 'reloaded'`. */
  edit(changes: Partial<U>): Promise<void>
  /** The server ends the session. @param reason @default 'expired' */
  end(reason?: 'expired' | 'revoked' | 'reused'): Promise<void>
  /** `true`: the server can't be reached, and `current.stale` is `true`. `false`: it can be reached again. */
  setStale(isStale: boolean): Promise<void>
}

// For paths, if there is no page.
const ORIGIN = 'http://localhost'

// Not by TextEncoder: Jest's jsdom has none.
const utf8 = (text: string): string =>
  encodeURIComponent(text).replace(/%(..)/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))

const base64url = (value: unknown): string =>
  btoa(utf8(JSON.stringify(value)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')

/** A JWT with these claims, without a signature. */
export const unsignedJwt = (claims: object): string => `${base64url({ alg: 'none' })}.${base64url(claims)}.`

const OPTIONS: Names<MockSessionOptions<Json, Json>> = { user: true, claims: true, status: true, fetch: true }

/**
 * A session that needs no server: for tests of what your app shows.
 *
 * @example
 * const session = mockSession({ user: { id: 'ann', name: 'Ann' } })
 * render(<App session={session} />)
 * await session.edit({ name: 'Ann B.' })
 */
export function mockSession<U extends object = Json, C extends object = Json>(
  options: MockSessionOptions<U, C> = {},
): MockSession<U, C> {
  assertKnown('mockSession', options, OPTIONS)
  const { user = null, claims = {} as C, status, fetch = () => Response.json({}) } = options
  let stored: U | null = user
  let ended: 'expired' | 'revoked' | 'reused' | null = null
  let isAway = false
  let minted = 0
  /** The next request is refused: only then the session finds out that its server is away. */
  let refuseNext = false

  const credentials = (): Credentials<U> => ({
    accessToken: unsignedJwt({ ...claims, jti: String(++minted) }),
    refreshToken: 'mock',
    user: stored,
  })

  async function answer(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    if (refuseNext) {
      refuseNext = false
      return new Response(null, { status: 401 })
    }
    const base = globalThis.location?.href ?? `${ORIGIN}/`
    return fetch(new Request(input instanceof Request ? input : new URL(input, base), init))
  }

  const backend = defineBackend<U>({
    name: 'mock',
    origins: [ORIGIN],
    accepts: ['organizationId', 'data'],
    restore: () => new Promise(() => {}),
    async refresh() {
      if (isAway) throw new Error('the mock server is away')
      if (ended && ended !== 'expired') throw new SessionEndedError(ended)
      return ended ? null : credentials()
    },
  })
  const session = createSession<U, C>({
    backend,
    storage: memory(),
    refreshAhead: 'never',
    ...(status !== 'loading' && { initial: user && credentials() }),
    platform: { fetch: answer },
  })

  async function goStale({ current }: Session<U, C>): Promise<void> {
    if (current.status !== 'authenticated' || current.stale) return
    refuseNext = true
    const request = new AbortController()
    const told = new Promise<void>((done) => {
      const stop = session.on('change', ({ current: { stale } }) => {
        if (!stale) return
        stop()
        done()
      })
    })
    session.fetch(`${ORIGIN}/`, { signal: request.signal }).catch(() => {})
    await told
    request.abort()
  }

  return Object.assign(session, {
    async edit(changes: Partial<U>) {
      stored = { ...stored!, ...changes }
      await session.reload()
    },
    async end(reason: 'expired' | 'revoked' | 'reused' = 'expired') {
      ended = reason
      await session.refresh()
    },
    async setStale(isStale: boolean) {
      isAway = isStale
      if (isStale) await goStale(session)
      else await session.refresh()
    },
  })
}
