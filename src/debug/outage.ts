// A server that is away fails in the same way again and again. It is told once, then what changes, and that it works again.

import { counted, duration } from './words.ts'

export interface Outage {
  /** Whether anything has failed since it last worked. */
  readonly isOn: boolean
  /** Something has failed. Answers whether that is to be told: it is another failure than those before. */
  fail(message: string, at: number): boolean
  /** It works. Answers after what; `null`: nothing had failed. */
  end(at: number): string | null
}

/** What differs from one failure to the next, though it is the same. */
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
