// The server's own time, from the `Date` of its answers: what it says of an expiry is compared with that, never with this
// device's idea of now. Between origins, scripts may read the header only where `Access-Control-Expose-Headers` names it.

import { parseDate, type Receipt } from '../state/expiry.ts'
import type { Clock } from './ports.ts'

export interface ServerTime {
  /** Remembers the time that an answer tells, if it does. */
  note(response: Response): void
  /** The receipt of what these answers brought. */
  receipt(): Receipt
}

export function createServerTime({ now, mono }: Clock): ServerTime {
  let isByServer = false
  let date: number | null = null
  let notedAt = 0
  return {
    note({ headers }) {
      isByServer = true
      const said = parseDate(headers.get('date'))
      if (said === null) return
      date = said
      notedAt = mono()
    },
    receipt: () => ({ at: now(), serverTime: date === null ? null : date + mono() - notedAt, isByServer }),
  }
}
