// The server's own time, from the `Date` of its answers: what it says of an expiry is compared with that, never with this
// device's idea of now. Between origins, scripts may read the header only where `Access-Control-Expose-Headers` names it.

import { parseDate, type Receipt } from '../state/expiry.ts'
import { standInFor } from './globals.ts'
import type { Runtime } from './ports.ts'

export interface TimedTransport {
  /** The transport; remembers the time that an answer tells, if it does. */
  readonly fetch: typeof fetch
  /** The receipt of what these answers brought. */
  receipt(): Receipt
}

export function createTimedTransport<U>(runtime: Runtime<U>): TimedTransport {
  const { now, mono } = runtime.clock
  let isByServer = false
  /** The server's time less the monotonic time of this page. */
  let ahead: number | null = null

  async function fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    const response = await runtime.fetch(input, init)
    isByServer = true
    const date = parseDate(response.headers.get('date'))
    if (date !== null) ahead = date - mono()
    return response
  }

  return {
    fetch: standInFor(runtime.fetch, fetch),
    receipt: () => ({ at: now(), serverTime: ahead === null ? null : ahead + mono(), isByServer }),
  }
}
