// Options that a page must not have: a secret would be published.

import { InvalidOptionError } from '../../errors.ts'
import { assertKnown } from '../../known-options.ts'

/** @throws {@link InvalidOptionError} naming a secret, or an unknown option and the option that was probably meant. */
export function assertPublic(what: string, options: object, known: object): void {
  const secret = Object.keys(options).find((name) => /secret/i.test(name))
  if (secret) throw new InvalidOptionError(secret, "can't be kept secret in a page: register a public client")
  assertKnown(what, options, known)
}
