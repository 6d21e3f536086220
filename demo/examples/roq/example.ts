// The code of the ROQ example, as it is shown on its page.

import { createSession, type Session } from 'resesh'
import { roq } from 'resesh/backends/roq'
import { Wire } from '../wire.ts'

export const server = '/vendors/roq'
export const wire = new Wire((path) => path.startsWith('/api/auth/'))

export const session: Session = createSession({
  backend: roq({ baseUrl: `${server}/api/auth` }),
  name: 'roq',
  platform: { fetch: wire.fetch }, // so that this page can show it
})

// In an app: a redirect to ROQ's login, which comes back to this route.
export const signIn = () =>
  session.signIn(async ({ fetch }) => {
    await fetch(`${server}/api/auth/callback?user=ann`, { credentials: 'include' })
  })

// The app's own API, which tells the platform.
export const changeRole = (role: string) =>
  session.fetch(`${server}/api/me`, { method: 'PATCH', body: JSON.stringify({ role }) })

export const refetchSession = () => session.refresh()
