// What compiles, and what must not.

import {
  type AnySessionError,
  type Backend,
  type Challenge,
  createSession,
  type Credentials,
  defineBackend,
  type Events,
  type ExchangeOutcome,
  type Json,
  type Reason,
  type Session,
  SessionError,
  type State,
} from 'resesh'
import { bearer } from 'resesh/backends/bearer'
import { cookie } from 'resesh/backends/cookie'
import { fromTokenResponse, oauth2 } from 'resesh/backends/oauth2'
import { workos, type WorkOSClaims, workosRoute, type WorkOSUser } from 'resesh/backends/workos'
import { createKy } from 'resesh/ky'
import { refreshAfter } from 'resesh/refresh-after'
import { signInRequired } from 'resesh/sign-in-required'
import { stepUp } from 'resesh/step-up'
import type { KyInstance } from 'ky'
import { expectTypeOf, test } from 'vitest'

interface User {
  name: string
}
interface Claims {
  role: 'admin' | 'reader'
}

const plain = createSession({ backend: bearer({ refreshUrl: '/refresh' }) })
const typed = createSession<User, Claims>({ backend: bearer<User>({ refreshUrl: '/refresh' }) })

test('without type arguments user and claims are any JSON', () => {
  expectTypeOf(plain).toEqualTypeOf<Session>()
  expectTypeOf(plain.current.user).toEqualTypeOf<Json | null>()
  expectTypeOf(plain.current.claims).toEqualTypeOf<Json | null>()
})

test('user and claims have the types that were given', () => {
  expectTypeOf(typed.current.user).toEqualTypeOf<User | null>()
  expectTypeOf(typed.current.claims).toEqualTypeOf<Claims | null>()
  expectTypeOf(typed.reload()).resolves.toEqualTypeOf<State<User, Claims>>()
})

test('the user may come from the backend alone', () => {
  const session = createSession({ backend: bearer<User>({ refreshUrl: '/refresh' }) })
  expectTypeOf(session.current.user).toEqualTypeOf<User | null>()
})

test('a backend of another user does not fit', () => {
  // @ts-expect-error: it gives strings
  createSession<User>({ backend: defineBackend<string>({ refresh: async () => null }) })
})

test('a change knows the user before and after, and the names of what differs', () => {
  typed.on('change', (event) => {
    expectTypeOf(event).toEqualTypeOf<Events<User, Claims>['change']>()
    expectTypeOf(event.current.user).toEqualTypeOf<User | null>()
    expectTypeOf(event.previous.claims).toEqualTypeOf<Claims | null>()
    expectTypeOf(event.reason).toEqualTypeOf<Reason>()
    expectTypeOf(event.source).toEqualTypeOf<'this-tab' | 'other-tab' | 'server'>()
    expectTypeOf(event.changed).toEqualTypeOf<readonly (keyof State)[]>()
  })
})

test('each event has its own detail', () => {
  typed.on('error', ({ error }) => expectTypeOf(error).toEqualTypeOf<AnySessionError>())
  typed.on('trace', (trace) => {
    expectTypeOf(trace.type).toBeString()
    expectTypeOf(trace.at).toBeNumber()
    // @ts-expect-error: not every trace is of a request
    void trace.method
    if (trace.type === 'send') expectTypeOf(trace.token).toEqualTypeOf<number | null>()
    if (trace.type !== 'refresh-end') return
    expectTypeOf(trace.outcome).toEqualTypeOf<ExchangeOutcome['outcome']>()
    if (trace.outcome === 'failed') expectTypeOf(trace.code).toBeString()
    // @ts-expect-error: only a refresh that failed has a code
    else void trace.code
  })
  // @ts-expect-error: there is no such event
  typed.on('changed', () => {})
  typed.on('error', ({ error }) => {
    if (error.code === 'ERR_STEP_UP_REQUIRED') expectTypeOf(error.challenge).toEqualTypeOf<Challenge>()
  })
  // @ts-expect-error: an error event has no state
  typed.on('error', ({ current }) => current)
})

test('a handler knows what it is asked, and answers yes or no', () => {
  stepUp(({ challenge, request, signal }) => {
    expectTypeOf(challenge).toEqualTypeOf<Challenge>()
    expectTypeOf(request.headers).toEqualTypeOf<Headers>()
    expectTypeOf(signal).toEqualTypeOf<AbortSignal>()
    return true
  })
  stepUp(async () => false)
  // @ts-expect-error: it has to answer
  stepUp(() => {})
  signInRequired(({ reason, request, signal }) => {
    expectTypeOf(reason).toEqualTypeOf<'signed-out' | 'signed-in' | 'expired' | 'revoked' | 'reused'>()
    expectTypeOf(request.headers).toEqualTypeOf<Headers>()
    expectTypeOf(signal).toEqualTypeOf<AbortSignal>()
  })
  signInRequired(async () => false)
})

test('a listener may be async, and on returns what undoes it', () => {
  expectTypeOf(typed.on('change', async () => {})).toEqualTypeOf<() => void>()
  expectTypeOf(typed.subscribe(() => {})).toEqualTypeOf<() => void>()
})

test('a union of errors narrows on its code', () => {
  const look = (error: AnySessionError) => {
    switch (error.code) {
      case 'ERR_STEP_UP_REQUIRED':
        return expectTypeOf(error.challenge).toEqualTypeOf<Challenge>()
      case 'ERR_SESSION_ENDED':
        return expectTypeOf(error.reason).toEqualTypeOf<'signed-out' | 'signed-in' | 'expired' | 'revoked' | 'reused'>()
      case 'ERR_INVALID_OPTION':
        return expectTypeOf(error.option).toBeString()
      case 'ERR_REFRESH_FAILED':
      case 'ERR_REFRESH_TIMEOUT':
      case 'ERR_REPLAY':
      case 'ERR_QUEUE_FULL':
      case 'ERR_INVALID_TOKEN':
      case 'ERR_SIGN_IN_REFUSED':
      case 'ERR_DISPOSED':
      case 'ERR_LOGIN':
      case 'ERR_CALLBACK':
      case 'ERR_STORAGE':
        return expectTypeOf(error.refusal).toEqualTypeOf<Response | undefined>()
      default:
        return expectTypeOf(error).toBeNever()
    }
  }
  expectTypeOf(look).parameter(0).toExtend<SessionError>()
})

test('a code outside the list cannot be asked for', () => {
  // @ts-expect-error: there is no such code
  const isOther = (error: AnySessionError) => error.code === 'ERR_OTHER'
  expectTypeOf(isOther).returns.toBeBoolean()
})

test('fetch takes what fetch takes, and can stand in for it', () => {
  expectTypeOf(plain.fetch).toExtend<typeof fetch>()
  void plain.fetch('/a', { session: false })
  void plain.fetch(new Request('/a'), { session: { replay: 'never', idempotencyKey: 'k' } })
  // @ts-expect-error: there is no such replay
  void plain.fetch('/a', { session: { replay: 'sometimes' } })
  // @ts-expect-error: the session is there by itself
  void plain.fetch('/a', { session: true })
})

test('a token is a string or null', () => {
  expectTypeOf(plain.getToken()).resolves.toEqualTypeOf<string | null>()
  // @ts-expect-error: there is no such option
  void plain.getToken({ force: true })
})

test('a state can only be read', () => {
  // @ts-expect-error: read only
  plain.current.status = 'loading'
  // @ts-expect-error: read only
  plain.current = typed.current
  expectTypeOf<keyof State>().toEqualTypeOf<
    'status' | 'stale' | 'user' | 'claims' | 'expiresAt' | 'organizationId' | 'reason'
  >()
  expectTypeOf(plain.current.status).toEqualTypeOf<'loading' | 'authenticated' | 'unauthenticated'>()
})

test('signIn takes credentials, a function that logs in, or nothing', () => {
  expectTypeOf(typed.signIn).returns.resolves.toEqualTypeOf<State<User, Claims>>()
  void typed.signIn()
  void typed.signIn(async ({ fetch, signal }) => void (await fetch('/login', { signal })))
  void typed.signIn(async () => ({ accessToken: 'a', user: { name: 'Ann' } }))
  // @ts-expect-error: a token alone says too little
  void typed.signIn('token')
  // @ts-expect-error: nor is that an answer
  void typed.signIn(async () => 'token')
})

test('signIn takes what the login route answered', async () => {
  interface Answer {
    access: string
    refresh: string
    user: { id: number }
  }
  const answer = {} as Answer
  const json: Json = {}
  const response = {} as Response
  void plain.signIn(response)
  void plain.signIn(await response.json())
  void plain.signIn(answer)
  void plain.signIn(json)
  void plain.signIn(({ fetch }) => fetch('/login', { method: 'POST' }))
  void plain.signIn(async ({ fetch }) => (await fetch('/login')).json())
  void plain.signIn(async () => answer)
  void plain.signIn(fetch('/login'))
  interface Tokens {
    access_token: string
    expires_in: number
  }
  const tokens = {} as Tokens
  void plain.signIn(tokens)
  void plain.signIn(async () => tokens)
  // @ts-expect-error: written out, it is in the names of the SDK
  void plain.signIn({ acessToken: 'a' })
  void typed.signIn(answer)
})

test('options say what they are', () => {
  // @ts-expect-error: nothing goes without a backend
  createSession({})
  // @ts-expect-error: a number of ms
  createSession({ backend: bearer({ refreshUrl: '/refresh' }), leeway: '10s' })
  // @ts-expect-error: there is no such time
  createSession({ backend: bearer({ refreshUrl: '/refresh' }), refreshAhead: 'hidden' })
  // @ts-expect-error: there is no such option
  createSession({ backend: bearer({ refreshUrl: '/refresh' }), retries: 3 })
  createSession({
    backend: bearer({ refreshUrl: '/refresh' }),
    isExpired: async ({ status }, { url }) => status === 401 && url.endsWith('/me'),
    use: [
      refreshAfter([
        { method: 'PATCH', path: '/me', action: 'reload', wait: true },
        { path: '/org/*', wait: true },
      ]),
    ],
    platform: { fetch: async () => new Response(), document: null },
    initial: null,
  })
})

test('a backend of ten lines needs only a refresh', () => {
  const backend = defineBackend<User>({
    async refresh({ refreshToken }, { fetch, signal }, { reason }) {
      expectTypeOf(refreshToken).toEqualTypeOf<string | null | undefined>()
      expectTypeOf(reason).toEqualTypeOf<'expired' | 'ahead' | 'forced' | 'reload' | 'switch' | 'healing'>()
      const response = await fetch('/token', { signal })
      return response.ok ? { accessToken: await response.text(), user: { name: 'Ann' } } : null
    },
  })
  expectTypeOf(backend).toEqualTypeOf<Backend<User>>()
  // @ts-expect-error: without a refresh there is no backend
  defineBackend({})
  // @ts-expect-error: a token is a text
  defineBackend({ refresh: async () => ({ accessToken: 42 }) })
})

test('the backends that are ready made are backends', () => {
  expectTypeOf(bearer<User>({ refreshUrl: '/' })).toEqualTypeOf<Backend<User>>()
  expectTypeOf(cookie<User>({ sessionUrl: '/' })).toEqualTypeOf<Backend<User>>()
  expectTypeOf(oauth2<User>({ tokenEndpoint: '/', clientId: 'spa' })).toEqualTypeOf<Backend<User>>()
  expectTypeOf(fromTokenResponse).returns.toExtend<Credentials>()
  // @ts-expect-error: whose tokens?
  oauth2({ tokenEndpoint: '/' })
})

test("WorkOS's user info is typed on the state", () => {
  const session = createSession<WorkOSUser, WorkOSClaims>({ backend: workos({ clientId: 'client_1' }) })
  createSession<WorkOSUser, WorkOSClaims>({ backend: workosRoute({ refreshUrl: '/refresh' }) })
  expectTypeOf(session.current.user!.firstName).toEqualTypeOf<string | null>()
  const { role, roles, permissions, entitlements, featureFlags, impersonator } = session.current.claims!
  expectTypeOf(role).toEqualTypeOf<string | undefined>()
  expectTypeOf([roles, permissions, entitlements, featureFlags]).toEqualTypeOf<(string[] | undefined)[]>()
  expectTypeOf(impersonator).toEqualTypeOf<{ email: string; reason: string | null } | null | undefined>()
  // @ts-expect-error: there is no such field
  void session.current.user!.first_name
})

test('createKy is ky', () => {
  expectTypeOf(createKy(typed)).toEqualTypeOf<KyInstance>()
})

test('a session can be used', () => {
  using session = createSession({ backend: bearer({ refreshUrl: '/refresh' }) })
  expectTypeOf(session[Symbol.dispose]).returns.toBeVoid()
})
