// Servers and frameworks as their documentation describes them on the wire. Each is written from that documentation, and is no
// more than that: it is not the server's own software.

import type { Json } from 'resesh'
import type { Engine, Issued } from './engine.ts'

export interface Call {
  readonly json: Json
  readonly form: URLSearchParams
  readonly headers: Headers
  readonly query: URLSearchParams
  readonly cookies: ReadonlyMap<string, string>
  /** The token of `Authorization: Bearer`. */
  readonly bearer: string | undefined
}

export interface Dialect {
  /** Of its section in the guide. */
  title: string
  /** Its routes, but for `/api/data`, which asks for a good token. */
  routes(engine: Engine): Record<string, (call: Call) => Response>
  /** The login, as an app would send it. */
  login: readonly [url: string, body: Json | URLSearchParams]
  /** Nothing renews its tokens. */
  cannotRefresh?: true
  /** There is no route that ends a session. */
  cannotSignOut?: true
  /** There is no route that says who the user is. */
  hasNoUser?: true
  /** Tokens that scripts can't read the claims of, or that are not there at all. */
  hasNoClaims?: true
  /** What tells that the session has expired. @default 401 */
  expiredStatus?: number
}

export const answer = (json: unknown, status = 200, headers: Record<string, string> = {}): Response =>
  Response.json(json, { status, headers })

const orRefuse = (issued: Issued | null, say: (issued: Issued) => Response, refusal: Response): Response =>
  issued ? say(issued) : refusal

const password = { username: 'ann', password: 'secret' }

export const dialects: Dialect[] = [
  {
    title: 'Express, Nest, Fastify',
    login: ['/auth/login', password],
    routes(engine) {
      const say = ({ access, refresh }: Issued) =>
        answer({ accessToken: access, refreshToken: refresh, expiresIn: 900 })
      return {
        'POST /auth/login': () => say(engine.issue()),
        'POST /auth/refresh': ({ json }) => orRefuse(engine.renew(json['refreshToken']), say, answer({}, 401)),
        'POST /auth/logout': () => (engine.signOut(), new Response(null, { status: 204 })),
        'GET /auth/me': () => answer(engine.user),
      }
    },
  },
  {
    title: 'Django simplejwt',
    login: ['/api/token/', password],
    hasNoUser: true,
    routes(engine) {
      const say = ({ access, refresh }: Issued) => answer({ access, refresh })
      const refusal = () => answer({ detail: 'Token is invalid or expired', code: 'token_not_valid' }, 401)
      return {
        'POST /api/token/': () => say(engine.issue()),
        'POST /api/token/refresh/': ({ json }) => orRefuse(engine.renew(json['refresh']), say, refusal()),
        'POST /api/token/blacklist/': () => (engine.signOut(), answer({})),
      }
    },
  },
  {
    title: 'Django, dj-rest-auth with cookies',
    login: ['/api/auth/login/', password],
    routes(engine) {
      const set = (refresh: string): Record<string, string> => ({
        'set-cookie': `refresh-token=${refresh}; HttpOnly; Path=/api/auth/token/refresh/; SameSite=Lax`,
      })
      const until = () => new Date(Date.now() + 900_000).toISOString()
      return {
        'POST /api/auth/login/': () => {
          const { access, refresh } = engine.issue()
          return answer({ access, refresh: '', user: engine.user, access_expiration: until() }, 200, set(refresh))
        },
        'POST /api/auth/token/refresh/': ({ cookies }) =>
          orRefuse(
            engine.renew(cookies.get('refresh-token')),
            ({ access, refresh }) => answer({ access, access_expiration: until() }, 200, set(refresh)),
            answer({ detail: 'No valid refresh token found.', code: 'token_not_valid' }, 401),
          ),
        'POST /api/auth/logout/': () => (
          engine.signOut(),
          answer({ detail: 'Successfully logged out.' }, 200, {
            'set-cookie': 'refresh-token=; Max-Age=0; Path=/api/auth/token/refresh/',
          })
        ),
        'GET /api/auth/user/': () => answer(engine.user),
      }
    },
  },
  {
    title: 'Laravel Passport',
    login: ['/oauth/token', new URLSearchParams({ grant_type: 'password', client_id: '3', ...password })],
    hasNoUser: true,
    cannotSignOut: true,
    routes(engine) {
      const say = ({ access, refresh }: Issued) =>
        answer({ token_type: 'Bearer', expires_in: 900, access_token: access, refresh_token: refresh })
      return {
        'POST /oauth/token': ({ form }) =>
          form.get('grant_type') === 'password'
            ? say(engine.issue())
            : orRefuse(
                form.get('client_id') === '3' ? engine.renew(form.get('refresh_token')) : null,
                say,
                answer({ error: 'invalid_grant', error_description: 'The refresh token is invalid.' }, 400),
              ),
      }
    },
  },
  {
    title: 'Spring Security',
    login: ['/api/auth/signin', password],
    hasNoUser: true,
    routes(engine) {
      const say = ({ access, refresh }: Issued) => ({ accessToken: access, refreshToken: refresh, tokenType: 'Bearer' })
      return {
        'POST /api/auth/signin': () => answer({ ...say(engine.issue()), id: 1, username: 'ann', roles: ['ROLE_USER'] }),
        'POST /api/auth/refreshtoken': ({ json }) =>
          orRefuse(
            engine.renew(json['refreshToken'], true),
            (issued) => answer({ ...say(issued), refreshToken: json['refreshToken'] }),
            answer({ statusCode: 403, message: 'Refresh token was expired' }, 403),
          ),
        'POST /api/auth/signout': () => (engine.signOut(), answer({ message: 'Log out successful!' })),
      }
    },
  },
  {
    title: 'ASP.NET Core Identity',
    login: ['/login', { email: 'ann@example.com', password: 'secret' }],
    cannotSignOut: true,
    routes(engine) {
      const say = ({ access, refresh }: Issued) =>
        answer({ tokenType: 'Bearer', accessToken: access, expiresIn: 900, refreshToken: refresh })
      return {
        'POST /login': () => say(engine.issue()),
        'POST /refresh': ({ json }) =>
          orRefuse(engine.renew(json['refreshToken']), say, new Response(null, { status: 401 })),
        'GET /manage/info': () => answer({ email: 'ann@example.com', isEmailConfirmed: true, ...engine.user }),
      }
    },
  },
  {
    title: 'FastAPI',
    login: ['/token', new URLSearchParams(password)],
    hasNoUser: true,
    cannotSignOut: true,
    routes: (engine) => ({
      'POST /token': () => {
        const { access, refresh } = engine.issue()
        return answer({ access_token: access, refresh_token: refresh, token_type: 'bearer' })
      },
      'POST /refresh': ({ bearer }) =>
        orRefuse(
          engine.renew(bearer, true),
          ({ access }) => answer({ access_token: access }),
          answer({ detail: 'Signature has expired' }, 422),
        ),
    }),
  },
  {
    title: 'Rails, devise-jwt',
    login: ['/users/sign_in', { user: { email: 'ann@example.com', password: 'secret' } }],
    cannotRefresh: true,
    routes: (engine) => ({
      'POST /users/sign_in': () => answer(engine.user, 200, { authorization: `Bearer ${engine.issue().access}` }),
      'DELETE /users/sign_out': ({ bearer }) =>
        engine.isGood(bearer) ? (engine.signOut(), new Response(null, { status: 204 })) : answer({}, 401),
    }),
  },
  {
    title: 'Directus',
    login: ['/auth/login', { email: 'ann@example.com', password: 'secret' }],
    routes(engine) {
      const say = ({ access, refresh }: Issued) =>
        answer({ data: { access_token: access, expires: 900_000, refresh_token: refresh } })
      const refusal = () =>
        answer({ errors: [{ message: 'Invalid user credentials.', extensions: { code: 'INVALID_CREDENTIALS' } }] }, 401)
      return {
        'POST /auth/login': () => say(engine.issue()),
        'POST /auth/refresh': ({ json }) =>
          json['mode'] === 'json' ? orRefuse(engine.renew(json['refresh_token']), say, refusal()) : refusal(),
        'POST /auth/logout': () => (engine.signOut(), new Response(null, { status: 204 })),
        'GET /users/me': () => answer({ data: engine.user }),
      }
    },
  },
  {
    title: 'Strapi',
    login: ['/api/auth/local', { identifier: 'ann', password: 'secret' }],
    routes(engine) {
      const say = ({ access, refresh }: Issued) => ({ jwt: access, refreshToken: refresh })
      const refusal = () =>
        answer({ data: null, error: { status: 401, name: 'UnauthorizedError', message: 'Invalid refresh token' } }, 401)
      return {
        'POST /api/auth/local': () => answer({ ...say(engine.issue()), user: engine.user }),
        'POST /api/auth/refresh': ({ json }) =>
          orRefuse(engine.renew(json['refreshToken']), (issued) => answer(say(issued)), refusal()),
        'POST /api/auth/logout': () => (engine.signOut(), answer({ ok: true })),
        'GET /api/users/me': () => answer(engine.user),
      }
    },
  },
  {
    title: 'PocketBase',
    login: ['/api/collections/users/auth-with-password', { identity: 'ann', password: 'secret' }],
    cannotSignOut: true,
    routes(engine) {
      const say = ({ access }: Issued) => answer({ token: access, record: engine.user })
      return {
        'POST /api/collections/users/auth-with-password': () => say(engine.issue()),
        'POST /api/collections/users/auth-refresh': ({ bearer }) =>
          orRefuse(
            engine.slide(bearer),
            say,
            answer({ status: 401, message: 'The request requires valid record authorization token.', data: {} }, 401),
          ),
      }
    },
  },
  {
    title: 'Supabase',
    login: [
      'https://PROJECT.supabase.co/auth/v1/token?grant_type=password',
      { email: 'ann@example.com', password: 'secret' },
    ],
    routes(engine) {
      const say = ({ access, refresh }: Issued) =>
        answer({
          access_token: access,
          token_type: 'bearer',
          expires_in: 900,
          expires_at: Math.floor(Date.now() / 1000) + 900,
          refresh_token: refresh,
          user: engine.user,
        })
      const noKey = () => answer({ message: 'No API key found in request' }, 401)
      return {
        'POST /auth/v1/token': ({ query, json, headers }) => {
          if (query.get('grant_type') === 'password') return say(engine.issue())
          if (headers.get('apikey') !== 'ANON_KEY') return noKey()
          return orRefuse(
            engine.renew(json['refresh_token']),
            say,
            answer({ code: 400, error_code: 'refresh_token_not_found', msg: 'Invalid Refresh Token' }, 400),
          )
        },
        'POST /auth/v1/logout': ({ bearer, headers }) =>
          headers.get('apikey') && engine.isGood(bearer)
            ? (engine.signOut(), new Response(null, { status: 204 }))
            : answer({}, 401),
        'GET /auth/v1/user': ({ headers }) => (headers.get('apikey') ? answer(engine.user) : noKey()),
      }
    },
  },
  {
    title: 'Firebase',
    login: [
      'https://identitytoolkit.googleapis.com/v1/accounts:signInWithPassword?key=API_KEY',
      { email: 'ann@example.com', password: 'secret', returnSecureToken: true },
    ],
    hasNoUser: true,
    cannotSignOut: true,
    routes: (engine) => ({
      'POST /v1/accounts:signInWithPassword': () => {
        const { access, refresh } = engine.issue()
        return answer({
          localId: 'u1',
          email: 'ann@example.com',
          idToken: access,
          refreshToken: refresh,
          expiresIn: '900',
        })
      },
      'POST /v1/token': ({ form, query }) =>
        orRefuse(
          query.get('key') === 'API_KEY' && form.get('grant_type') === 'refresh_token'
            ? engine.renew(form.get('refresh_token'), true)
            : null,
          ({ access }) =>
            answer({
              access_token: access,
              expires_in: '900',
              token_type: 'Bearer',
              refresh_token: form.get('refresh_token'),
              id_token: access,
              user_id: 'u1',
            }),
          answer({ error: { code: 400, message: 'TOKEN_EXPIRED', status: 'INVALID_ARGUMENT' } }, 400),
        ),
    }),
  },
  {
    title: 'Cognito',
    login: [
      'https://cognito-idp.eu-central-1.amazonaws.com/',
      { AuthFlow: 'USER_PASSWORD_AUTH', ClientId: 'CLIENT_ID' },
    ],
    hasNoUser: true,
    cannotSignOut: true,
    routes: (engine) => ({
      'POST /': ({ json, headers }) => {
        const result = ({ access }: Issued) => ({
          AccessToken: access,
          IdToken: `id-${access}`,
          ExpiresIn: 900,
          TokenType: 'Bearer',
        })
        if (json['AuthFlow'] === 'USER_PASSWORD_AUTH') {
          const issued = engine.issue()
          return answer({
            AuthenticationResult: { ...result(issued), RefreshToken: issued.refresh },
            ChallengeParameters: {},
          })
        }
        const isAsked =
          headers.get('x-amz-target') === 'AWSCognitoIdentityProviderService.InitiateAuth' &&
          headers.get('content-type') === 'application/x-amz-json-1.1' &&
          json['AuthFlow'] === 'REFRESH_TOKEN_AUTH' &&
          json['ClientId'] === 'CLIENT_ID'
        const { REFRESH_TOKEN } = Object(json['AuthParameters']) as Json
        return orRefuse(
          isAsked ? engine.renew(REFRESH_TOKEN, true) : null,
          (issued) => answer({ AuthenticationResult: result(issued), ChallengeParameters: {} }),
          answer({ __type: 'NotAuthorizedException', message: 'Refresh Token has expired' }, 400),
        )
      },
    }),
  },
]
