// SuperTokens: its session routes over a core that forgives a refresh token until its successor was used. In header mode, in
// cookie mode with either defence against forgery, and in the flow of 2020. Written from the description of its protocol.

import { type Clock, cookieIn, json, type Login, setCookie, StandIn } from './stand-in.ts'

export type Mode = 'header' | 'custom-header' | 'anti-csrf' | 'legacy'

interface Refresh {
  login: Login
  antiCsrf: string
  /** Its successor was used: a second exchange is theft. */
  isDone: boolean
  parent?: Refresh
}

export class SuperTokens extends StandIn {
  /** How many of the next refreshes answer 200 and renew nothing. */
  empties = 0
  /** A proxy that drops empty headers. */
  dropsEmpty = false
  isChecked = false
  readonly #refresh = new Map<string, Refresh>()
  readonly #byAccess = new Map<string, Refresh>()

  constructor(
    clock: Clock,
    readonly mode: Mode,
  ) {
    super(clock)
  }

  get #expired(): number {
    return this.mode === 'legacy' ? 440 : 401
  }

  get #mark(): string {
    return this.mode === 'legacy' ? 'id-refresh-token' : 'front-token'
  }

  override renews({ url }: Request): boolean {
    return /\/(session\/refresh|api\/refresh)$/.test(new URL(url).pathname)
  }

  override unmet(): Response {
    const errors = [{ id: 'st-ev', reason: { message: 'wrong value' } }]
    return json({ message: 'invalid claim', claimValidationErrors: errors }, 403)
  }

  override async route(request: Request, cookie: string): Promise<Response | undefined> {
    const { pathname } = new URL(request.url)
    if (pathname === '/auth/signin') {
      const login = this.begin(await request.text())
      return json({ status: 'OK' }, 200, this.#grant(login, this.#modeOf(request)))
    }
    if (this.renews(request)) return this.#renew(request, cookie)
    const access = this.#accessOf(request, cookie)
    const login = this.accept(access)
    if (pathname === '/auth/signout') {
      if (!login) return json({ message: 'try refresh token' }, this.#expired)
      login.isOver = true
      return json({ status: 'OK' }, 200, this.#removed())
    }
    if (!login || !this.#isMeant(request, this.#byAccess.get(access!)))
      return json({ message: 'try refresh token' }, this.#expired)
    if (this.isChecked && login.isOver) return json({ message: 'unauthorised' }, this.#expired, this.#removed())
    const used = this.#byAccess.get(access!)!
    const isFirst = used.parent && !used.parent.isDone
    if (used.parent) used.parent.isDone = true
    if (pathname !== '/api/me' || request.method !== 'GET') return undefined
    // The first ordinary call after a refresh brings yet another access token.
    return json(this.users.get(login.user), 200, isFirst ? this.#access(login, used, this.#modeOf(request)) : [])
  }

  override authorize(request: Request, cookie: string): Login | undefined {
    return this.accept(this.#accessOf(request, cookie))
  }

  #modeOf({ headers }: Request): 'header' | 'cookie' {
    return this.mode === 'legacy' || headers.get('st-auth-mode') === 'cookie' ? 'cookie' : 'header'
  }

  #accessOf({ headers }: Request, cookie: string): string | undefined {
    return headers.get('authorization')?.slice(7) ?? cookieIn(cookie, 'sAccessToken')
  }

  /** Whether a request is one of the app's own pages. */
  #isMeant({ headers, method, url }: Request, held: Refresh | undefined): boolean {
    if (method === 'GET' || (this.mode === 'header' && !url.includes('never'))) return true
    return this.mode === 'custom-header' ? headers.has('rid') : headers.get('anti-csrf') === held?.antiCsrf
  }

  #renew(request: Request, cookie: string): Response {
    if (this.empties > 0) {
      this.empties--
      return json({ message: 'cleared' })
    }
    const token = request.headers.get('authorization')?.slice(7) ?? cookieIn(cookie, 'sRefreshToken')
    const held = this.#refresh.get(token ?? '')
    const isMeant = !held || this.#isMeant(request, held)
    if (!held || held.login.isOver || !isMeant) {
      if (held) held.login.isOver = true
      return json({ message: 'unauthorised' }, this.#expired, this.#removed())
    }
    if (held.isDone) {
      held.login.isOver = true
      return json({ message: 'token theft detected' }, this.#expired, this.#removed())
    }
    return json({}, 200, this.#grant(held.login, this.#modeOf(request), held))
  }

  #removed(): [string, string][] {
    const cookies = [setCookie('sAccessToken', ''), setCookie('sRefreshToken', '', 'Path=/'), [this.#mark, 'remove']]
    const empty = this.dropsEmpty ? [] : ['st-access-token', 'st-refresh-token'].map((name) => [name, ''])
    return [...cookies, ...(this.mode === 'header' ? empty : [])] as [string, string][]
  }

  #grant(login: Login, mode: 'header' | 'cookie', parent?: Refresh): [string, string][] {
    const token = crypto.randomUUID()
    const held = { login, antiCsrf: crypto.randomUUID(), isDone: false, ...(parent && { parent }) }
    this.#refresh.set(token, held)
    const headers = this.#access(login, held, mode)
    headers.push(mode === 'header' ? ['st-refresh-token', token] : setCookie('sRefreshToken', token))
    if (this.mode === 'anti-csrf' || this.mode === 'legacy') headers.push(['anti-csrf', held.antiCsrf])
    return headers
  }

  #access(login: Login, held: Refresh, mode: 'header' | 'cookie'): [string, string][] {
    const token = this.mint(login, { sessionHandle: login.id, greeting: 'Grüß dich ✓ ÿÿÿ' })
    this.#byAccess.set(token, held)
    const up = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as object
    const front = { uid: login.user, ate: this.clock.now() + this.lifeMs, up }
    const headers: [string, string][] = [['front-token', Buffer.from(JSON.stringify(front)).toString('base64')]]
    if (this.mode === 'legacy') headers.push(['id-refresh-token', `${crypto.randomUUID()};${this.clock.now() + 1e8}`])
    headers.push(mode === 'header' ? ['st-access-token', token] : setCookie('sAccessToken', token))
    return headers
  }
}
