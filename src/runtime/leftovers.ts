// What other scripts keep in this browser: localStorage, and cookies that scripts can take away.

import type { Globals } from './globals.ts'
import type { Leftovers } from './ports.ts'

const EXPIRED = 'path=/; expires=Thu, 01 Jan 1970 00:00:00 GMT'

export function createLeftovers(get: Globals): Leftovers {
  /** A page may be forbidden its storage: then asking for it throws. */
  function inStorage<T>(work: (storage: Storage) => T): T | null {
    try {
      const storage = get('localStorage')
      return storage ? work(storage) : null
    } catch {
      return null
    }
  }

  return {
    item: (key) => inStorage((storage) => storage.getItem(key)),
    removeItem: (key) => void inStorage((storage) => storage.removeItem(key)),
    removeCookie(name) {
      const page = get('document')
      const { hostname = '', protocol } = get('location') ?? {}
      if (!page) return
      // In a frame of another site, a cookie can only be written like this.
      const crossSite = protocol === 'https:' ? '; secure; samesite=none' : ''
      for (const domain of ['', ...domainsOf(hostname)])
        page.cookie = `${name}=; ${EXPIRED}${domain && `; domain=${domain}`}${crossSite}`
    },
  }
}

/** The host and the domains above it: which of them a script has chosen for its cookies, no browser tells. */
function domainsOf(hostname: string): string[] {
  const labels = hostname.split('.')
  return labels.slice(0, -1).map((_, first) => labels.slice(first).join('.'))
}
