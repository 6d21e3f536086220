// The sample server as a page sees it, on its own origin: sign in to it, break it, and count what reached it.

import { createSession, type Session, type SessionOptions } from 'resesh'
import { bearer } from 'resesh/backends/bearer'
import { cookie } from 'resesh/backends/cookie'
import { fromTokenResponse, oauth2 } from 'resesh/backends/oauth2'
import type { Knobs, Stats } from '../servers/sample/server.ts'

const post = (path: string, body?: unknown): Promise<Response> =>
  fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-bff': '1' },
    body: JSON.stringify(body ?? {}),
  })

export const sample = {
  async reset(knobs: Partial<Knobs> = {}): Promise<void> {
    await post('/sample/reset')
    await post('/sample/knobs', knobs)
  },
  knobs: (knobs: Partial<Knobs>) => post('/sample/knobs', knobs),
  /** All access tokens, and only the server knows. */
  expire: () => post('/sample/expire'),
  revoke: (user: string) => post('/sample/revoke', { user }),
  async state(): Promise<{ stats: Stats; sessions: number }> {
    return (await fetch('/sample/state')).json() as Promise<{ stats: Stats; sessions: number }>
  },
  stats: async (): Promise<Stats> => (await sample.state()).stats,
}

const credentials = { username: 'ann', password: 'secret' }

interface Login {
  accessToken: string
  refreshToken: string
  expiresInSeconds: number
}

export const login = async (username = 'ann'): Promise<Login> => {
  const { expiresIn, ...tokens } = await (await post('/auth/login', { ...credentials, username })).json()
  return { ...tokens, expiresInSeconds: expiresIn } as Login
}

/** Each backend, and the login that an app would make before it hands over to the session. */
export const faces = {
  bearer: {
    backend: bearer({ refreshUrl: '/auth/refresh', signOutUrl: '/auth/logout', userUrl: '/auth/user' }),
    refresh: 'POST /auth/refresh',
    login: () => login(),
  },
  oauth2: {
    backend: oauth2({
      tokenEndpoint: '/oauth/token',
      revocationEndpoint: '/oauth/revoke',
      userinfoEndpoint: '/oauth/userinfo',
      clientId: 'spa',
    }),
    refresh: 'POST /oauth/token',
    login: async () => {
      const body = new URLSearchParams({ grant_type: 'password', client_id: 'spa', ...credentials })
      return fromTokenResponse(await (await fetch('/oauth/token', { method: 'POST', body })).json())
    },
  },
  cookie: {
    backend: cookie({
      sessionUrl: '/bff/session',
      refreshUrl: '/bff/refresh',
      signOutUrl: '/bff/logout',
      headers: { 'x-bff': '1' },
    }),
    refresh: 'POST /bff/refresh',
    login: async () => void (await post('/bff/login', credentials)),
  },
}

const open: Session[] = []

/** Signed in as ann over the bearer face. */
export const signedIn = async (options: Partial<SessionOptions> = {}): Promise<Session> => {
  const name = crypto.randomUUID() // storage outlives the test
  const session = createSession({ name, backend: faces.bearer.backend, refreshAhead: 'never', ...options })
  open.push(session)
  await session.signIn(await login())
  return session
}

/** Signed in with a token that is spent, and known to be: the server refuses it, and its life is over here as well. */
export const knownExpired = async (): Promise<Session> => {
  const session = await signedIn()
  const life = 40
  await session.signIn({ ...(await login()), expiresInSeconds: life / 1000 })
  await sample.expire()
  await sleep(life)
  return session
}

/** Signed in with a token that the server refuses, which nobody knows here. */
export const serverExpired = async (): Promise<Session> => {
  const session = await signedIn()
  await sample.expire()
  return session
}

export const disposeAll = (): void => open.splice(0).forEach((session) => session.dispose())

export const sleep = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms))
