// After a mutation: the route that changed what the token says asks for a new one, so that nobody has to remember the call.

import type { RequestView } from '../ports.ts'
import type { Flights } from './flights.ts'

export interface RefreshAfter {
  /** @default every method that is not safe (RFC 9110 §9.2.1) */
  method?: string
  /** The path of the URL: all of it, or the part before a `*` at its end. */
  path: string
  /** `reload` asks for the user too. */
  then: 'refresh' | 'reload'
}

/** Starts one refresh after a response that says the edit is stored. Nobody waits for it. */
export const createAfter =
  (rules: readonly RefreshAfter[], flights: Flights) =>
  ({ ok }: Response, { method, url }: RequestView): void => {
    const rule = rules.find(({ method: wanted, path, then: _then }) => {
      if (!ok || (wanted ? wanted.toUpperCase() !== method.toUpperCase() : /^(get|head|options|trace)$/i.test(method)))
        return false
      const { pathname } = new URL(url)
      return path.endsWith('*') ? pathname.startsWith(path.slice(0, -1)) : pathname === path
    })
    const reload = rule?.then === 'reload'
    if (rule) flights({ reason: reload ? 'reload' : 'forced' }, { forced: true, reload }).catch(() => {})
  }
