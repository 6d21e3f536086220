// Clerk, spoken to directly: session tokens of a minute, minted by the Frontend API for whoever has its cookie.

import type { Credentials, Json } from '../core/credentials.ts'
import { InvalidOptionError, RefreshFailedError, StepUpRequiredError, type Challenge } from '../errors.ts'
import type { Backend, Io } from '../ports.ts'
import { attachBearer, peek, readJson } from '../wire.ts'

export interface ClerkOptions {
  /** The Frontend API, or the proxy in front of it: `https://clerk.example.com`. */
  frontendApi: string
  /** With each call of its own: `__clerk_db_jwt` on a development instance, `__domain` on a satellite. */
  query?: Readonly<Record<string, string>>
  /** @default '2026-05-12' */
  apiVersion?: string
}

interface Resource {
  id: string
  status: string
  expire_at?: number
  user?: Json | null
  last_active_token?: { jwt?: string } | null
  last_active_organization_id?: string | null
  tasks?: { key: string }[] | null
}

interface Client {
  sessions: Resource[]
  last_active_session_id: string | null
}

interface Body {
  response?: unknown
  client?: Client | null
  jwt?: string
  errors?: { code: string }[]
}

const sessionOf = (held: Credentials<unknown> | null): string | undefined => held?.data?.['sessionId'] as string

function read(session: Resource): Credentials {
  const { id, user, expire_at, last_active_token, last_active_organization_id } = session
  return {
    ...(last_active_token?.jwt && { accessToken: last_active_token.jwt }),
    ...(expire_at !== undefined && { sessionExpiresAt: expire_at }),
    ...(user && { user }),
    organizationId: last_active_organization_id ?? null,
    data: { sessionId: id },
  }
}

/** A session that waits for its user: `choose-organization`, `reset-password`, `setup-mfa`. */
function active(session: Resource | undefined): Resource | null {
  if (session?.status === 'pending') throw new StepUpRequiredError({ type: session.tasks?.[0]?.key ?? 'pending' })
  return session?.status === 'active' ? session : null
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
  const { frontendApi, query = {}, apiVersion = '2026-05-12' } = options
  const base = `${frontendApi.replace(/\/$/, '')}/v1`

  /** No header of our own and a form for a body: a request that needs no preflight. */
  function call(io: Io, path: string, form?: Record<string, string>, more = {}): Promise<Response> {
    const search = new URLSearchParams({ ...query, __clerk_api_version: apiVersion, ...more })
    const body = form && new URLSearchParams(form)
    return io.fetch(`${base}${path}?${search}`, {
      credentials: 'include',
      method: body ? 'POST' : 'GET',
      ...(body && { body }),
    })
  }

  async function client(io: Io): Promise<Client | null> {
    return ((await readJson(await call(io, '/client'))) as Body).response as Client | null
  }

  /** What a session is now, whatever one call said of it. `null`: it is no longer listed. @throws RefreshFailedError */
  async function listed(held: Credentials, io: Io): Promise<Resource | null> {
    return active((await client(io))?.sessions.find(({ id }) => id === sessionOf(held)))
  }

  /**
   * The body of an answer; `null`: the session is over, which only the list of sessions can tell.
   * @throws {@link RefreshFailedError} A refusal that the list does not confirm is a false alarm.
   */
  async function judged(held: Credentials, io: Io, response: Response): Promise<Body | null> {
    if (response.ok) return readJson(response)
    const said = (await peek(response)) as Body | null
    const codes = (said?.errors ?? []).map(({ code }) => code)
    const isDoubtful = response.status === 401 || response.status === 422 || codes.some((code) => GONE.test(code))
    if (isDoubtful && !codes.some((code) => NOT_THE_SESSION.test(code)) && !(await listed(held, io))) return null
    throw new RefreshFailedError(`${response.url.replace(/\?.*/, '')}: ${response.status}`, { response, spent: false })
  }

  async function mint(held: Credentials, io: Io, organizationId = '', template = ''): Promise<Response> {
    const path = `/client/sessions/${sessionOf(held)}/tokens${template && `/${encodeURIComponent(template)}`}`
    const form = template ? {} : { organization_id: organizationId }
    const response = await call(io, path, form)
    if (response.status !== 422 || !held.accessToken) return response
    const { errors = [] } = ((await peek(response)) ?? {}) as Body
    return errors[0]?.code === 'missing_expired_token'
      ? call(io, path, form, { expired_token: held.accessToken })
      : response
  }

  async function token(held: Credentials, io: Io, organizationId?: string | null): Promise<Body | null> {
    const body = await judged(held, io, await mint(held, io, organizationId ?? ''))
    if (body && !body.jwt) throw new RefreshFailedError('The answer has no token')
    return body
  }

  async function begun(session: Resource, io: Io): Promise<Credentials | null> {
    const found = read(session)
    if (found.accessToken) return found
    const body = await token(found, io, found.organizationId)
    return body && { ...found, accessToken: body.jwt! }
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
    owns: (url) => url.startsWith(`${base}/`),
    attach: attachBearer,
    stepUp,
    async restore(io) {
      const { sessions = [], last_active_session_id = null } = (await client(io)) ?? {}
      const session = active(sessions.find(({ id }) => id === last_active_session_id) ?? sessions[0])
      return session && begun(session, io)
    },
    async refresh(held, io, { organizationId }) {
      if (organizationId !== undefined) {
        const form = { active_organization_id: organizationId, intent: 'select_org' }
        return moved(held, io, await call(io, `/client/sessions/${sessionOf(held)}/touch`, form))
      }
      const body = await token(held, io, held.organizationId)
      return body && { accessToken: body.jwt! }
    },
    async reload(held, io) {
      const response = await call(io, '/me', undefined, { _clerk_session_id: sessionOf(held) })
      const said = (await peek(response)) as Body | null
      const fresh = await moved(held, io, response)
      return fresh && { ...fresh, user: (said?.response ?? fresh.user) as Json }
    },
    async token(held, io, { organizationId, template, resource }) {
      if (resource) throw new InvalidOptionError('resource', 'means nothing to clerk')
      const { jwt } = (await readJson(await mint(held, io, organizationId, template))) as Body
      if (!jwt) throw new RefreshFailedError('The answer has no token')
      return { accessToken: jwt }
    },
    async signOut(_held, io) {
      const { status } = await call(io, '/client/sessions', {}, { _method: 'DELETE' })
      if (status >= 500) throw new RefreshFailedError(`${base}/client/sessions: ${status}`)
    },
  }
}

const GONE = /^user_(banned|deactivated)$/
// A 401 about the browser, not about the user.
const NOT_THE_SESSION = /^(dev_browser_unauthenticated|requires_captcha)$/

/** What an app's server says by `reverification`: the user has to prove again who they are. */
async function stepUp(response: Response): Promise<Challenge | null> {
  if (response.status !== 403 || !response.headers.get('content-type')?.includes('json')) return null
  const body = (await peek(response)) as {
    clerk_error?: { reason?: string; metadata?: { reverification?: Json } }
  } | null
  const { reason, metadata } = body?.clerk_error ?? {}
  return reason === 'reverification-error' ? { type: 'reverification', ...metadata?.reverification } : null
}
