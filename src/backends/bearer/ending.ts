// Which answers are a no: the session is over, or the login was refused.

import { InvalidOptionError, SessionEndedError } from '../../errors.ts'
import type { Json } from '../../state/credentials.ts'

/** Status codes, or a look at what the answer says: `{}` where it says nothing in JSON. */
export type IsRefused = readonly number[] | ((json: Json, response?: Response) => boolean | Promise<boolean>)

// What servers answer to a refresh token that they don't take: RFC 6749 §5.2 says 400, most say 401, some 403.
const DEFAULT: IsRefused = [400, 401, 403]

/** @throws InvalidOptionError for what is no rule. */
export function assertRule(rule: unknown): void {
  const isList = Array.isArray(rule) && rule.every((status) => typeof status === 'number')
  if (rule !== undefined && typeof rule !== 'function' && !isList)
    throw new InvalidOptionError('isRefused', 'must be a list of statuses, such as [400, 401], or a function')
}

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
