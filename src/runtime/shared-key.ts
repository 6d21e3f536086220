// The key under which tabs share a session: of its record, its lock and its channel. What is stored belongs to one server: two
// apps on one origin, or two projects on http://localhost:3000, neither see nor overwrite each other's session.

import { parseUrl } from '../parse-url.ts'
import type { Backend } from '../seam/backend.ts'

type Identified = Pick<Backend, 'name' | 'origins' | 'identity'>

/**
 * Whether the tabs refresh one after the other, also where each has a record of its own: what a refresh spends, or brings, is one for
 * all of them. That is a cookie, or what a vendor's SDK keeps.
 */
export const takesTurns = ({ inMemory = false, cookies = false }: Pick<Backend, 'inMemory' | 'cookies'>): boolean =>
  inMemory || cookies

/** @param base What relative URLs are resolved against. @returns the same at each load; only a hash of the URLs is in it. */
export const sharedKey = (name: string, backend: Identified, base: string | undefined): string =>
  `resesh:${name}:${hash(identityOf(backend, base))}`

function identityOf({ name, origins = [], identity }: Identified, base: string | undefined): string {
  if (identity === undefined) return JSON.stringify([name, ...[...origins].sort()])
  if (typeof identity === 'string') return identity
  const { endpoint, others = [], clientId = '' } = identity
  const url = resolve(endpoint, base)
  // Of the others only the origins: a sign-out route that a release of the app adds must sign nobody out.
  const origin = originOf(url)
  const elsewhere = others.map((each) => (each === undefined ? origin : originOf(resolve(each, base))))
  return JSON.stringify([url, clientId, ...new Set([origin, ...elsewhere.sort()])])
}

function resolve(url: string, base: string | undefined): string {
  const resolved = parseUrl(url, base)
  if (!resolved) return url
  resolved.hash = ''
  return resolved.href
}

const originOf = (url: string): string => parseUrl(url)?.origin ?? ''

/** FNV-1a, 64 bits. Not by `crypto.subtle`: that would have to be waited for, and only secure pages have it. */
function hash(text: string): string {
  let bits = 0xcbf29ce484222325n
  for (const character of text) bits = BigInt.asUintN(64, (bits ^ BigInt(character.codePointAt(0)!)) * 0x100000001b3n)
  return bits.toString(36)
}
