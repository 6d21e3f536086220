// A backend for frontend (RFC 10017) in front of oidc-provider: tokens stay here, and the page has a cookie that no script can
// read. `isGateway`: its API answers 401 once the access token is dead, and `/bff/refresh` cures that; else it renews by itself.

import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Json } from 'resesh'
import { claimsOf } from '../../../../src/state/credentials.ts'
import { serve } from '../support/child.ts'
import { authorize } from '../support/authorize.ts'
import { createOidc } from '../support/oidc.ts'

interface Held {
  user: string
  accessToken: string
  refreshToken: string
  /** The refresh that runs: tabs of one session share it. */
  flight?: Promise<Outcome> | undefined
}

type Outcome = 'renewed' | 'over' | 'unknown'

const IDLE_SECONDS = 3_600
const COOKIE = '__Host-bff'

export type Controls = ReturnType<typeof create>['controls']

export interface Options {
  isGateway?: boolean
}

function create(origin: string, { isGateway = false }: Options) {
  const secret = randomUUID()
  const redirectUri = `${origin}/bff/callback`
  const oidc = createOidc(origin, { redirectUris: [redirectUri], secret })
  const sessions = new Map<string, Held>()
  let refreshes = 0
  let isAway = false

  const post = (path: string, fields: Record<string, string>): Promise<Response> => {
    const authorization = `Basic ${Buffer.from(`bff:${secret}`).toString('base64')}`
    return fetch(origin + path, { method: 'POST', headers: { authorization }, body: new URLSearchParams(fields) })
  }
  const keep = async (response: Response, held: Partial<Held>): Promise<Held> => {
    const { access_token, refresh_token, id_token } = (await response.json()) as Record<string, string>
    const user = claimsOf(id_token!)!['sub'] as string
    return Object.assign(held as Held, { user, accessToken: access_token, refreshToken: refresh_token })
  }

  const renew = (held: Held): Promise<Outcome> =>
    (held.flight ??= (async (): Promise<Outcome> => {
      refreshes++
      if (isAway) return 'unknown'
      const response = await post('/token', { grant_type: 'refresh_token', refresh_token: held.refreshToken })
      if (response.ok) await keep(response, held)
      return response.ok ? 'renewed' : response.status === 400 ? 'over' : 'unknown'
    })().finally(() => (held.flight = undefined)))

  const forward = (held: Held, path: string): Promise<Response> =>
    fetch(origin + path, { headers: { authorization: `Bearer ${held.accessToken}` } })

  async function answer(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(message.url!, origin)
    const id = new RegExp(`${COOKIE}=([^;]+)`).exec(message.headers.cookie ?? '')?.[1] ?? ''
    const held = sessions.get(id)

    const set = (value: string, seconds: number): string =>
      `${COOKIE}=${value}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=${seconds}`
    const say = (status: number, body?: unknown, headers: Record<string, string> = {}): void =>
      void response
        .writeHead(status, { 'cache-control': 'no-store', 'content-type': 'application/json', ...headers })
        .end(body && JSON.stringify(body))
    const over = (): void => {
      sessions.delete(id)
      // Not for an id that is unknown: a request from before a rotation, answered late, would take the new cookie away.
      say(401, { error: 'session_over' }, held && { 'set-cookie': set('', 0) })
    }
    const unknown = (): void => say(503, { error: 'upstream_unavailable' }, { 'retry-after': '1' })
    const described = ({ user }: Held): Json => ({
      authenticated: true,
      user: oidc.users.get(user),
      expiresAt: Date.now() + IDLE_SECONDS * 1000,
    })

    if (pathname === '/bff/login') {
      const exchange = await authorize(origin, { clientId: 'bff', user: searchParams.get('user')!, redirectUri })
      const fresh = randomUUID()
      sessions.set(fresh, await keep(await post('/token', exchange), {}))
      return say(302, undefined, { location: '/page', 'set-cookie': set(fresh, IDLE_SECONDS) })
    }
    // No form and no foreign script can send it without being asked first (RFC 10017, CSRF).
    if (message.headers['x-bff'] !== '1') return say(403, { error: 'missing_header' })
    if (pathname === '/bff/session') return say(200, held ? described(held) : { authenticated: false })
    if (!held) return over()
    if (pathname === '/bff/logout') {
      sessions.delete(id)
      await post('/token/revocation', { token: held.refreshToken })
      return say(204, undefined, { 'set-cookie': set('', 0) })
    }
    if (pathname === '/bff/refresh') {
      const outcome = await renew(held)
      if (outcome === 'over') return over()
      if (outcome === 'unknown') return unknown()
      const next = randomUUID()
      sessions.delete(id)
      sessions.set(next, held)
      return say(200, described(held), { 'set-cookie': set(next, IDLE_SECONDS) })
    }
    const used = held.accessToken
    let answered = await forward(held, pathname)
    if (answered.status === 401 && !isGateway) {
      const outcome = used === held.accessToken ? await renew(held) : 'renewed'
      if (outcome === 'over') return over()
      if (outcome === 'unknown') return unknown()
      answered = await forward(held, pathname)
    }
    say(answered.status, await answered.json())
  }

  const { living: _, ...controls } = oidc.controls
  return {
    renews: ({ url }: IncomingMessage) => url === '/bff/refresh',
    listen(message: IncomingMessage, response: ServerResponse) {
      const isBrowser = /^\/(bff|api)\//.test(message.url!) && !message.headers.authorization
      return isBrowser ? void answer(message, response) : oidc.listen(message, response)
    },
    controls: {
      ...controls,
      reset() {
        controls.reset()
        sessions.clear()
        refreshes = 0
        isAway = false
      },
      living: () => sessions.size,
      /** Whether the authorization server is out of its reach. */
      away: (now: boolean) => void (isAway = now),
      /** How often it has asked for new tokens. */
      renewals: () => refreshes,
    },
  }
}

await serve(create)
