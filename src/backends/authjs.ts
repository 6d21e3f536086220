// Auth.js, and next-auth before it: one session route that is check, refresh and read at once, and always answers 200.

import { claimsOf, type Credentials, type Json } from '../state/credentials.ts'
import { RefreshFailedError, StepUpRequiredError } from '../errors.ts'
import { assertKnown, type Names } from '../known-options.ts'
import type { Backend } from '../seam/backend.ts'
import type { Io } from '../seam/io.ts'
import { attachBearer, cookieReach, originsOf, peek, readJson, readJsonOrNull, writesTo } from './kit.ts'
import { refusalOf } from './kit/server-words.ts'

export interface AuthJsOptions {
  /** Where the routes are. @default '/api/auth' */
  baseUrl?: string
  /** The field in which your `session` callback hands out an access token. Left out: there is none. */
  accessToken?: string
  /** The field in which it reports trouble with the tokens behind the session: a step-up. @default 'error' */
  error?: string
}

const OPTIONS: Names<AuthJsOptions> = { baseUrl: true, accessToken: true, error: true }

// A database that restarts, or one that another takes over for.
const OUTAGE_MS = 2_000

/**
 * Sign in with Auth.js' own pages; the session is found at the start. `reload({ data })` is its `update(data)`.
 *
 * @example
 * const session = createSession({ backend: authjs({ accessToken: 'accessToken' }) })
 * await session.reload({ data: { role: 'admin' } })
 */
export function authjs(options: AuthJsOptions = {}): Backend {
  const { baseUrl = '/api/auth', accessToken: field, error: trouble = 'error' } = options
  assertKnown('authjs', options, OPTIONS)
  const ask = (io: Io, path: string, init?: RequestInit): Promise<Response> =>
    io.fetch(baseUrl + path, { credentials: 'include', ...init })

  const needsInclude = cookieReach(originsOf([baseUrl]), undefined, field !== undefined)

  async function csrf(io: Io): Promise<string> {
    return String((await readJson(await ask(io, '/csrf')))['csrfToken'])
  }

  /** `null` in version 5 and `{}` in version 4: nobody. */
  async function read(response: Response): Promise<Credentials | null> {
    if (!response.ok) throw refusalOf(response, await peek(response))
    const { user, expires: _expires, ...rest } = (await readJsonOrNull(response)) ?? {}
    if (!user) return null
    if (rest[trouble]) throw new StepUpRequiredError({ type: rest[trouble] as string }, { refusal: response })
    const { id, email } = user as Json
    const token = field === undefined ? undefined : rest[field]
    const accessToken = typeof token === 'string' ? token : undefined
    // State never holds a token: whatever else of that kind the callback hands out stays out of it.
    const said = Object.entries(rest).filter(([name]) => name !== field && !/token$/i.test(name))
    return {
      user: user as Json,
      ...(accessToken && { accessToken }),
      claims: { sub: id ?? email, ...(accessToken && claimsOf(accessToken)), ...Object.fromEntries(said) },
    }
  }

  const check = async (io: Io): Promise<Credentials | null> => read(await ask(io, '/session'))

  /** A store that is down looks like signed out: who was signed in is asked for once more, when a short outage is over. */
  async function checkAgain(io: Io): Promise<Credentials | null> {
    await io.pause(OUTAGE_MS)
    return check(io)
  }

  async function renew(_held: Credentials, io: Io, { data }: { data?: Json | undefined }): Promise<Credentials | null> {
    const update = async (): Promise<Response> => {
      const body = JSON.stringify({ csrfToken: await csrf(io), data })
      return ask(io, '/session', { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    }
    const said = data ? await read(await update()) : await check(io)
    const again = said ?? (await checkAgain(io))
    if (again && !said && data)
      throw new RefreshFailedError('answered as if nobody was signed in, so that nothing was updated', { spent: false })
    return again
  }

  return {
    name: 'authjs',
    accepts: ['data'],
    cookies: true,
    needsToken: field !== undefined,
    // Each answer has the cookie anew; the old one is as good.
    replayWindow: Infinity,
    origins: originsOf([baseUrl]),
    identity: { endpoint: baseUrl },
    owns: (url) => /\/(session|csrf|signout)(\?|$)/.test(url) && url.includes(`${baseUrl}/`),
    beginsSession: writesTo([], [`${baseUrl}/`]),
    attach(headers, credentials, request) {
      attachBearer(headers, credentials)
      return needsInclude(request, credentials) ? { credentials: 'include' } : {}
    },
    restore: async (io, held) => (await check(io)) ?? (held && checkAgain(io)),
    refresh: renew,
    async signOut(_held, io) {
      // Version 5 answers with JSON for the header, version 4 for the field; else both redirect.
      const body = new URLSearchParams({ csrfToken: await csrf(io), callbackUrl: '/', json: 'true' })
      const headers = { 'x-auth-return-redirect': '1' }
      const { url } = await readJson(await ask(io, '/signout', { method: 'POST', headers, body }))
      // Refused, for whatever reason, it answers with an address that says so.
      if (/[?&](error|csrf)=/.test(String(url))) throw new RefreshFailedError('refused the sign-out')
    },
  }
}
