// User Timing entries: the performance panel of Chromium's DevTools draws a track of their own for them.
// See https://developer.chrome.com/docs/devtools/performance/extension

import type { Session } from '../face.ts'
import type { Undo } from '../seam/io.ts'
import type { HoldReason, Trace } from '../seam/trace.ts'
import { outcomeText, WAITS, withoutTokens } from './words.ts'

type Timer = Pick<Performance, 'now' | 'measure' | 'clearMeasures'>

// Entries stay until they are cleared.
const MAX_ENTRIES = 500

/** Refreshes, and requests that were held, as bars. */
function createTimings(performance: Timer): (trace: Trace) => void {
  const held = new Map<number, { name: string; start: number; why: HoldReason }>()
  const names: string[] = []
  let refreshStart = 0

  function measure(name: string, start: number, color: string, properties: readonly [string, string][]): void {
    const devtools = { dataType: 'track-entry', track: 'resesh', color, properties, tooltipText: name }
    performance.measure(name, { start, end: performance.now(), detail: { devtools } })
    names.push(name)
    if (names.length > MAX_ENTRIES) performance.clearMeasures(names.shift())
  }

  function endHold(id: number): void {
    const hold = held.get(id)
    held.delete(id)
    if (hold) measure(`${hold.name} held`, hold.start, 'tertiary-light', [['waits', WAITS[hold.why]]])
  }

  return (trace) => {
    switch (trace.type) {
      case 'hold':
        if (!held.has(trace.id))
          held.set(trace.id, { name: `${trace.method} ${trace.url}`, start: performance.now(), why: trace.why })
        return
      case 'send':
      case 'replay':
      case 'end':
        return endHold(trace.id)
      case 'refresh-start':
        refreshStart = performance.now()
        return
      case 'refresh-end': {
        const color = trace.outcome === 'renewed' || trace.outcome === 'adopted' ? 'primary' : 'error'
        return measure(`refresh ${trace.attempt}`, refreshStart, color, [
          ['outcome', withoutTokens(outcomeText(trace))],
        ])
      }
      default:
    }
  }
}

const running = new WeakMap<object, { users: number; stop: Undo }>()

/** Measures a session once, however many tools look on. */
export function measureSession(session: Pick<Session, 'on'>, performance: Timer | undefined): Undo {
  if (!performance?.measure) return () => {}
  const shared = running.get(session) ?? { users: 0, stop: session.on('trace', createTimings(performance)) }
  running.set(session, shared)
  shared.users++
  let isOn = true
  return () => {
    if (isOn && --shared.users === 0) {
      shared.stop()
      running.delete(session)
    }
    isOn = false
  }
}
