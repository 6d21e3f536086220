// Time that passes when a test says so, for a session and for the tabs of `testTabs`.

import type { Platform } from '../runtime/ports.ts'

export interface TestClock {
  /** The globals that a session reads the time from: hand them over as `platform`. */
  readonly platform: Platform
  /** Wall time, epoch ms. */
  now(): number
  /** Time passes, and every timer that is due runs at its time. Resolves once all that could go on has done so. */
  pass(ms: number): Promise<void>
  /** The machine sleeps: the wall clock moves on, timers stand still. */
  sleep(ms: number): void
}

// Taken before a test replaces them by fake timers.
const { setTimeout: realSetTimeout } = globalThis
// Turns of the event loop in which a session does what it can do without time passing.
const TURNS = 8

async function settle(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await new Promise((done) => realSetTimeout(done, 0))
}

/**
 * @param start Epoch ms. @default now
 * @example
 * const clock = testClock()
 * const session = createSession({ backend, platform: clock.platform })
 * await clock.pass(60_000)
 */
export function testClock(start: number = Date.now()): TestClock {
  let mono = 0
  let wall = start
  let lastId = 0
  const timers = new Map<number, { readonly due: number; run(): void }>()

  function moveTo(time: number): void {
    wall += Math.max(0, time - mono)
    mono = Math.max(mono, time)
  }

  function nextBefore(end: number): [id: number, timer: { due: number; run(): void }] | undefined {
    const due = [...timers].filter(([, timer]) => timer.due <= end)
    return due.sort(([, a], [, b]) => a.due - b.due)[0]
  }

  const now = (): number => wall
  const FakeDate: DateConstructor = Object.assign(class extends Date {}, { now }) as DateConstructor
  return {
    now,
    async pass(ms) {
      const end = mono + ms
      await settle()
      for (let next = nextBefore(end); next; next = nextBefore(end)) {
        const [id, { due, run }] = next
        timers.delete(id)
        moveTo(due)
        run()
        await settle()
      }
      moveTo(end)
      await settle()
    },
    sleep: (ms) => void (wall += ms),
    platform: {
      Date: FakeDate,
      performance: { now: () => mono } as Performance,
      setTimeout: ((run: () => void, ms = 0) => {
        timers.set(++lastId, { due: mono + Math.max(0, ms), run })
        return lastId
      }) as unknown as typeof setTimeout,
      clearTimeout: ((id: number) => void timers.delete(id)) as typeof clearTimeout,
    },
  }
}
