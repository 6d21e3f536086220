// Clerk, spoken to directly: session tokens of a minute, minted by the Frontend API for whoever has its cookie.

import type { Credentials, Json } from '../state/credentials.ts'
import { type Challenge, InvalidOptionError } from '../errors.ts'
import type { Backend } from '../seam/backend.ts'
import type { Io } from '../seam/io.ts'
import {
  active,
  type Body,
  type ClerkOptions,
  createFrontendApi,
  type Resource,
  sessionOf,
} from './clerk/frontend-api.ts'
import { attachBearer, assertDelivered, peek } from './kit.ts'

export type { ClerkOptions } from './clerk/frontend-api.ts'

function read(session: Resource): Credentials {
  const { id, user, last_active_token, last_active_organization_id } = session
  return {
    ...(last_active_token?.jwt && { accessToken: last_active_token.jwt }),
    ...(user && { user }),
    organizationId: last_active_organization_id ?? null,
    data: { sessionId: id },
  }
}

/**
 * Sign in with Clerk's own components or pages, then call `session.signIn()`. `refresh({ organizationId })` makes it the
 * active one, an empty string the personal account; `getToken({ organizationId })` and `getToken({ template })` bring a token
 * beside the session's own.
 *
 * @example
 * const session = createSession({ backend: clerk({ frontendApi: 'https://clerk.example.com' }) })
 * await user.update({ birthday }) // your edit, stored
 * await session.reload() // the token and the user, in one call
 */
export function clerk(options: ClerkOptions): Backend {
  const { base, call, client, listed, judged, mint } = createFrontendApi(options)

  async function begun(session: Resource, io: Io): Promise<Credentials | null> {
    const found = read(session)
    const accessToken = found.accessToken ?? (await mint(found, io, found.organizationId))
    return accessToken ? { ...found, accessToken } : null
  }

  /** Calls that answer with a resource, and beside it the client as it is now. */
  async function moved(held: Credentials, io: Io, response: Response): Promise<Credentials | null> {
    const body = await judged(held, io, response)
    const session =
      body && active(body.client?.sessions.find(({ id }) => id === sessionOf(held)) ?? (await listed(held, io))!)
    return session && begun(session, io)
  }

  return {
    name: 'clerk',
    cookies: true,
    needsToken: true,
    // A cookie that stays as it is mints as many tokens as are asked for.
    replayWindow: Infinity,
    identity: { endpoint: base },
    owns: (url) => url.startsWith(`${base}/`),
    attach: attachBearer,
    stepUp,
    async restore(io) {
      const { sessions = [], last_active_session_id = null } = (await client(io)) ?? {}
      const session = active(sessions.find(({ id }) => id === last_active_session_id) ?? sessions[0])
      return session && begun(session, io)
    },
    accepts: ['organizationId'],
    async refresh(held, io, { organizationId }) {
      if (organizationId !== undefined) {
        const form = { active_organization_id: organizationId, intent: 'select_org' }
        return moved(held, io, await call(io, `/client/sessions/${sessionOf(held)}/touch`, form))
      }
      const accessToken = await mint(held, io, held.organizationId)
      return accessToken ? { accessToken } : null
    },
    async reload(held, io) {
      const response = await call(io, '/me', undefined, { _clerk_session_id: sessionOf(held)! })
      const said = (await peek(response)) as Body | null
      const fresh = await moved(held, io, response)
      return fresh && { ...fresh, user: (said?.response ?? fresh.user) as Json }
    },
    mints: ['organizationId', 'template'],
    async token(held, io, { organizationId, template }) {
      // The server mints that one for whichever organization is active there.
      if (template && organizationId !== undefined)
        throw new InvalidOptionError(
          'organizationId',
          "can't be combined with template: call refresh({ organizationId }) first",
        )
      const accessToken = await mint(held, io, organizationId, template)
      return accessToken ? { accessToken } : null
    },
    async signOut(_held, io) {
      assertDelivered(await call(io, '/client/sessions', {}, { _method: 'DELETE' }))
    },
  }
}

/** What an app's server says by `reverification`: the user has to prove again who they are. */
async function stepUp(response: Response): Promise<Challenge | null> {
  if (response.status !== 403 || !response.headers.get('content-type')?.includes('json')) return null
  const body = (await peek(response)) as {
    clerk_error?: { reason?: string; metadata?: { reverification?: Json } }
  } | null
  const { reason, metadata } = body?.clerk_error ?? {}
  return reason === 'reverification-error' ? { type: 'reverification', ...metadata?.reverification } : null
}
