// Which URLs an authorization server may have.

import { parseUrl } from '../../parse-url.ts'
import { InvalidOptionError } from '../../errors.ts'

// A server on this machine, for development.
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/

/** Whether nobody on the way can read or forge what goes there. */
export function isSafeUrl(url: unknown): url is string {
  const parsed = typeof url === 'string' ? parseUrl(url) : null
  if (!parsed) return false
  const { protocol, hostname } = parsed
  return protocol === 'https:' || (protocol === 'http:' && LOOPBACK.test(hostname))
}

/** @throws {@link InvalidOptionError} for what can't be an issuer (RFC 8414 §2). */
export function assertIssuer(issuer: string): void {
  if (!isSafeUrl(issuer) || /[?#]/.test(issuer))
    throw new InvalidOptionError(
      'issuer',
      'must be an https URL without query, as the server writes it (http on this machine only)',
    )
}
