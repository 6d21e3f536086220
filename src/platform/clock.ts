// Time and chance, read from the platform at call time, so that a fake clock installed later is obeyed.

import type { Clock } from '../ports.ts'
import type { Globals } from './globals.ts'

// What setTimeout can hold; one millisecond more fires at once.
const LONGEST_TIMER = 2 ** 31 - 1

export function createClock(get: Globals): Clock {
  // Looked up once: this is on the way of every request, and a page that stubs it later must not stop time.
  const performance = get('performance')
  const now = (): number => get('Date')!.now()
  const mono = (): number => performance?.now() ?? now()
  return {
    now,
    mono,
    random: () => get('Math')!.random(),
    after(ms, run) {
      let timer: ReturnType<typeof setTimeout> | undefined
      const due = mono() + ms
      const arm = (): void => {
        const left = due - mono()
        timer = left > LONGEST_TIMER ? get('setTimeout')!(arm, LONGEST_TIMER) : get('setTimeout')!(run, left)
      }
      arm()
      return () => get('clearTimeout')!(timer)
    },
  }
}
