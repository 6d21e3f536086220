// The code of the SuperTokens example, as it is shown on its page.

import { createSession, type Session } from 'resesh'
import { supertokens, supertokensLegacy } from 'resesh/backends/supertokens'
import { Wire } from '../wire.ts'
import { mode, server } from './mode.ts'

export const wire = new Wire((path) => /\/(refresh|signout)$/.test(path))

export const session: Session = createSession({
  backend:
    mode === 'legacy'
      ? supertokensLegacy({ refreshUrl: `${server}/api/refresh`, signOutUrl: `${server}/auth/signout` })
      : supertokens({ baseUrl: `${server}/auth`, mode }),
  name: `supertokens-${mode}`,
  refreshAhead: 'never', // nothing here that nobody asked for
  platform: { fetch: wire.fetch }, // so that this page can show it
})

// Any answer may begin a session, renew it or end it: a login is a fetch like others.
export const signIn = () => session.fetch(`${server}/auth/signin`, { method: 'POST', body: 'ann' })

// No 401 handler, no 440 handler.
export const callApi = () => session.fetch(`${server}/api/me`)
