// What the stand-in servers have in common: people, sessions, tokens that are accepted or not, and an app's API behind them.
// Each is written from its protocol's description, not from the vendor's code. The demo and the tests run on the same ones.

import { Users } from '../sample/profile.ts'

/** What the next call that renews meets. `network`: the connection is cut before anything happens. */
export type Fault = number | 'html' | 'network'

/** Epoch ms. */
export interface Clock {
  now(): number
}

export interface Login {
  readonly id: string
  readonly user: string
  organizationId: string | null
  isOver: boolean
}

export const json = (body: unknown, status = 200, headers: HeadersInit = {}): Response =>
  Response.json(body, { status, headers })

const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

export const cookieIn = (header: string, name: string): string | undefined =>
  new RegExp(`(?:^|; )${name.replaceAll('.', '\\.')}=([^;]+)`).exec(header)?.[1]

export const setCookie = (name: string, value: string, rest = 'Path=/; HttpOnly'): [string, string] => [
  'set-cookie',
  `${name}=${value}; ${rest}${value ? '' : '; Max-Age=0'}`,
]

export abstract class StandIn {
  readonly users = new Users()
  readonly logins: Login[] = []
  /** Tokens that are accepted. */
  readonly tokens = new Map<string, { login: Login; diesAt: number }>()
  readonly faults: Fault[] = []
  /** How many of the next calls that renew come with a cookie that another page has replaced since: it is good for nothing. */
  latecomers = 0
  readonly lifeMs: number = 60_000
  /** Of `/api/vault`: whether more is asked for. */
  isVaultOpen = false
  refreshes = 0
  #minted = 0

  constructor(readonly clock: Clock) {}

  /** The vendor's endpoints; undefined: none of them. */
  abstract route(request: Request, cookie: string): Promise<Response | undefined> | Response | undefined
  /** Whether a request renews credentials. */
  abstract renews(request: Request): boolean | Promise<boolean>
  /** Whose session the app's API takes a request for. @default whose access token it carries */
  authorize(request: Request, _cookie: string): Login | undefined {
    return this.accept(/^Bearer (.+)/.exec(request.headers.get('authorization') ?? '')?.[1])
  }
  /** How a vendor's middleware asks for more. */
  unmet(): Response {
    return json({ error: 'forbidden' }, 403)
  }

  readonly handle = async (request: Request, sent: { cookie: string }): Promise<Response | 'drop'> => {
    let { cookie } = sent
    if (await this.renews(request)) {
      if (this.latecomers-- > 0) cookie = ''
      this.refreshes++
      const fault = this.faults.shift()
      if (fault === 'network') return 'drop'
      if (fault === 'html') return new Response('<h1>Wi-Fi</h1>', { headers: { 'content-type': 'text/html' } })
      if (fault) return new Response('<h1>Oh no</h1>', { status: fault, headers: { 'content-type': 'text/html' } })
    }
    return (await this.route(request, cookie)) ?? this.#api(request, cookie)
  }

  async #api(request: Request, cookie: string): Promise<Response> {
    const { pathname } = new URL(request.url)
    const login = this.authorize(request, cookie)
    if (!login) return json({ error: 'unauthorized' }, 401)
    if (pathname === '/api/vault') return this.isVaultOpen ? json({ gold: 1 }) : this.unmet()
    const [, item] = /^\/api\/items\/(\d+)$/.exec(pathname) ?? []
    if (item) return json({ item: Number(item) })
    if (pathname !== '/api/me') return this.app(request)
    if (request.method !== 'PATCH') return json(this.users.get(login.user))
    return json(this.users.edit(login.user, (await request.json().catch(() => ({}))) as Record<string, unknown>))
  }

  /** More of the app's API. */
  app(_request: Request): Response {
    return json({ error: 'not found' }, 404)
  }

  /** Signs that user in. */
  begin(user: string, organizationId: string | null = null): Login {
    const login = { id: `session_${this.logins.length + 1}`, user, organizationId, isOver: false }
    this.logins.push(login)
    return login
  }

  /** The session of that id, if it lives. */
  living(id: string | undefined): Login | undefined {
    return this.logins.find((login) => login.id === id && !login.isOver)
  }

  mint(login: Login, claims: object = {}): string {
    const seconds = Math.floor(this.clock.now() / 1000)
    const { name } = this.users.get(login.user)
    const [jti, exp] = [`${++this.#minted}`, seconds + this.lifeMs / 1000]
    const payload = { sub: login.user, name, jti, iat: seconds, exp, ...claims }
    const token = `${base64url({ alg: 'none' })}.${base64url(payload)}.x` // signed by nobody
    this.tokens.set(token, { login, diesAt: this.clock.now() + this.lifeMs })
    return token
  }

  accept(token: string | undefined): Login | undefined {
    const known = this.tokens.get(token ?? '')
    return known && known.diesAt > this.clock.now() ? known.login : undefined
  }

  readonly expire = (): void => this.tokens.clear()
  readonly revoke = (user: string): void =>
    this.logins.filter((login) => login.user === user).forEach((login) => (login.isOver = true))
  readonly edit = (user: string, changes: Record<string, unknown>): void => void this.users.edit(user, changes)
  readonly fail = (...faults: Fault[]): void => void this.faults.push(...faults)

  /** How many sessions live. */
  get count(): number {
    return this.logins.filter(({ isOver }) => !isOver).length
  }
}
