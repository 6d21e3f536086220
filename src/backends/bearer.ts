// JSON access and refresh tokens, at URLs and under names of your own choosing.

import type { Credentials, Json } from '../state/credentials.ts'
import { SessionEndedError } from '../errors.ts'
import type { Backend } from '../seam/backend.ts'
import type { Io } from '../seam/io.ts'
import {
  assertDelivered,
  attachBearer,
  ownsEndpoints,
  missingField,
  originsOf,
  peek,
  readJson,
  requireOptions,
} from './kit.ts'

export interface BearerOptions {
  /** POST `{ refreshToken }` here; 401 and 403 say that the session is over, and `{ "error": "reuse" }` or `"revoked"` why. */
  refreshUrl: string
  /** POST `{ refreshToken }` here at sign-out. Left out: the server is not told. */
  signOutUrl?: string
  /** GET with the new token on `reload()`; its answer is the user. Left out: the refresh brings the user, or nobody does. */
  userUrl?: string
  /** With each call of its own. */
  headers?: HeadersInit
  /** What the server calls things, in question and answer; a dot goes deeper: `data.token`. @default the names themselves, and `expiresIn` */
  fields?: { accessToken?: string; refreshToken?: string; expiresInSeconds?: string; expiresAt?: string; user?: string }
}

const at = (json: unknown, path: string): unknown =>
  path.split('.').reduce((value, key) => (value as Json | null | undefined)?.[key], json)

const WHY = /^(reused?|revoked)$/

/**
 * @example
 * createSession({ backend: bearer({ refreshUrl: '/auth/refresh', fields: { accessToken: 'token' } }) })
 */
export function bearer<U = Json>(options: BearerOptions): Backend<U> {
  const { refreshUrl, signOutUrl, userUrl, headers: extra, fields = {} } = requireOptions(options, 'refreshUrl')
  const names = {
    accessToken: 'accessToken',
    refreshToken: 'refreshToken',
    expiresInSeconds: 'expiresIn',
    expiresAt: 'expiresAt',
    user: 'user',
    ...fields,
  }

  function post(io: Io<U>, url: string, { refreshToken }: Credentials<U>): Promise<Response> {
    const headers = new Headers(extra)
    headers.set('content-type', 'application/json')
    return io.fetch(url, {
      method: 'POST',
      headers,
      body: JSON.stringify({ [names.refreshToken.split('.').at(-1)!]: refreshToken }),
    })
  }

  function read(json: Json): Credentials<U> {
    const [accessToken, refreshToken, seconds, time, user] = (
      ['accessToken', 'refreshToken', 'expiresInSeconds', 'expiresAt', 'user'] as const
    ).map((name) => at(json, names[name]))
    if (typeof accessToken !== 'string' || !accessToken)
      throw missingField(names.accessToken, json, 'see bearer({ fields })')
    const expiresAt = typeof time === 'string' ? Date.parse(time) : time
    return {
      accessToken,
      ...(typeof refreshToken === 'string' && refreshToken && { refreshToken }),
      ...(Number(seconds) > 0 && { expiresInSeconds: Number(seconds) }),
      ...(typeof expiresAt === 'number' && expiresAt > 0 && { expiresAt }),
      ...(user !== undefined && { user: user as U | null }),
    }
  }

  async function refresh(credentials: Credentials<U>, io: Io<U>): Promise<Credentials<U> | null> {
    if (!credentials.refreshToken) return null // nothing to ask with
    const response = await post(io, refreshUrl, credentials)
    if (response.status !== 401 && response.status !== 403) return read(await readJson(response))
    const why = String((await peek(response))?.['error'])
    if (WHY.test(why)) throw new SessionEndedError(why === 'revoked' ? why : 'reused', { refusal: response })
    return null
  }

  return {
    name: 'bearer',
    origins: originsOf([refreshUrl, signOutUrl, userUrl]),
    identity: { endpoint: refreshUrl, others: [signOutUrl, userUrl] },
    owns: ownsEndpoints([refreshUrl, signOutUrl]),
    attach: attachBearer,
    canRefresh: ({ refreshToken }) => !!refreshToken,
    refresh,
    async reload(credentials, io) {
      const fresh = await refresh(credentials, io)
      if (!fresh || !userUrl) return fresh
      io.checkpoint(fresh) // its refresh token is the only one now, whatever the next call says
      const headers = new Headers(extra)
      attachBearer(headers, fresh)
      return { ...fresh, user: (await readJson(await io.fetch(userUrl, { headers }))) as U }
    },
    async signOut(credentials, io) {
      if (!signOutUrl || !credentials) return
      assertDelivered(await post(io, signOutUrl, credentials))
    },
  }
}
