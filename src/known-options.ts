// Options that nobody knows: a typo would be ignored in silence.

import { InvalidOptionError } from './errors.ts'
import { nearestTo } from './nearest.ts'

/** All names of some options: the compiler sees that none is forgotten. */
export type Names<O> = { readonly [name in keyof Required<O>]: true }

interface Unknown {
  readonly name: string
  /** The option that was probably meant. */
  readonly nearest: string | undefined
}

/** Only plain objects are looked at, and only what has a value. */
function findUnknown(options: object | undefined, known: readonly string[]): Unknown | undefined {
  if (options?.constructor !== Object) return undefined
  const unknown = Object.entries(options).find(([name, value]) => value !== undefined && !known.includes(name))
  return unknown && { name: unknown[0], nearest: nearestTo(unknown[0], known) }
}

function refuse(what: string, { name, nearest }: Unknown, known: readonly string[], place: string): never {
  const cure = nearest ? `did you mean ${place}${nearest}?` : `there are ${known.join(', ')}`
  throw new InvalidOptionError(place + name, `is no option of ${what}: ${cure}`)
}

/**
 * @param place What stands before the names in the message, such as `signOut.`.
 * @throws {@link InvalidOptionError} naming the unknown option, and the option that was probably meant.
 */
export function assertKnown(what: string, options: object | undefined, names: object, place = ''): void {
  const known = Object.keys(names)
  const unknown = findUnknown(options, known)
  if (unknown) refuse(what, unknown, known, place)
}

/**
 * The same for methods that may be handed over as callbacks. Libraries call those with objects of their own, such as the context
 * of a query, with its `signal`: what has a known name, and none that looks like a typo, passes.
 */
export function assertMeant(what: string, options: object | undefined, names: object): void {
  const known = Object.keys(names)
  const unknown = findUnknown(options, known)
  if (unknown && (unknown.nearest || !known.some((name) => name in options!))) refuse(what, unknown, known, '')
}
