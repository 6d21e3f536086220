// Time and chance, read from the platform at call time, so that a fake clock which is installed later is obeyed.

import type { Clock } from './ports.ts'
import type { Globals } from './globals.ts'

// What setTimeout can hold; one millisecond more fires at once.
const MAX_TIMER_MS = 2 ** 31 - 1

export function createClock(get: Globals): Clock {
  // Looked up once: this is on the way of every request, and a page that stubs it later must not stop time.
  const performance = get('performance')
  const now = (): number => get('Date')!.now()
  const mono = performance ? (): number => performance.now() : now
  return {
    now,
    mono,
    random: () => get('Math')!.random(),
    after(ms, run) {
      let timer: ReturnType<typeof setTimeout> | undefined
      const due = mono() + ms
      function arm(): void {
        const left = due - mono()
        timer = left > MAX_TIMER_MS ? get('setTimeout')!(arm, MAX_TIMER_MS) : get('setTimeout')!(run, left)
      }
      arm()
      return () => get('clearTimeout')!(timer)
    },
  }
}
