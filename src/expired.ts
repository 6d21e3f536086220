// Servers that do not just answer 401: small predicates for the option `isExpired`, to be put together with `anyOf`. Those that read a body read a
// clone of it, JSON only, and no more than a cap.

import { IDEMPOTENT, urlOf } from './request/replayable.ts'
import { challengeOf } from './request/www-authenticate.ts'
import type { IsExpired } from './seam/io.ts'
import { abortable } from './runtime/wait.ts'
import { peek } from './runtime/read-json.ts'

export type { IsExpired }

const PROBE_TIMEOUT_MS = 10_000

/** Whether any of them says so; the first that does decides. */
export const anyOf = (...predicates: IsExpired[]): IsExpired =>
  Object.assign(
    async (...asked: Parameters<IsExpired>) => {
      const failures: unknown[] = []
      for (const says of predicates) {
        try {
          if (await says(...asked)) return true
        } catch (failure) {
          failures.push(failure) // the others may know
        }
      }
      if (failures.length) throw failures[0]
      return false
    },
    { around: predicates.find(({ around }) => around)?.around },
  )

/** One of these statuses: 401, 419 (Laravel), 440 (IIS, SuperTokens of old), 498 (nginx, Esri). */
export const status =
  (...statuses: number[]): IsExpired =>
  (response) =>
    statuses.includes(response.status)

/**
 * A 401 whose challenge names the token (`error="invalid_token"`), or names nothing at all; not one that asks for more
 * (`insufficient_scope`, `insufficient_user_authentication`).
 * @see [RFC 6750 §3.1](https://www.rfc-editor.org/rfc/rfc6750#section-3.1), [RFC 9470 §3](https://www.rfc-editor.org/rfc/rfc9470#section-3)
 */
export const bearerChallenge: IsExpired = (response) => {
  const error = challengeOf(response)?.error
  return response.status === 401 && (error === undefined || error === 'invalid_token')
}

/** A problem document of one of these types. @see [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457) */
export const problem =
  (...types: string[]): IsExpired =>
  async (response) => {
    if (!/^application\/problem\+json\b/i.test(response.headers.get('content-type') ?? '')) return false
    const { type } = (await peek(response)) ?? {}
    return typeof type === 'string' && types.includes(type)
  }

/** A GraphQL answer, a 200 as a rule, with an error whose `extensions.code` is one of these. @default UNAUTHENTICATED */
export const graphql =
  (...codes: string[]): IsExpired =>
  async (response) => {
    if (!/\bjson\b/i.test(response.headers.get('content-type') ?? '')) return false
    const { errors } = (await peek(response)) ?? {}
    const wanted = codes.length ? codes : ['UNAUTHENTICATED']
    return Array.isArray(errors) && errors.some((error) => wanted.includes(error?.extensions?.code))
  }

/** A redirect that the request did not follow (`redirect: 'manual'`): where to, nobody may see. */
export const opaqueRedirect: IsExpired = ({ type }) => type === 'opaqueredirect'

/**
 * A redirect to a login page of another origin, which the browser hides: `fetch` then rejects with the same TypeError as in an
 * outage. One probe tells them apart: HEAD to the same URL with the same headers, which follows no redirect. It speaks for all
 * requests that were sent before it, and counts as {@link opaqueRedirect} if it met one.
 *
 * Only for methods that are idempotent (RFC 9110 §9.2.2): of the others nobody knows whether the server has done what they
 * asked for, so they fail as ever. An API on another origin has to send its CORS headers with the redirect, too.
 */
export function hiddenRedirect(): IsExpired {
  let lastSent = 0
  let probe = { sent: 0, place: '', told: Promise.resolve<Response | null>(null) }

  async function ask(url: string, { headers, credentials }: RequestInit, real: typeof fetch): Promise<Response | null> {
    const question = { method: 'HEAD', redirect: 'manual', cache: 'no-store', session: false } as const
    const signal = AbortSignal.timeout(PROBE_TIMEOUT_MS)
    const response = await real(url, { ...question, headers: headers!, credentials: credentials!, signal })
    return response.type === 'opaqueredirect' ? response : null
  }

  return Object.assign((...asked: Parameters<IsExpired>) => opaqueRedirect(...asked), {
    around: (transport: typeof fetch, real: typeof fetch): typeof fetch => {
      const sent = ++lastSent
      return (input, init = {}) =>
        transport(input, init).catch(async (error) => {
          const given = { ...pick(input as Request), ...init }
          if (!(error instanceof TypeError) || !IDEMPOTENT.test(given.method ?? 'GET')) throw error
          const url = urlOf(input)
          const place = new URL(url).origin
          if (probe.sent < sent || probe.place !== place)
            probe = { sent: ++lastSent, place, told: ask(url, given, real).catch(() => null) }
          const told = await abortable(probe.told, given.signal)
          if (told) return told
          throw error
        })
    },
  })
}

const pick = ({ method, credentials, signal }: Request): RequestInit => ({ method, credentials, signal })

/** A redirect that was followed and ended on one of these pages: origin and path, or the path alone. */
export const landedOn =
  (...pages: string[]): IsExpired =>
  ({ redirected, url }) => {
    if (!redirected) return false
    const { origin, pathname } = new URL(url)
    return pages.some((page) => page === pathname || page === origin + pathname)
  }
