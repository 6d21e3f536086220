// Virtual time: a heap of what is to happen. A step takes the next, moves the time there, runs it, and lets every promise go
// on that can. Nothing else moves: two runs of one seed are one run.

import type { Dice } from './dice.ts'

/** Whose turn it is. What belongs to a frozen one waits, what belongs to a dead one never happens. */
export interface Owner {
  life: 'running' | 'frozen' | 'dead'
  parked: Happening[]
}

export interface Happening {
  time: number
  readonly tie: number
  readonly owner: Owner | null
  readonly run: () => void
  isOff: boolean
}

export interface Clock {
  /** True time, ms since the start. */
  readonly time: number
  readonly steps: number
  /** Answers what takes it back. */
  at(delay: number, owner: Owner | null, run: () => void): () => void
  /** Takes up what waited while its owner was frozen, in its order. */
  unpark(owner: Owner): void
  /** All that happens up to that time. Stops early when `isEnough`. */
  until(time: number, isEnough: () => boolean): Promise<void>
}

export function createClock(dice: Dice): Clock {
  const heap: Happening[] = []
  let time = 0
  let steps = 0

  const isBefore = (a: Happening, b: Happening): boolean => a.time < b.time || (a.time === b.time && a.tie < b.tie)

  function push(happening: Happening): void {
    let place = heap.push(happening) - 1
    while (place > 0) {
      const parent = (place - 1) >> 1
      if (!isBefore(happening, heap[parent]!)) break
      heap[place] = heap[parent]!
      place = parent
    }
    heap[place] = happening
  }

  function pop(): Happening {
    const first = heap[0]!
    const last = heap.pop()!
    let place = 0
    while (heap.length) {
      let child = 2 * place + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
      if (!isBefore(heap[child]!, last)) break
      heap[place] = heap[child]!
      place = child
    }
    if (heap.length) heap[place] = last
    return first
  }

  // All that can go on without time passing does so.
  const drained = (): Promise<void> => new Promise((done) => setImmediate(done))

  return {
    get time() {
      return time
    },
    get steps() {
      return steps
    },
    at(delay, owner, run) {
      const happening = { time: time + Math.max(0, delay), tie: dice(), owner, run, isOff: false }
      push(happening)
      return () => (happening.isOff = true)
    },
    unpark(owner) {
      let later = 0
      for (const happening of owner.parked.splice(0)) {
        happening.time = time + (later += 0.01)
        push(happening)
      }
    },
    async until(end, isEnough) {
      await drained()
      while (heap[0] && heap[0].time <= end && !isEnough()) {
        const happening = pop()
        const { owner, run } = happening
        if (happening.isOff || owner?.life === 'dead') continue
        time = Math.max(time, happening.time)
        if (owner?.life === 'frozen') {
          owner.parked.push(happening)
          continue
        }
        steps++
        run()
        await drained()
      }
      if (!isEnough()) time = Math.max(time, end)
    },
  }
}
