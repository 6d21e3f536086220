// ky over a session: an entry of its own, so that users of plain fetch don't ship it.

import ky, { type KyInstance, type Options } from 'ky'
import type { Session } from '../face.ts'

/**
 * A ky instance whose requests go through the session. ky's own `timeout` (10 s by default) counts while a request waits
 * for a refresh; its `retry` is for failures, and never sees an expired session.
 *
 * @example
 * const api = createKy(session, { prefix: '/api' })
 * const me = await api.get('me').json()
 */
export const createKy = (session: Pick<Session, 'fetch'>, options?: Options): KyInstance =>
  ky.create({ ...options, fetch: session.fetch })
