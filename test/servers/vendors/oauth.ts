// An authorization server for the login by redirect: metadata, authorization code with PKCE, rotating refresh tokens, revocation
// and logout (RFC 6749, 7636, 8414, 9207, 9470; OpenID Connect). Its ID tokens are signed by nobody.

import { type Clock, json, type Login, StandIn } from './stand-in.ts'

interface Grant {
  readonly login: Login
  readonly asked: URLSearchParams
}

const base64url = (value: object | Uint8Array): string =>
  (value instanceof Uint8Array ? Buffer.from(value) : Buffer.from(JSON.stringify(value))).toString('base64url')
const escape = (text: string): string => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)

export class OAuth extends StandIn {
  readonly #codes = new Map<string, Grant>()
  readonly #refresh = new Map<string, Grant>()

  constructor(
    clock: Clock,
    /** Below which it is mounted. */
    readonly prefix = '',
  ) {
    super(clock)
  }

  override async renews(request: Request): Promise<boolean> {
    const { pathname } = new URL(request.url)
    return pathname === '/token' && (await request.clone().text()).includes('grant_type=refresh_token')
  }

  override async route(request: Request): Promise<Response | undefined> {
    const { pathname, origin, searchParams } = new URL(request.url)
    const issuer = origin + this.prefix
    switch (pathname) {
      case '/.well-known/openid-configuration':
        return json({
          issuer,
          ...Object.fromEntries(
            ['authorization', 'token', 'revocation', 'userinfo', 'end_session'].map((name) => [
              `${name}_endpoint`,
              `${issuer}/${name}`,
            ]),
          ),
          authorization_response_iss_parameter_supported: true,
        })
      case '/authorization':
        return this.#ask(searchParams)
      case '/decision':
        return this.#decide(searchParams, issuer, origin)
      case '/token':
        return this.#token(new URLSearchParams(await request.text()), issuer)
      case '/revocation': {
        const grant = this.#refresh.get(new URLSearchParams(await request.text()).get('token') ?? '')
        if (grant) grant.login.isOver = true
        return new Response(null)
      }
      case '/userinfo': {
        const login = this.authorize(request, '')
        return login ? json({ sub: login.user, ...this.users.get(login.user) }) : json({ error: 'invalid_token' }, 401)
      }
      case '/end_session':
        return Response.redirect(this.#local(searchParams.get('post_logout_redirect_uri'), origin), 302)
      default:
        return undefined
    }
  }

  /** Its own page: whoever sees it may sign in as Ann, or say no. */
  #ask(asked: URLSearchParams): Response {
    const link = (choice: string, text: string) =>
      `<a id="${choice}" href="decision?${escape(asked.toString())}&amp;choice=${choice}">${text}</a>`
    const isStepUp = asked.has('acr_values')
    const scopes = (asked.get('scope') ?? '').split(' ').map((scope) => `<li>${escape(scope)}</li>`)
    const body = `<!doctype html><html lang="en"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>The authorization server</title>
<style>body{margin:12vh auto;max-width:24rem;padding:0 1.5rem;font:16px/1.5 system-ui,sans-serif;color:#1f2430}
a{display:inline-block;margin:.5rem .5rem 0 0;padding:.5rem 1rem;border-radius:7px;border:1px solid #c9cedb;color:inherit;text-decoration:none}
#allow{background:#1f2430;color:#fff}</style>
<h1>The authorization server</h1>
<p>${isStepUp ? 'The app asks for more than a password. Confirm with your passkey?' : 'The app <b>spa</b> would like to sign you in, with:'}</p>
${isStepUp ? '' : `<ul>${scopes.join('')}</ul>`}
${link('allow', isStepUp ? 'Confirm' : 'Sign in as Ann')}${link('deny', 'Cancel')}</html>`
    return new Response(body, { headers: { 'content-type': 'text/html' } })
  }

  #decide(asked: URLSearchParams, issuer: string, origin: string): Response {
    const back = new URL(this.#local(asked.get('redirect_uri'), origin))
    back.searchParams.set('iss', issuer)
    back.searchParams.set('state', asked.get('state') ?? '')
    if (asked.get('choice') === 'allow') {
      const code = crypto.randomUUID()
      if (asked.get('acr_values') === 'phr') this.isVaultOpen = true
      this.#codes.set(code, { login: this.begin('ann'), asked })
      back.searchParams.set('code', code)
    } else back.searchParams.set('error', 'access_denied')
    return Response.redirect(back, 302)
  }

  /** Nobody is sent elsewhere than to where this server is. */
  #local(url: string | null, origin: string): string {
    return url && URL.canParse(url) && new URL(url).origin === origin ? url : origin
  }

  async #token(form: URLSearchParams, issuer: string): Promise<Response> {
    const kind = form.get('grant_type') === 'refresh_token' ? 'refresh_token' : 'code'
    const grants = kind === 'code' ? this.#codes : this.#refresh
    const grant = grants.get(form.get(kind) ?? '')
    grants.delete(form.get(kind) ?? '')
    if (!grant || grant.login.isOver || (kind === 'code' && !(await this.#isProven(form, grant.asked))))
      return json({ error: 'invalid_grant' }, 400)
    return this.#answer(grant, issuer)
  }

  /** RFC 7636 §4.6. */
  async #isProven(form: URLSearchParams, asked: URLSearchParams): Promise<boolean> {
    const verifier = new TextEncoder().encode(form.get('code_verifier') ?? '')
    const digest = base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', verifier)))
    const isSame = ['client_id', 'redirect_uri'].every((name) => form.get(name) === asked.get(name))
    return isSame && asked.get('code_challenge_method') === 'S256' && digest === asked.get('code_challenge')
  }

  #answer(grant: Grant, issuer: string): Response {
    const { login, asked } = grant
    const refreshToken = crypto.randomUUID()
    this.#refresh.set(refreshToken, grant)
    const seconds = Math.floor(this.clock.now() / 1000)
    const { name, role } = this.users.get(login.user)
    const said = { name, role, ...(asked.get('acr_values') && { acr: asked.get('acr_values') }) }
    const times = { iat: seconds, exp: seconds + 3_600, auth_time: seconds }
    const claims = { iss: issuer, aud: asked.get('client_id'), sub: login.user, ...times, ...said }
    const nonce = asked.get('nonce')
    return json({
      access_token: this.mint(login),
      token_type: 'Bearer',
      expires_in: this.lifeMs / 1000,
      refresh_token: refreshToken,
      id_token: `${base64url({ alg: 'RS256' })}.${base64url({ ...claims, ...(nonce && { nonce }) })}.c2ln`,
      scope: asked.get('scope'),
    })
  }

  /** RFC 9470 §3. */
  override unmet(): Response {
    const challenge = 'Bearer error="insufficient_user_authentication", acr_values="phr"'
    return json({ error: 'insufficient_user_authentication' }, 401, { 'www-authenticate': challenge })
  }
}
