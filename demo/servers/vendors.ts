// The vendors' servers, as stand-ins. Those with an example share its session, by the same name.

import { authjs } from 'resesh/backends/authjs'
import { betterAuth } from 'resesh/backends/better-auth'
import { clerk } from 'resesh/backends/clerk'
import { roq } from 'resesh/backends/roq'
import { supertokens } from 'resesh/backends/supertokens'
import { workosRoute } from 'resesh/backends/workos'
import type { DemoServer } from './server.ts'

const at = (name: string) =>
  ({ at: `/vendors/${name}`, hand: `/vendors/${name}/stand`, takesAnyPassword: true }) as const

const include = { credentials: 'include' } as const
const ONLY_NAME = 'Of these fields, this server tells the page only the name.'

export const vendorServers: readonly DemoServer[] = [
  {
    ...at('supertokens-header'),
    key: 'supertokens',
    title: 'SuperTokens',
    name: 'supertokens-header',
    backend: () => supertokens({ baseUrl: '/vendors/supertokens-header/auth', mode: 'header' }),
    // Any answer may begin a session here: a login is a fetch like others.
    signIn: (session, user) => session.fetch('/vendors/supertokens-header/auth/signin', { method: 'POST', body: user }),
    fields: ['name'],
    lacks: { fields: `${ONLY_NAME} SuperTokens tells it in the token; there is no user.` },
  },
  {
    ...at('better-auth'),
    key: 'better-auth',
    title: 'better-auth',
    name: 'better-auth',
    backend: () => betterAuth({ baseUrl: '/vendors/better-auth/api/auth', jwt: true }),
    signIn: (session, email) =>
      session.signIn(async ({ fetch }) => {
        const body = JSON.stringify({ email })
        await fetch('/vendors/better-auth/api/auth/sign-in/email', { method: 'POST', body, ...include })
      }),
    fields: ['name'],
    lacks: { fields: ONLY_NAME },
  },
  {
    ...at('authjs'),
    key: 'authjs',
    title: 'Auth.js, next-auth',
    name: 'authjs',
    backend: () => authjs({ baseUrl: '/vendors/authjs/api/auth', accessToken: 'accessToken' }),
    signIn: (session, user) =>
      session.signIn(async ({ fetch }) => {
        await fetch(`/vendors/authjs/api/auth/callback?user=${encodeURIComponent(user)}`, include)
      }),
    fields: ['name'],
    lacks: { fields: ONLY_NAME },
  },
  {
    ...at('clerk'),
    key: 'clerk',
    title: 'Clerk',
    name: 'clerk',
    backend: () => clerk({ frontendApi: `${location.origin}/vendors/clerk` }),
    signIn: (session, identifier) =>
      session.signIn(async ({ fetch }) => {
        const body = new URLSearchParams({ identifier })
        await fetch('/vendors/clerk/v1/sign_ins', { method: 'POST', body, ...include })
      }),
    fields: ['name'],
    lacks: { fields: ONLY_NAME },
  },
  {
    ...at('workos'),
    key: 'workos',
    title: 'WorkOS AuthKit',
    name: 'workos',
    backend: () =>
      workosRoute({ refreshUrl: '/vendors/workos/api/auth/refresh', signOutUrl: '/vendors/workos/api/auth/logout' }),
    signIn: (session, user) =>
      session.signIn(async ({ fetch }) => {
        const code = encodeURIComponent(user)
        await fetch(`/vendors/workos/api/auth/callback?code=${code}&organization=org_acme`, include)
      }),
    fields: ['name'],
    lacks: { fields: ONLY_NAME },
  },
  {
    ...at('roq'),
    key: 'roq',
    title: 'ROQ',
    name: 'roq',
    backend: () => roq({ baseUrl: '/vendors/roq/api/auth' }),
    signIn: (session, user) =>
      session.signIn(async ({ fetch }) => {
        await fetch(`/vendors/roq/api/auth/callback?user=${encodeURIComponent(user)}`, include)
      }),
    fields: ['name', 'role'],
    lacks: {
      fields: 'Of these fields, this server tells the page only the name and the role.',
      expiry: 'ROQ ends a session whose token has run out, so waiting for that would sign the user out.',
    },
  },
]
