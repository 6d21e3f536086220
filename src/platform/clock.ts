// Time and chance, read from the platform at call time, so that a fake clock installed later is obeyed.

import { LONGEST_TIMER } from '../core/expiry.ts'
import type { Clock, Undo } from '../ports.ts'
import type { Globals } from './globals.ts'

export function createClock(globals: Globals): Clock {
  const now = (): number => globals.get('Date')!.now()
  const mono = (): number => globals.get('performance')?.now() ?? now()
  const after = (ms: number, run: () => void): Undo => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const due = mono() + ms
    const arm = (): void => {
      const left = due - mono()
      timer = globals.get('setTimeout')?.(left > LONGEST_TIMER ? arm : run, Math.min(Math.max(left, 0), LONGEST_TIMER))
    }
    arm()
    return () => globals.get('clearTimeout')?.(timer)
  }
  return { now, mono, after, random: () => globals.get('Math')!.random() }
}
