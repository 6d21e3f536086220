// The three kinds of server that an app has of its own: tokens as JSON, OAuth 2.0, and a cookie that no script can read.

import { bearer } from 'resesh/backends/bearer'
import { cookie } from 'resesh/backends/cookie'
import { fromTokenResponse, oauth2 } from 'resesh/backends/oauth2'
import type { DemoServer } from './server.ts'

const own = {
  at: '',
  hand: '/sample',
  fields: ['name', 'role', 'org'],
  // What the sample server grants here, so that a refresh whose answer was lost can be sent again.
  replayWindow: 10_000,
} as const

const backendForFrontend = { 'content-type': 'application/json', 'x-bff': '1' }

export const sampleServers: readonly DemoServer[] = [
  {
    ...own,
    key: 'bearer',
    title: 'Tokens as JSON',
    backend: () => bearer({ refreshUrl: '/auth/refresh', signOutUrl: '/auth/logout', userUrl: '/auth/user' }),
    signIn: (session, username, password) =>
      session.signIn(fetch('/auth/login', { method: 'POST', body: JSON.stringify({ username, password }) })),
    lacks: {},
  },
  {
    ...own,
    key: 'oauth2',
    title: 'OAuth 2.0',
    name: 'oauth2',
    backend: () =>
      oauth2({
        clientId: 'spa',
        tokenEndpoint: '/oauth/token',
        revocationEndpoint: '/oauth/revoke',
        userinfoEndpoint: '/oauth/userinfo',
      }),
    // So that nothing leaves the page. The example OAuth logs in by redirect, as an app should.
    signIn: (session, username, password) =>
      session.signIn(async ({ fetch }) => {
        const body = new URLSearchParams({ grant_type: 'password', client_id: 'spa', username, password })
        const response = await fetch('/oauth/token', { method: 'POST', body })
        return response.ok ? fromTokenResponse(await response.json()) : response
      }),
    lacks: { user: 'This login brings no ID token, so the user comes with the first reload().' },
  },
  {
    ...own,
    key: 'cookie',
    title: 'Cookie, no token in the page',
    name: 'cookie',
    backend: () =>
      cookie({
        sessionUrl: '/bff/session',
        refreshUrl: '/bff/refresh',
        signOutUrl: '/bff/logout',
        signInUrls: ['/bff/login'],
        headers: { 'x-bff': '1' },
      }),
    signIn: (session, username, password) =>
      session.signIn(({ fetch }) =>
        fetch('/bff/login', {
          method: 'POST',
          headers: backendForFrontend,
          body: JSON.stringify({ username, password }),
        }),
      ),
    lacks: {
      token: 'The page has no token here, and so no claims: the cookie is the session.',
      expiry: 'No script can read the cookie, so the page knows no expiry: it learns of it from a 401.',
    },
  },
]
