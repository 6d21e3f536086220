// Clerk's Frontend API, for one browser: a client with its sessions, and tokens of a minute. Written from the description of
// its protocol.

import { cookieIn, json, type Login, setCookie, StandIn } from './stand-in.ts'

const error = (status: number, code: string): Response => json({ errors: [{ code, message: code }] }, status)

export class Clerk extends StandIn {
  /** Answers, in place of its own, to the next calls of a route. */
  readonly instead: { path: RegExp; response: Response }[] = []
  readonly pending = new Set<Login>()
  wantsExpiredToken = false
  /** Whether a client's list comes with its tokens. */
  withTokens = true

  override renews(request: Request): boolean {
    return /^\/v1\/.*(tokens|touch|me)$/.test(new URL(request.url).pathname)
  }

  override unmet(): Response {
    const metadata = { reverification: { level: 'second_factor', afterMinutes: 10 } }
    return json({ clerk_error: { type: 'forbidden', reason: 'reverification-error', metadata } }, 403)
  }

  override async route(request: Request, cookie: string): Promise<Response | undefined> {
    const { pathname, searchParams } = new URL(request.url)
    if (!pathname.startsWith('/v1/')) return undefined
    const path = pathname.replace(/^\/v1/, '')
    const place = this.instead.findIndex((each) => each.path.test(path))
    if (place >= 0) return this.instead.splice(place, 1)[0]!.response
    const isForm = request.headers.get('content-type')?.startsWith('application/x-www-form-urlencoded')
    const form = new URLSearchParams(isForm ? await request.text() : '')
    const ids = (cookieIn(cookie, '__client') ?? '').split('|')
    const method = searchParams.get('_method') ?? request.method

    if (path === '/sign_ins') {
      const { id } = this.begin(form.get('identifier')!)
      return json({ response: {} }, 200, [setCookie('__client', id)])
    }
    if (path === '/client') return json({ response: this.#client(ids), client: null })
    if (path === '/client/sessions' && method === 'DELETE') {
      ids.forEach((id) => this.#end(id))
      return json({ response: this.#client(ids), client: this.#client(ids) })
    }
    const [, id = searchParams.get('_clerk_session_id') ?? ''] = /^\/client\/sessions\/([^/]+)/.exec(path) ?? []
    const login = ids.includes(id) ? this.living(id) : undefined
    if (!login) return error(401, 'authentication_invalid')
    if (path === '/me') return json({ response: this.#user(login), client: this.#client(ids) })
    if (path.endsWith('/touch')) {
      const wanted = form.get('active_organization_id')
      if (wanted === 'org_other') return error(404, 'resource_not_found')
      login.organizationId = wanted || null
      return json({ response: this.#session(login), client: this.#client(ids) })
    }
    if (this.wantsExpiredToken && !searchParams.has('expired_token')) return error(422, 'missing_expired_token')
    const [, template] = /\/tokens\/(.+)$/.exec(path) ?? []
    const organizationId = template ? login.organizationId : form.get('organization_id')
    return json({ object: 'token', jwt: this.#token(login, organizationId || null, template) })
  }

  #end(id: string): void {
    const login = this.living(id)
    if (login) login.isOver = true
  }

  #token(login: Login, organizationId: string | null, template?: string): string {
    const { name, birthday } = this.users.get(login.user)
    const o = organizationId && { o: { id: organizationId, rol: 'admin' } }
    return this.mint(login, { sid: login.id, v: 2, fva: [0, -1], name, birthday, ...o, ...(template && { template }) })
  }

  #user({ user }: Login): object {
    const { id, name, birthday } = this.users.get(user)
    return { id, name, first_name: name, public_metadata: { birthday } }
  }

  #session(login: Login): object {
    const isPending = this.pending.has(login)
    return {
      id: login.id,
      status: isPending ? 'pending' : 'active',
      tasks: isPending ? [{ key: 'setup-mfa' }] : null,
      expire_at: this.clock.now() + 7 * 86_400_000,
      last_active_organization_id: login.organizationId,
      last_active_token: this.withTokens ? { jwt: this.#token(login, login.organizationId) } : null,
      user: this.#user(login),
    }
  }

  #client(ids: string[]): object {
    const sessions = ids.flatMap((id) => this.living(id) ?? []).map((login) => this.#session(login))
    return { id: 'client_1', sessions, last_active_session_id: ids.at(-1) ?? null }
  }
}
