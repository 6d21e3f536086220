// A server that is down fails in the same way again and again. Such a failure is told once; then other failures, and that the server
// works again.

import { counted, duration } from './words.ts'

export interface Outage {
  /** Whether anything has failed since it last worked. */
  readonly isOn: boolean
  /** Notes a failure. Returns whether to tell it: true for a failure that was not told in this outage. */
  fail(message: string, at: number): boolean
  /** Notes that it works. Returns how many tries had failed, and for how long, as text; `null` if none had failed. */
  end(at: number): string | null
}

/** The message without its times, which differ each time though the failure is the same. */
const withoutTimes = (message: string): string => message.replace(/\d+(?= (?:ms|s|min)\b)/g, '')

export function createOutage(): Outage {
  const told = new Set<string>()
  let tries = 0
  let since = 0

  return {
    get isOn() {
      return tries > 0
    },
    fail(message, at) {
      if (tries === 0) since = at
      tries++
      const key = withoutTimes(message)
      const isNews = !told.has(key)
      told.add(key)
      return isNews
    },
    end(at) {
      const text = tries === 0 ? null : `after ${counted(tries, 'failed try')} in ${duration(at - since)}`
      tries = 0
      told.clear()
      return text
    },
  }
}
