// Help with a backend of your own: what nearly all of them do the same is filled in.

import type { Json } from '../core/credentials.ts'
import type { Backend } from '../ports.ts'
import { attachBearer } from '../wire.ts'

/**
 * A backend of which only `refresh` has to be said; the access token is attached as `Authorization: Bearer` (RFC 6750 §2.1).
 *
 * @example
 * const backend = defineBackend({
 *   async refresh({ refreshToken }, { fetch }) {
 *     const response = await fetch('/token', { method: 'POST', body: refreshToken })
 *     if (response.status === 401) return null             // the session is over
 *     if (!response.ok) throw new Error(response.statusText) // could not find out: the session is kept
 *     const { token, next } = await response.json()
 *     return { accessToken: token, refreshToken: next }
 *   },
 * })
 */
export const defineBackend = <U = Json>(backend: Pick<Backend<U>, 'refresh'> & Partial<Backend<U>>): Backend<U> => ({
  name: 'custom',
  attach: attachBearer,
  ...backend,
})
