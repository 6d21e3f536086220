// Auth.js: its session route, for version 5 and, with `{}` for nobody, version 4. An app's session callback hands out an access
// token, which its jwt callback renews at each call. Written from the description of its protocol.

import { type Clock, cookieIn, json, setCookie, StandIn } from './stand-in.ts'

const COOKIE = 'authjs.session-token'

export class AuthJs extends StandIn {
  /** How many of the next calls find the store down: they look signed out. */
  downs = 0
  /** Whether the store is down for every call: they look signed out. */
  isAway = false
  /** The next token against forgery is of another secret: what comes with it is refused. */
  isForeign = false
  /** What the app's callback reports. */
  trouble: string | undefined

  constructor(
    clock: Clock,
    readonly version: 4 | 5 = 5,
  ) {
    super(clock)
  }

  override renews({ url }: Request): boolean {
    return new URL(url).pathname === '/api/auth/session'
  }

  get #nobody(): object | null {
    return this.version === 5 ? null : {}
  }

  override async route(request: Request, cookie: string): Promise<Response | undefined> {
    const { pathname, searchParams } = new URL(request.url)
    if (pathname === '/api/auth/callback') {
      const { id } = this.begin(searchParams.get('user')!)
      return json({}, 200, [setCookie(COOKIE, id)])
    }
    if (pathname === '/api/auth/csrf') {
      const csrfToken = this.isForeign ? 'c0' : 'c1'
      this.isForeign = false
      return json({ csrfToken }, 200, [setCookie('authjs.csrf-token', `${csrfToken}|hash`)])
    }
    if (pathname === '/api/auth/signout') {
      const form = new URLSearchParams(await request.text())
      const isMeant = form.get('csrfToken') === 'c1' && cookieIn(cookie, 'authjs.csrf-token')
      const isJson = this.version === 5 ? request.headers.has('x-auth-return-redirect') : form.get('json') === 'true'
      const headers = isMeant ? [setCookie(COOKIE, '')] : []
      const refusal = this.version === 5 ? 'signin?error=MissingCSRF' : 'signout?csrf=true'
      const url = isMeant ? '/' : `/api/auth/${refusal}`
      return isJson ? json({ url }, 200, headers) : new Response(null, { status: 302, headers })
    }
    if (pathname !== '/api/auth/session') return undefined
    if (this.isAway || this.downs > 0) {
      this.downs--
      return json(this.#nobody)
    }
    const sent = cookieIn(cookie, COOKIE)
    const login = this.living(sent)
    if (!login) return json(this.#nobody, 200, sent ? [setCookie(COOKIE, '')] : [])
    if (request.method === 'POST') {
      const { csrfToken, data } = (await request.json()) as { csrfToken: string; data: Record<string, unknown> }
      if (csrfToken !== 'c1' || !cookieIn(cookie, 'authjs.csrf-token')) return json(this.#nobody, 400)
      this.users.edit(login.user, data)
    }
    const { name, email, role } = this.users.get(login.user)
    return json(
      {
        user: { name, email, role },
        expires: new Date(this.clock.now() + 86_400_000).toISOString(),
        accessToken: this.mint(login),
        idToken: 'secret',
        ...(this.trouble && { error: this.trouble }),
      },
      200,
      [setCookie(COOKIE, login.id)],
    )
  }
}
