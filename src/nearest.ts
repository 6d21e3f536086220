// Names for error messages: which option the app probably meant, and which names an answer has. Pure.

import { InvalidOptionError } from './errors.ts'

/** How many letters two names share at their beginning and their end: a typo is in between. */
function countShared(a: string, b: string): number {
  const most = Math.min(a.length, b.length)
  let start = 0
  while (start < most && a[start] === b[start]) start++
  let end = 0
  while (end < most - start && a.at(-1 - end) === b.at(-1 - end)) end++
  return start + end
}

/** The last part of a path, in lower case: `token` for `data.Token`. */
const lastOf = (path: string): string => path.slice(path.lastIndexOf('.') + 1).toLowerCase()

/** The known name whose last part is most like that of `name`; `undefined` if no known name shares more than half of its letters. */
export function nearestTo(name: string, known: readonly string[]): string | undefined {
  function likeness(each: string): number {
    const [a, b] = [lastOf(name), lastOf(each)]
    return countShared(a, b) / Math.max(a.length, b.length)
  }
  const nearest = [...known].sort((a, b) => likeness(b) - likeness(a))[0]
  return nearest && likeness(nearest) > 0.5 ? nearest : undefined
}

// A key that is not a plain name may be a value, such as a user's address or a token: messages leave it out.
const NAME = /^[a-z_$][\w$-]{0,29}$/i
const MAX_NAMES = 20

/** The names in an answer, down to two levels below, as paths: `data.user.name`. Never a value. */
function pathsIn(said: object, levels = 2): string[] {
  const named = Object.entries(said).filter(([name]) => NAME.test(name))
  const paths = named.flatMap(([name, value]: [string, unknown]) => {
    const below = levels > 0 && typeof value === 'object' ? pathsIn(value ?? {}, levels - 1) : []
    return below.length > 0 ? below.map((path) => `${name}.${path}`) : name
  })
  return paths.slice(0, MAX_NAMES)
}

/** The path at which an answer probably has what was looked for under `name`. */
export function guessOf(name: string, said: object): string | undefined {
  const paths = pathsIn(said)
  return nearestTo(name, paths) ?? paths.find((path) => /^(?!.*refresh).*(jwt|token)$/i.test(path))
}

/** Says that an answer has no `name`, and which names it has: the beginning of a sentence. */
export function lacks(name: string, said: object): string {
  const guess = guessOf(name, said)
  const found = pathsIn(said).join(', ') || 'nothing'
  return `the answer has no "${name}" (it has ${found}${guess ? `; is it "${guess}"?` : ''})`
}

/** All names of some options: the compiler sees that none is forgotten, and `Object.keys` lists them. */
export type Names<O> = { readonly [name in keyof Required<O>]: true }

/**
 * A typo would be ignored in silence. Only plain objects are looked at: `button.onclick = session.signOut` hands over an event.
 * @param place What stands before the names in the message, such as `signOut.`.
 * @throws {@link InvalidOptionError} naming the unknown option, and the option that was probably meant.
 */
export function assertKnown(what: string, options: object | undefined, known: readonly string[], place = ''): void {
  if (options?.constructor !== Object) return
  const unknown = Object.keys(options).find((name) => !known.includes(name))
  if (unknown === undefined) return
  const nearest = nearestTo(unknown, known)
  const cure = nearest ? `did you mean ${place}${nearest}?` : `there are ${known.join(', ') || 'none'}`
  throw new InvalidOptionError(place + unknown, `is no option of ${what}: ${cure}`)
}
