// Endpoints as people have them, and the options of `bearer` that fit each.

import type { Json } from 'resesh'
import type { BearerOptions } from 'resesh/backends/bearer'
import type { Reply, Routes, Tokens } from './server.ts'

export interface Shape extends Routes {
  name: string
  options(origin: string): BearerOptions
  /** What `session.extras` holds. */
  extras?: string[]
  /** Life of the access token that is told, in seconds. */
  lifeSeconds: number
}

const no = (status: number, json: unknown = {}): Reply => ({ status, json })
const setCookie = (value: string): Record<string, string> => ({
  'set-cookie': `refresh=${value}; HttpOnly; Path=/; SameSite=Strict`,
})
const renewed = (tokens: Tokens | null, say: (tokens: Tokens) => unknown, refusal = no(401)): Reply =>
  tokens ? { json: say(tokens) } : refusal

const express = (tokens: Tokens): Json => ({ accessToken: tokens.access, refreshToken: tokens.refresh, expiresIn: 900 })
const directus = ({ access, refresh }: Tokens): Json => ({
  data: { access_token: access, refresh_token: refresh, expires: 600_000 },
})
const firebase = ({ access, refresh }: Tokens): Json => ({
  id_token: access,
  refresh_token: refresh,
  expires_in: '3600',
  user_id: 'u',
})
const cognito = ({ access, refresh }: Tokens, isLogin: boolean): Json => ({
  AuthenticationResult: {
    AccessToken: access,
    IdToken: 'id',
    ExpiresIn: 300,
    ...(isLogin && { RefreshToken: refresh }),
  },
})
const supabase = ({ access, refresh }: Tokens): Json => ({
  access_token: access,
  refresh_token: refresh,
  expires_in: 1800,
  expires_at: Math.floor(Date.now() / 1000) + 1800,
  user: { id: 1 },
})
const envelope = ({ access, refresh }: Tokens): Json => ({
  success: true,
  result: { jwt: access, renewal: refresh, until: new Date(Date.now() + 120_000).toISOString() },
})

export const shapes: Shape[] = [
  {
    name: 'JSON in the body, as with Express or Nest',
    options: (at) => ({
      refreshUrl: `${at}/refresh`,
      signOutUrl: `${at}/logout`,
      userUrl: `${at}/me`,
      readUser: 'data',
    }),
    login: (core) => ({ json: express(core.login()) }),
    refreshPath: '/refresh',
    refresh: (core, { json }) => renewed(core.refresh(json.refreshToken), express),
    signOut: (core, { json }) => (core.end(json.refreshToken), { status: 204 }),
    lifeSeconds: 900,
  },
  {
    name: 'a refresh token that stays, under a name of its own, as with Django simplejwt',
    options: (at) => ({
      refreshUrl: `${at}/api/token/refresh/`,
      signOutUrl: `${at}/logout`,
      answer: { accessToken: 'access', refreshToken: 'refresh' },
    }),
    login: (core) => ({ json: core.login() }),
    refreshPath: '/api/token/refresh/',
    refresh: (core, { json }) => renewed(core.refresh(json.refresh, true), ({ access }) => ({ access })),
    signOut: (core, { json }) => (core.end(json.refresh), {}),
    lifeSeconds: 900,
  },
  {
    name: 'an httpOnly cookie',
    options: (at) => ({
      refreshUrl: `${at}/refresh`,
      signOutUrl: `${at}/logout`,
      refreshTokenIn: 'cookie',
      answer: { accessToken: 'access' },
      userUrl: `${at}/me`,
      readUser: ({ data }) => data as Json,
    }),
    login: (core) => {
      const { access, refresh } = core.login()
      return { json: { access }, headers: setCookie(refresh) }
    },
    refreshPath: '/refresh',
    refresh: (core, { cookie, text }) => {
      if (text) return no(500)
      const tokens = core.refresh(cookie)
      return tokens ? { json: { access: tokens.access }, headers: setCookie(tokens.refresh) } : no(401)
    },
    signOut: (core, { cookie }) => (core.end(cookie), { headers: setCookie('') }),
    lifeSeconds: 900,
  },
  {
    name: 'a cookie, asked by GET, with a CSRF header',
    options: (at) => ({
      refreshUrl: `${at}/refresh`,
      signOutUrl: `${at}/logout`,
      refreshTokenIn: 'cookie',
      method: 'GET',
      headers: { 'x-csrf': '1' },
    }),
    login: (core) => {
      const { access, refresh } = core.login()
      return { json: { accessToken: access }, headers: setCookie(refresh) }
    },
    refreshPath: '/refresh',
    refresh: (core, { cookie, headers, method }) => {
      const tokens = method === 'GET' && headers['x-csrf'] === '1' ? core.refresh(cookie) : null
      return tokens ? { json: { accessToken: tokens.access }, headers: setCookie(tokens.refresh) } : no(403)
    },
    signOut: (core, { cookie, headers }) => {
      if (headers['x-csrf']) core.end(cookie)
      return { headers: setCookie('') }
    },
    lifeSeconds: 900,
  },
  {
    name: 'a form, a lifetime in text, and an ID token, as with Firebase',
    options: (at) => ({
      refreshUrl: `${at}/v1/token?key=k`,
      signOutUrl: `${at}/logout`,
      bodyFormat: 'form',
      body: { grant_type: 'refresh_token' },
      answer: { accessToken: 'id_token', refreshToken: 'refresh_token', expiresInSeconds: 'expires_in' },
      extras: { idToken: 'id_token', userId: 'user_id' },
    }),
    login: (core) => ({ json: firebase(core.login()) }),
    refreshPath: '/v1/token',
    refresh: (core, { form, query }) =>
      form.get('grant_type') === 'refresh_token' && query.get('key') === 'k'
        ? renewed(core.refresh(form.get('refresh_token')), firebase, no(400, { error: { message: 'TOKEN_EXPIRED' } }))
        : no(500),
    signOut: (core, { form }) => (core.end(form.get('refresh_token')), {}),
    extras: ['idToken', 'userId'],
    lifeSeconds: 3600,
  },
  {
    name: 'the Authorization header, as with FastAPI',
    options: (at) => ({
      refreshUrl: `${at}/refresh`,
      signOutUrl: `${at}/logout`,
      refreshTokenIn: 'header',
      answer: { accessToken: 'access_token', refreshToken: 'refresh_token' },
    }),
    login: (core) => {
      const { access, refresh } = core.login()
      return { json: { access_token: access, refresh_token: refresh } }
    },
    refreshPath: '/refresh',
    refresh: (core, { bearer, text }) =>
      renewed(text ? null : core.refresh(bearer, true), ({ access }) => ({ access_token: access })),
    signOut: (core, { bearer }) => (core.end(bearer), {}),
    lifeSeconds: 900,
  },
  {
    name: 'no refresh token: the access token renews itself, as with PocketBase',
    options: (at) => ({
      refreshUrl: `${at}/auth-refresh`,
      signOutUrl: `${at}/logout`,
      refreshTokenIn: 'none',
      answer: { accessToken: 'token', user: 'record' },
    }),
    login: (core) => ({ json: { token: core.login().access, record: core.user } }),
    refreshPath: '/auth-refresh',
    refresh: (core, { bearer }) => renewed(core.slide(bearer), ({ access }) => ({ token: access, record: core.user })),
    signOut: (core, { bearer }) => (core.end(bearer), {}),
    lifeSeconds: 900,
  },
  {
    name: 'ms, one level down, as with Directus',
    options: (at) => ({
      refreshUrl: `${at}/auth/refresh`,
      signOutUrl: `${at}/logout`,
      body: { mode: 'json' },
      signOut: { body: { mode: 'json' } },
      answer: { accessToken: 'data.access_token', refreshToken: 'data.refresh_token', expiresInMs: 'data.expires' },
      userUrl: `${at}/me`,
      readUser: 'data',
    }),
    login: (core) => ({ json: directus(core.login()) }),
    refreshPath: '/auth/refresh',
    refresh: (core, { json }) => renewed(json.mode === 'json' ? core.refresh(json.refresh_token) : null, directus),
    signOut: (core, { json }) => (json.mode === 'json' && core.end(json.refresh_token), { status: 204 }),
    lifeSeconds: 600,
  },
  {
    name: 'a nested field and a refusal of 400, as with Cognito',
    options: (at) => ({
      refreshUrl: `${at}/`,
      signOutUrl: `${at}/logout`,
      headers: { 'x-amz-target': 'InitiateAuth' },
      body: { AuthFlow: 'REFRESH_TOKEN_AUTH', ClientId: 'spa', AuthParameters: { DEVICE_KEY: 'd' } },
      refreshTokenName: 'AuthParameters.REFRESH_TOKEN',
      answer: {
        accessToken: 'AuthenticationResult.AccessToken',
        refreshToken: 'AuthenticationResult.RefreshToken',
        expiresInSeconds: 'AuthenticationResult.ExpiresIn',
      },
      isRefused: ({ __type }) => __type === 'NotAuthorizedException',
      signOut: { body: { ClientId: 'spa' }, refreshTokenName: 'Token' },
    }),
    login: (core) => ({ json: cognito(core.login(), true) }),
    refreshPath: '/',
    refresh: (core, { json, headers }) => {
      const { AuthFlow, ClientId, AuthParameters: asked } = json
      const isRight = AuthFlow === 'REFRESH_TOKEN_AUTH' && ClientId === 'spa' && asked.DEVICE_KEY === 'd'
      if (!isRight || headers['x-amz-target'] !== 'InitiateAuth')
        return no(400, { __type: 'InvalidParameterException' })
      const tokens = core.refresh(asked.REFRESH_TOKEN, true)
      return renewed(tokens, (each) => cognito(each, false), no(400, { __type: 'NotAuthorizedException' }))
    },
    signOut: (core, { json }) => (json.ClientId === 'spa' && core.end(json.Token), {}),
    lifeSeconds: 300,
  },
  {
    name: 'a key in a header, and times in seconds, as with Supabase',
    options: (at) => ({
      refreshUrl: `${at}/auth/v1/token?grant_type=refresh_token`,
      signOutUrl: `${at}/logout`,
      headers: () => ({ apikey: 'anon', 'x-nothing': undefined }),
      answer: {
        accessToken: 'access_token',
        refreshToken: 'refresh_token',
        expiresInSeconds: 'expires_in',
        expiresAt: 'expires_at',
      },
    }),
    login: (core) => ({ json: supabase(core.login()) }),
    refreshPath: '/auth/v1/token',
    refresh: (core, { json, headers, query }) =>
      headers['apikey'] === 'anon' && !('x-nothing' in headers) && query.get('grant_type') === 'refresh_token'
        ? renewed(core.refresh(json.refresh_token), supabase, no(400, { error_code: 'refresh_token_not_found' }))
        : no(500),
    signOut: (core, { json }) => (core.end(json.refresh_token), { status: 204 }),
    lifeSeconds: 1800,
  },
  {
    name: 'a refusal within a 200, a date in text, and a function that reads',
    options: (at) => ({
      refreshUrl: `${at}/renew`,
      signOutUrl: `${at}/logout`,
      refreshTokenName: 'renewal',
      read: ({ result }) => {
        const { jwt, renewal, until } = result as Record<string, string>
        return { accessToken: jwt, refreshToken: renewal, expiresAt: Date.parse(until!), user: { id: 1 } }
      },
      isRefused: ({ success }) => success === false,
    }),
    login: (core) => ({ json: envelope(core.login()) }),
    refreshPath: '/renew',
    refresh: (core, { json }) => renewed(core.refresh(json.renewal), envelope, { json: { success: false } }),
    signOut: (core, { json }) => (core.end(json.renewal), { json: { success: true } }),
    lifeSeconds: 900, // of the JWT: it tells more than a date
  },
]
