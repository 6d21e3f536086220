// Time and chance, read from the platform at call time, so that a fake clock which is installed later is obeyed.
//
// How much time has passed is asked of both clocks of the platform. `performance.now()` stands still while the machine sleeps
// (macOS, Linux, iOS, Android), and only the wall clock tells of it. The wall clock may be set, and only `performance.now()`
// tells how much time has really passed. So the clock that has moved further counts.

import type { Clock } from './ports.ts'
import type { Globals } from './globals.ts'

// What setTimeout can hold; one millisecond more fires at once.
const MAX_TIMER_MS = 2 ** 31 - 1
// The two clocks are cut to different units, and the wall clock is corrected all the time: that is no sleep. A wall clock that
// fell behind by more was set back, and a sleep is counted from there.
const MAX_WOBBLE_MS = 1_000

export function createClock(get: Globals): Clock {
  // Looked up once: this is on the way of every request, and a page that stubs it later must not stop time.
  const performance = get('performance')
  const now = (): number => get('Date')!.now()
  const awake = performance ? (): number => performance.now() : (): number => 0
  /** The wall time less the time awake: grows by each sleep, and by each setting of the wall clock. */
  let lead = now() - awake()
  let asleep = 0

  function mono(): number {
    const ms = awake()
    const leadNow = now() - ms
    if (leadNow > lead) asleep += leadNow - lead
    if (leadNow > lead || leadNow < lead - MAX_WOBBLE_MS) lead = leadNow
    return ms + asleep
  }

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
