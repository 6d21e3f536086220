// Options that nobody knows: a typo would be ignored in silence, and a secret would be published.

import { InvalidOptionError } from '../../errors.ts'
import { nearestTo } from '../../nearest.ts'

/** @throws {@link InvalidOptionError} naming the unknown option, and the option that was probably meant. */
export function assertKnown(what: string, options: object, known: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue
    if (/secret/i.test(name)) throw new InvalidOptionError(name, "can't be kept by a page: register a public client")
    const nearest = nearestTo(name, known)
    throw new InvalidOptionError(name, `is no option of ${what}${nearest ? `: did you mean ${nearest}?` : ''}`)
  }
}
