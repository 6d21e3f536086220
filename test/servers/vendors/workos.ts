// WorkOS AuthKit: its authentication endpoint for browsers, in development mode (the refresh token in the body) and in cookie
// mode, and the route that a Next.js app puts in front of it. Written from the description of its protocol.

import { type Clock, cookieIn, json, type Login, setCookie, StandIn } from './stand-in.ts'

const HINT = 'workos-has-session'
const COOKIE = 'wos-refresh'
const PERMISSIONS: Record<string, string[]> = { member: ['posts:read'], admin: ['posts:read', 'posts:write'] }

export class WorkOS extends StandIn {
  /** Organizations one has to do more for, and what. */
  readonly demands: Record<string, object> = {}
  /** Bodies of the calls that renew. */
  readonly asked: Record<string, string>[] = []
  /** How the route says that nobody is signed in. */
  nobody = 401
  readonly #refresh = new Map<string, Login>()

  constructor(
    clock: Clock,
    readonly mode: 'development' | 'cookie' | 'route',
  ) {
    super(clock)
  }

  override async renews(request: Request): Promise<boolean> {
    const { pathname } = new URL(request.url)
    const isGrant = pathname === '/user_management/authenticate'
    return pathname === '/api/auth/refresh' || (isGrant && !(await request.clone().text()).includes('"code"'))
  }

  override async route(request: Request, cookie: string): Promise<Response | undefined> {
    const { pathname, searchParams } = new URL(request.url)
    if (pathname === '/user_management/sessions/logout') {
      const login = this.living(searchParams.get('session_id') ?? '')
      if (login) login.isOver = true
      const headers = new Headers([setCookie(COOKIE, ''), setCookie(HINT, '', 'Path=/'), ['location', '/signed-out']])
      return new Response(null, { status: 302, headers })
    }
    if (pathname === '/api/auth/callback') {
      const { id } = this.begin(searchParams.get('code')!, searchParams.get('organization'))
      return new Response(null, { status: 204, headers: [setCookie('wos-session', id)] })
    }
    if (pathname === '/api/auth/logout') {
      this.logins.forEach((login) => (login.isOver = true))
      return new Response(null, { status: 204, headers: [setCookie('wos-session', '')] })
    }
    if (!/\/(authenticate|auth\/refresh)$/.test(pathname)) return undefined
    const body = (await request.json().catch(() => ({}))) as Record<string, string>
    if (!body['code']) this.asked.push(body)
    return pathname === '/api/auth/refresh' ? this.#app(body, cookie) : this.#authenticate(body, cookie)
  }

  #authenticate(body: Record<string, string>, cookie: string): Response {
    if (body['code']) {
      const { body: answer, headers } = this.#grant(this.begin(body['code']))
      return json(answer, 200, headers)
    }
    const token = body['refresh_token'] ?? cookieIn(cookie, COOKIE)
    const login = this.#refresh.get(token ?? '')
    if (!login || login.isOver) return json({ error: 'invalid_grant', error_description: 'Session has ended.' }, 400)
    const organizationId = body['organization_id'] ?? null
    const demand = this.demands[organizationId ?? '']
    if (demand) return json(demand, 400)
    this.#refresh.delete(token!)
    login.organizationId = organizationId
    const { body: answer, headers } = this.#grant(login)
    return json(answer, 200, headers)
  }

  #app({ organizationId }: Record<string, string>, cookie: string): Response {
    const login = this.living(cookieIn(cookie, 'wos-session'))
    if (!login) return json({ user: null }, this.nobody)
    const demand = this.demands[organizationId ?? '']
    if (demand) return json({ ...demand, redirectUrl: '/sign-in' }, 403)
    login.organizationId = organizationId ?? login.organizationId
    return json(this.info(login))
  }

  /** The UserInfo of the Next.js library, as JSON. */
  info(login: Login): object {
    const rights = this.#rights(login)
    return {
      user: this.#user(login, (name) => name),
      sessionId: login.id,
      organizationId: login.organizationId,
      ...rights,
      featureFlags: ['beta'],
      impersonator: null,
      accessToken: this.mint(login, { sid: login.id, ...rights }),
    }
  }

  /** In the organization of the session; who has no role there is a member. */
  #rights({ user, organizationId }: Login): object {
    const given = this.users.get(user)['roles'] as Record<string, string> | undefined
    const role = given?.[organizationId ?? ''] ?? 'member'
    return { role, roles: [role], permissions: PERMISSIONS[role], entitlements: ['audit-logs'] }
  }

  /** A post may be written by whoever has the permission in their token. */
  override app(request: Request): Response {
    const [, payload = ''] = request.headers.get('authorization')!.split('.')
    const { permissions } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { permissions: string[] }
    const may = new URL(request.url).pathname === '/api/posts' && permissions.includes('posts:write')
    return may ? json({ published: true }, 201) : json({ error: 'forbidden', needs: 'posts:write' }, 403)
  }

  #user({ user }: Login, nameOf: (name: string) => string): object {
    const { id, email, name } = this.users.get(user)
    return { object: 'user', id, email, name, [nameOf('firstName')]: name, [nameOf('emailVerified')]: true }
  }

  #grant(login: Login): { body: object; headers: Headers } {
    const token = `ref_${crypto.randomUUID()}`
    this.#refresh.set(token, login)
    const body = {
      user: this.#user(login, (name) => name.replace(/[A-Z]/, (letter) => `_${letter.toLowerCase()}`)),
      organization_id: login.organizationId,
      access_token: this.mint(login, {
        sid: login.id,
        ...(login.organizationId && { org_id: login.organizationId }),
        ...this.#rights(login),
        feature_flags: ['beta'],
      }),
      authentication_method: 'OAuth',
      impersonator: { email: 'support@example.test', reason: null },
    }
    return this.mode === 'cookie'
      ? { body, headers: new Headers([setCookie(COOKIE, token), setCookie(HINT, '1', 'Path=/')]) }
      : { body: { ...body, refresh_token: token }, headers: new Headers() }
  }
}
