// For those who come from another SDK: what it keeps in cookies that scripts can read, and in localStorage, as `Backend.predecessor`.

import { readCookie } from '../../runtime/cookies.ts'
import type { Predecessor } from '../../seam/backend.ts'
import type { ReadGlobal } from '../../seam/io.ts'
import type { Credentials } from '../../state/credentials.ts'

export interface Left {
  /** Names of cookies at the path `/`, of this host or of a domain above it. */
  cookies?: readonly string[]
  /** Keys of localStorage. */
  items?: readonly string[]
}

const EXPIRED = 'path=/; expires=Thu, 01 Jan 1970 00:00:00 GMT'

/** @param read What was found, by its names, as credentials. `null`: nothing of use. */
export function inherit<U>(
  { cookies = [], items = [] }: Left,
  read: (found: Readonly<Record<string, string>>) => Credentials<U> | null,
): Predecessor<U> {
  return {
    read(get) {
      const jar = get('document')?.cookie ?? ''
      const storage = storageOf(get)
      const pairs = [
        ...cookies.map((name) => [name, readCookie(jar, name)]),
        ...items.map((key) => [key, storage?.getItem(key)]),
      ]
      return read(Object.fromEntries(pairs.filter(([, value]) => value)) as Record<string, string>)
    },
    forget(get) {
      cookies.forEach((name) => removeCookie(get, name))
      items.forEach((key) => storageOf(get)?.removeItem(key))
    },
  }
}

/** A page may be forbidden its storage: then asking for it throws. */
function storageOf(get: ReadGlobal): Storage | undefined {
  try {
    return get('localStorage')
  } catch {
    return undefined
  }
}

function removeCookie(get: ReadGlobal, name: string): void {
  const page = get('document')
  const { hostname = '', protocol } = get('location') ?? {}
  if (!page) return
  // In a frame of another site, a cookie can only be written like this.
  const crossSite = protocol === 'https:' ? '; secure; samesite=none' : ''
  for (const domain of ['', ...domainsOf(hostname)])
    page.cookie = `${name}=; ${EXPIRED}${domain && `; domain=${domain}`}${crossSite}`
}

/** The host and the domains above it: which of them a script has chosen for its cookies, no browser tells. */
function domainsOf(hostname: string): string[] {
  const labels = hostname.split('.')
  return labels.slice(0, -1).map((_, first) => labels.slice(first).join('.'))
}
