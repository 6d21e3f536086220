// better-auth: its session routes and, where asked for, its JWT plugin. Written from the description of its protocol.

import { type Clock, cookieIn, json, type Login, setCookie, StandIn } from './stand-in.ts'

const COOKIE = 'better-auth.session_token'

export interface BetterAuthOptions {
  jwt?: boolean
  /** The session's own token, in a header in place of the cookie. */
  bearer?: boolean
  /** GET only reads, and asks for a POST. */
  deferSessionRefresh?: boolean
}

export class BetterAuth extends StandIn {
  isStoreDown = false
  isDeleted = false
  needsRefresh = false
  /** Scripts can't read `set-auth-jwt`. */
  hidesToken = false
  /** Whom a token names. */
  subOf = (user: string): string => user
  /** Seconds that the next call has to wait, by its limit to calls. */
  limitedFor = 0
  /** What the cookie cache holds. */
  readonly #cache = new Map<Login, object>()

  constructor(
    clock: Clock,
    readonly options: BetterAuthOptions = {},
  ) {
    super(clock)
  }

  override renews({ url, method }: Request): boolean {
    const { pathname, searchParams } = new URL(url)
    if (this.options.jwt) return pathname === '/api/auth/token'
    return pathname === '/api/auth/get-session' && method === 'GET' && searchParams.has('disableCookieCache')
  }

  override authorize(request: Request, cookie: string): Login | undefined {
    return this.options.jwt ? super.authorize(request, cookie) : this.#authorizeBySession(request, cookie)
  }

  // Without tokens, "expired" is a cookie that has to be set again.
  readonly #stale = new Set<Login>()
  override readonly expire = (): void => {
    this.tokens.clear()
    this.logins.forEach((login) => this.#stale.add(login))
  }
  #idIn({ headers }: Request, cookie: string): string | undefined {
    return this.options.bearer ? headers.get('authorization')?.slice('Bearer '.length) : cookieIn(cookie, COOKIE)
  }
  #authorizeBySession(request: Request, cookie: string): Login | undefined {
    const login = this.living(this.#idIn(request, cookie))
    return login && !this.#stale.has(login) ? login : undefined
  }

  #mintFor(login: Login): string {
    return this.mint(login, { sub: this.subOf(login.user) })
  }

  #shown(id: string): [string, string][] {
    return this.options.bearer ? [['set-auth-token', id]] : []
  }

  override unmet(): Response {
    return json({ message: 'Session is not fresh', code: 'SESSION_NOT_FRESH' }, 403)
  }

  override async route(request: Request, cookie: string): Promise<Response | undefined> {
    const { pathname, searchParams } = new URL(request.url)
    if (!pathname.startsWith('/api/auth/')) return undefined
    const path = pathname.slice('/api/auth'.length)
    if (path === '/sign-in/email') {
      const { id } = this.begin(((await request.json()) as { email: string }).email)
      return json({ token: id }, 200, [setCookie(COOKIE, id), ...this.#shown(id)])
    }
    if (this.limitedFor) {
      const answer = json({ message: '' }, 429, { 'X-Retry-After': `${this.limitedFor}` })
      this.limitedFor = 0
      return answer
    }
    const isCleared = [setCookie(COOKIE, '')]
    if (path === '/sign-out') {
      const login = this.living(this.#idIn(request, cookie))
      if (login) login.isOver = true
      return json({ success: true }, 200, isCleared)
    }
    const login = this.living(this.#idIn(request, cookie))
    if (path === '/token') {
      const isKnown = login && !this.isStoreDown
      return isKnown ? json({ token: this.#mintFor(login) }) : json({ message: '', code: 'UNAUTHORIZED' }, 401)
    }
    if (this.isStoreDown) return json({ message: '', code: 'FAILED_TO_GET_SESSION' }, 500)
    if (this.isDeleted) return json({ message: '', code: 'FAILED_TO_GET_SESSION' }, 401)
    const known = this.logins.find(({ id }) => id === this.#idIn(request, cookie))
    // A token even for a session that it finds expired.
    const token: HeadersInit =
      this.options.jwt && known && !this.hidesToken ? [['set-auth-jwt', this.#mintFor(known)]] : []
    if (!login) return json(null, 200, known ? [...token, ...isCleared] : [])
    if (request.method === 'POST' && !this.options.deferSessionRefresh) return json({}, 405)
    const isReading = this.options.deferSessionRefresh && request.method === 'GET'
    if (!isReading) this.#stale.delete(login)
    const { id, name, email } = this.users.get(login.user)
    if (!this.#cache.has(login) || searchParams.has('disableCookieCache')) this.#cache.set(login, { id, name, email })
    const expiresAt = new Date(this.clock.now() + 7 * 86_400_000).toISOString()
    return json(
      {
        session: { id: `row_${login.id}`, token: login.id, userId: id, expiresAt },
        user: this.#cache.get(login),
        ...(isReading && { needsRefresh: true }),
      },
      200,
      [...token, ...(isReading ? [] : [setCookie(COOKIE, login.id), ...this.#shown(login.id)])],
    )
  }
}
