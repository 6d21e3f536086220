// After a mutation: the route that changed what the token says asks for a new one, so that nobody has to remember the call.

import { isTransient } from '../errors.ts'
import type { Outgoing } from '../outgoing.ts'
import { orAborted } from '../wait.ts'
import type { Origins } from './origins.ts'
import type { Flights } from './flights.ts'
import type { Parts } from './parts.ts'

export interface RefreshAfter {
  /** @default every method that is not safe (RFC 9110 §9.2.1) */
  method?: string
  /** The path of the URL: all of it, or the part before a `*` at its end. */
  path: string
  /** `reload` asks for the user too. Left out: what the response says in its header `refresh-session`. */
  then?: 'refresh' | 'reload'
  /** Whether the response is handed over only once the change is published, or can't be for now. @default false */
  wait?: boolean
}

/** Looks at each response that was not expired. Answers what its caller has to wait for. */
export type After = (response: Response, request: Outgoing) => Promise<unknown> | undefined

/**
 * Starts a refresh after a response that says the edit is stored: by a rule, or by the server's own header
 * `refresh-session: refresh` or `reload`. Edits that come while it runs share the next one.
 */
export const createAfter =
  <U, C>(
    rules: readonly RefreshAfter[],
    origins: Origins,
    { flights, store, events }: Pick<Parts<U, C>, 'store' | 'events'> & { flights: Flights },
  ): After =>
  ({ ok, headers, url: from }, { method, url, signal }) => {
    const rule = rules.find(
      ({ method: wanted, path }) =>
        ok &&
        (wanted ? wanted.toUpperCase() === method.toUpperCase() : !/^(get|head|options|trace)$/i.test(method)) &&
        isAt(new URL(url).pathname, path),
    )
    const said = headers.get('refresh-session')
    // A redirect may have led to anybody.
    const asks = [rule?.then, said && (!from || origins(from)) && said]
    const reload = asks.includes('reload')
    if (!reload && !asks.includes('refresh')) return undefined
    const done = flights({ reason: reload ? 'reload' : 'forced' }, { forced: true, reload }).catch((error) => {
      // No call can be told. What could not be found out is stale from here on, and heals.
      if (isTransient(error)) store.dispatch({ type: 'failing' })
      else events.emit('error', { error })
    })
    return rule?.wait ? orAborted(done, signal) : undefined
  }

const isAt = (pathname: string, path: string): boolean =>
  path.endsWith('*') ? pathname.startsWith(path.slice(0, -1)) : pathname === path
