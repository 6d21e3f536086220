// ky over a session: an entry of its own, so that users of plain fetch don't ship it.

import * as ky from 'ky'
import type { KyInstance, Options } from 'ky'
import { InvalidOptionError } from '../errors.ts'
import type { Session } from '../face.ts'

// ky 1 ignores these in silence, and sends the request to another URL.
const NEW_IN_KY_2 = ['prefix', 'baseUrl'] as const
const isKy1 = !('KyError' in ky)

/**
 * A ky instance whose requests go through the session. ky's own `timeout` (10 s by default) counts while a request waits
 * for a refresh; its `retry` is for failures, and never sees an expired session.
 *
 * @throws {@link InvalidOptionError} for `prefix` or `baseUrl` with ky 1, which calls it `prefixUrl`.
 * @example
 * const api = createKy(session, { timeout: 5_000 })
 * const me = await api.get('/api/me').json()
 */
export function createKy(session: Pick<Session, 'fetch'>, options?: Options): KyInstance {
  const unknown = isKy1 && NEW_IN_KY_2.find((name) => options?.[name] !== undefined)
  if (unknown)
    throw new InvalidOptionError(
      unknown,
      'is an option of ky 2, and ky 1 is installed: use `prefixUrl`, or install ky 2',
    )
  return ky.default.create({ ...options, fetch: session.fetch })
}
