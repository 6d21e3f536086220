// After a mutation: the route that changed what the token says asks for a new one, so that nobody has to remember the call.

import { AUTOMATIC } from '../core/record.ts'
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

const SAFE = /^(get|head|options|trace)$/i

/** Starts one refresh after a response that says the edit is stored. Nobody waits for it. */
export function createAfter(
  rules: readonly RefreshAfter[],
  flights: Flights,
): (response: Response, request: RequestView) => void {
  const fits = (rule: RefreshAfter, { method, url }: RequestView): boolean => {
    if (rule.method ? rule.method.toUpperCase() !== method.toUpperCase() : SAFE.test(method)) return false
    const { pathname } = new URL(url)
    return rule.path.endsWith('*') ? pathname.startsWith(rule.path.slice(0, -1)) : pathname === rule.path
  }
  return (response, request) => {
    if (!response.ok) return
    const rule = rules.find((each) => fits(each, request))
    if (!rule) return
    const reload = rule.then === 'reload'
    const ask = { ...AUTOMATIC, forced: true, reload }
    void flights.request(ask, { reason: reload ? 'reload' : 'forced' }).catch(() => {}) // stale healing sees to it
  }
}
