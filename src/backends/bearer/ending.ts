// Which answers are a no: the session is over, or the login was refused.

import { SessionEndedError } from '../../errors.ts'
import type { Json } from '../../state/credentials.ts'

/** Status codes, or a look at what the answer says: `{}` where it says nothing in JSON. */
export type IsRefused = readonly number[] | ((json: Json, response?: Response) => boolean | Promise<boolean>)

// What servers answer to a refresh token that they don't take: RFC 6749 §5.2 says 400, most say 401, some 403.
const DEFAULT: IsRefused = [400, 401, 403]

export const isRefused = async (rule: IsRefused | undefined, json: Json, response?: Response): Promise<boolean> => {
  if (typeof rule === 'function') return await rule(json, response)
  return !!response && (rule ?? DEFAULT).includes(response.status)
}

const WHY = /^(reused?|revoked)$/

/** Throws where the server says why the session is over. */
export function throwReason(json: Json, refusal: Response): void {
  const why = String(json['error'])
  if (WHY.test(why)) throw new SessionEndedError(why === 'revoked' ? why : 'reused', { refusal })
}
