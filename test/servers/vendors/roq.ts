// ROQ: the auth routes of its Next.js handler, before a platform that may refuse or be down. Written from the description of
// its protocol.

import { cookieIn, json, type Login, setCookie, StandIn } from './stand-in.ts'

const COOKIE = 'roq-session-token'

export class Roq extends StandIn {
  /** What the next refetch meets behind the server. */
  trouble: string | undefined
  readonly #held = new Map<string, { login: Login; token: string; user: object; diesAt: number }>()

  override renews({ url }: Request): boolean {
    return new URL(url).pathname === '/api/auth/refetch-session'
  }

  override route(request: Request, cookie: string): Response | undefined {
    const { pathname, searchParams } = new URL(request.url)
    if (pathname === '/api/auth/callback') return this.#answer(this.begin(searchParams.get('user')!))
    if (pathname === '/api/auth/logout') {
      const headers = [setCookie(COOKIE, '', 'Path=/; SameSite=strict'), ['location', '/bye']] as [string, string][]
      const held = this.#held.get(cookieIn(cookie, COOKIE) ?? '')
      if (held) held.login.isOver = true
      return new Response(null, { status: 307, headers })
    }
    const isRefetch = pathname === '/api/auth/refetch-session'
    if (!isRefetch && pathname !== '/api/auth/session') return undefined
    const value = cookieIn(cookie, COOKIE)
    if (!value) return json({ session: null, status: 'unauthenticated' })
    const cleared = [setCookie(COOKIE, '', 'Path=/; SameSite=strict')]
    const held = this.#held.get(value)
    if (!held) return json({ code: 'TOKEN_MALFORMED', message: 'The token is malformed' }, 401, cleared)
    // The refresh token is not even tried then.
    if (held.login.isOver || held.diesAt <= this.clock.now())
      return json({ code: 'SESSION_EXPIRED', message: 'The session has expired' }, 401, cleared)
    if (!isRefetch) return this.#answer(held.login, value)
    if (!this.trouble) return this.#answer(held.login)
    const error = this.trouble
    this.trouble = undefined
    return json({ success: false, error })
  }

  /** @param value Of a cookie that is only read. */
  #answer(login: Login, value?: string): Response {
    const id = value ?? crypto.randomUUID()
    const { name, role } = this.users.get(login.user)
    const held = this.#held.get(id) ?? {
      login,
      token: this.mint(login),
      user: { firstName: name, roles: [role], tenantId: 't1' },
      diesAt: this.clock.now() + this.lifeMs,
    }
    this.#held.set(id, held)
    const seconds = Math.floor(this.clock.now() / 1000)
    const session = {
      id: crypto.randomUUID(),
      roqAccessToken: held.token,
      roqUserId: login.user,
      user: held.user,
      iat: seconds,
      exp: seconds + 86_400 * (value ? 1000 : 1),
    }
    return json({ session, status: 'authenticated' }, 200, [setCookie(COOKIE, id, 'Path=/; SameSite=strict')])
  }
}
