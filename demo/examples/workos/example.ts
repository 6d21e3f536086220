// The code of the WorkOS example, as it is shown on its page.

import { createSession, type Session } from 'resesh'
import { type WorkOSClaims, workosRoute, type WorkOSUser } from 'resesh/backends/workos'
import { Wire } from '../wire.ts'

export const server = '/vendors/workos'
export const wire = new Wire((path) => path.startsWith('/api/auth/'))

export const session: Session<WorkOSUser, WorkOSClaims> = createSession<WorkOSUser, WorkOSClaims>({
  backend: workosRoute({ refreshUrl: `${server}/api/auth/refresh`, signOutUrl: `${server}/api/auth/logout` }),
  name: 'workos',
  refreshAhead: 'never', // nothing here that nobody asked for
  platform: { fetch: wire.fetch }, // so that this page can show it
})

// In an app: a redirect to AuthKit, which comes back to this route.
export const signIn = () =>
  session.signIn(async ({ fetch }) => {
    await fetch(`${server}/api/auth/callback?code=ann&organization=org_acme`, { credentials: 'include' })
  })

// Rejects with StepUpRequiredError where that organization asks for more; the session stays as it was.
export const switchTo = (organizationId: string) => session.refresh({ organizationId, ensureSignedIn: true })

export const mayPublish = () => session.current.claims?.permissions?.includes('posts:write') ?? false
export const publish = () => session.fetch(`${server}/api/posts`, { method: 'POST' })
