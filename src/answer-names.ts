// Which names an answer has, for messages: never a value. Pure.

import { nearestTo } from './nearest.ts'

const MAX_NAMES = 20
// A key that is not a plain name may be a value, such as a user's address or a token: messages leave it out.
const NAME = /^[a-z_$][\w$-]{0,29}$/i
// Deeper down a key may be anybody's name or id, as in a list of users. Only names of these words are shown there.
const WORDS =
  /^(access|api|at|auth|authentication|bearer|body|credentials?|data|date|exp|expires|expiry|id|in|jwt|name|payload|refresh|response|results?|sessions?|time|tokens?|type|users?)$/i
// Tokens that are no access token. To suggest one of them would have it sent with each request.
const OTHER_TOKEN = /refresh|csrf|xsrf|mfa|otp|factor|id_?token|reset|verif/i

const isPlain = (name: string): boolean => name.split(/[_-]|(?=[A-Z])/).every((word) => WORDS.test(word))

/** The names in an answer, down to two levels below, as paths: `data.user.name`. Never a value. */
function pathsIn(said: object, isShown = (name: string): boolean => NAME.test(name), levels = 2): string[] {
  const named = Object.entries(said).filter(([name]) => isShown(name))
  const paths = named.flatMap(([name, value]: [string, unknown]) => {
    const below = levels > 0 && typeof value === 'object' ? pathsIn(value ?? {}, isPlain, levels - 1) : []
    return below.length > 0 ? below.map((path) => `${name}.${path}`) : name
  })
  return paths.slice(0, MAX_NAMES)
}

/** The path at which an answer probably has what was looked for under `name`. */
export function guessOf(name: string, said: object): string | undefined {
  const isRefresh = /refresh/i.test(name)
  const paths = pathsIn(said).filter((path) => path !== name && (isRefresh || !OTHER_TOKEN.test(path)))
  return nearestTo(name, paths) ?? (isRefresh ? undefined : paths.find((path) => /(jwt|token)$/i.test(path)))
}

/** Says that an answer has no `name`, and which names it has: the beginning of a sentence. */
export function lacks(name: string, said: object): string {
  const guess = guessOf(name, said)
  const found = pathsIn(said).join(', ') || 'nothing'
  const what =
    name in said ? `the answer has an empty "${name}", or one that is no text` : `the answer has no "${name}"`
  return `${what} (it has ${found}${guess ? `; is it "${guess}"?` : ''})`
}
