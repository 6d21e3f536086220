// The code of the OAuth example, as it is shown on its page.

import { createSession, type Session } from 'resesh'
import { oauth2 } from 'resesh/backends/oauth2'
import { createLogin } from 'resesh/oauth2/login'
import { stepUp } from 'resesh/step-up'
import { Wire } from '../wire.ts'

export const server = '/vendors/oauth'
export const wire = new Wire((path) => !path.startsWith('/api/'))

const client = { issuer: location.origin + server, clientId: 'spa' }
const platform = { fetch: wire.fetch } // so that this page can show it

export const session: Session = createSession({
  backend: oauth2(client),
  use: [stepUp((asked) => auth.stepUp(asked))],
  refreshAhead: 'never', // nothing here that nobody asked for
  platform,
})

const auth = createLogin(session, {
  ...client,
  redirectUri: '/examples/oauth/',
  postLogoutRedirectUri: '/examples/oauth/',
  scope: 'openid profile offline_access',
  platform,
})

export const { login, handleRedirect, logout } = auth

export const call = (path: string) => session.fetch(server + path)
