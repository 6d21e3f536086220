// The code of the Clerk example, as it is shown on its page.

import { createSession, type Session } from 'resesh'
import { clerk } from 'resesh/backends/clerk'
import { sideTokens } from 'resesh/side-tokens'
import { Wire } from '../wire.ts'

export const server = '/vendors/clerk'
export const wire = new Wire((path) => path.startsWith('/v1/'))

export const session: Session = createSession({
  backend: clerk({ frontendApi: location.origin + server }),
  use: [sideTokens()],
  name: 'clerk',
  refreshAhead: 'never', // nothing here that nobody asked for
  platform: { fetch: wire.fetch }, // so that this page can show it
})

// In an app: Clerk's own sign-in, then session.signIn().
export const signIn = () =>
  session.signIn(async ({ fetch }) => {
    const body = new URLSearchParams({ identifier: 'ann' })
    await fetch(`${server}/v1/sign_ins`, { method: 'POST', body, credentials: 'include' })
  })

// The app's own server, which writes the metadata.
export const save = (birthday: string) =>
  session.fetch(`${server}/api/me`, { method: 'PATCH', body: JSON.stringify({ birthday }) })

export const newToken = () => session.getToken({ skipCache: true })
export const newTokenAndUser = () => session.reload()

export const tokenFor = (organizationId: string) => session.getToken({ organizationId })
export const switchTo = (organizationId: string) => session.refresh({ organizationId })
