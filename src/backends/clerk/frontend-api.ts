// Clerk's Frontend API: how its calls are made, what its answers hold, and which refusal means what.

import type { Credentials, Json } from '../../state/credentials.ts'
import { RefreshFailedError, StepUpRequiredError } from '../../errors.ts'
import { assertKnown, type Names } from '../../known-options.ts'
import type { Io } from '../../seam/io.ts'
import { peek, readJson, requireOptions } from '../kit.ts'
import { refusalOf, wordsOf } from '../kit/server-words.ts'

export interface ClerkOptions {
  /** The Frontend API, or the proxy in front of it: `https://clerk.example.com`. */
  frontendApi: string
  /** With each call of its own: `__clerk_db_jwt` on a development instance, `__domain` on a satellite. */
  query?: Readonly<Record<string, string>>
  /** @default '2026-05-12' */
  apiVersion?: string
}

const OPTIONS: Names<ClerkOptions> = { frontendApi: true, query: true, apiVersion: true }

/** A session, as the list of them has it. */
export interface Resource {
  id: string
  status: string
  user?: Json | null
  last_active_token?: { jwt?: string } | null
  last_active_organization_id?: string | null
  tasks?: { key: string }[] | null
}

export interface Client {
  sessions: Resource[]
  last_active_session_id: string | null
}

export interface Body {
  response?: unknown
  client?: Client | null
  jwt?: string
  errors?: { code: string }[]
}

export const sessionOf = (held: Credentials<unknown> | null): string | undefined => held?.data?.['sessionId'] as string

/**
 * The session, if it is one to be used.
 * @throws {@link StepUpRequiredError} It waits for its user: `choose-organization`, `reset-password`, `setup-mfa`.
 */
export function active(session: Resource | undefined): Resource | null {
  if (session?.status === 'pending') throw new StepUpRequiredError({ type: session.tasks?.[0]?.key ?? 'pending' })
  return session?.status === 'active' ? session : null
}

const GONE = /^user_(banned|deactivated)$/
// A 401 about the browser, not about the user.
const NOT_THE_SESSION = /^(dev_browser_unauthenticated|requires_captcha)$/

export interface FrontendApi {
  base: string
  call(io: Io, path: string, form?: Record<string, string>, more?: Record<string, string>): Promise<Response>
  client(io: Io): Promise<Client | null>
  listed(held: Credentials, io: Io): Promise<Resource | null>
  judged(held: Credentials, io: Io, response: Response): Promise<Body | null>
  mint(held: Credentials, io: Io, organizationId?: string | null, template?: string): Promise<string | null>
}

export function createFrontendApi(options: ClerkOptions): FrontendApi {
  assertKnown('clerk', options, OPTIONS)
  const { frontendApi, query = {}, apiVersion = '2026-05-12' } = requireOptions(options, 'frontendApi')
  const base = `${frontendApi.replace(/\/$/, '')}/v1`

  /** No header of our own and a form for a body: a request that needs no preflight. */
  const call: FrontendApi['call'] = (io, path, form, more = {}) => {
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
    const said = await peek(response)
    const codes = ((said as Body | null)?.errors ?? []).map(({ code }) => code)
    const isDoubtful = response.status === 401 || response.status === 422 || codes.some((code) => GONE.test(code))
    if (isDoubtful && !codes.some((code) => NOT_THE_SESSION.test(code)) && !(await listed(held, io))) return null
    throw refusalOf(response, said)
  }

  /** A token; `null`: the session is over. @throws RefreshFailedError An empty token is an answer, but no word on the session. */
  async function mint(
    held: Credentials,
    io: Io,
    organizationId?: string | null,
    template = '',
  ): Promise<string | null> {
    const path = `/client/sessions/${sessionOf(held)}/tokens${template && `/${encodeURIComponent(template)}`}`
    const form: Record<string, string> = template ? {} : { organization_id: organizationId ?? '' }
    let response = await call(io, path, form)
    const { errors = [] } = ((response.status === 422 && (await peek(response))) || {}) as Body
    if (held.accessToken && errors[0]?.code === 'missing_expired_token')
      response = await call(io, path, form, { expired_token: held.accessToken })
    const body = await judged(held, io, response)
    if (!body) return null
    const { jwt } = body
    if (jwt) return jwt
    const message = `answered ${response.status} without a token${wordsOf(body as Json)}`
    throw new RefreshFailedError(message, { refusal: response, spent: false })
  }

  return { base, call, client, listed, judged, mint }
}
