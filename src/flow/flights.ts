// Refreshes that callers share. At most one is in flight and one of a kind waits behind it; whoever forces one never joins
// the one that runs, since that may have been answered before the edit was stored.

import { type Ask, isNewer, type Version } from '../core/record.ts'
import { isTransient, RefreshFailedError } from '../errors.ts'
import type { Wanted, World } from '../ports.ts'
import type { Attempt } from './refresh.ts'
import type { Store } from './store.ts'
import { sleep } from '../wait.ts'

/** `give-up`: too many automatic refreshes brought nothing lately, so none was made. */
export type Outcome = 'done' | 'give-up'

export interface Flights {
  /** Resolves when a refresh that satisfies `ask` is committed and published. @throws SessionError */
  request(ask: Ask, wanted: Wanted): Promise<Outcome>
}

interface Entry {
  wanted: Wanted
  version: Version
  /** The journal's number: only an attempt with a higher one started after the asking. */
  attempt: number
  reading: Promise<void> | null
  readonly outcome: Promise<Outcome>
  settle(outcome: Outcome | Promise<Outcome>): void
}

export function createFlights<U, C>(
  { clock, records }: World<U>,
  store: Store<U, C>,
  attempt: Attempt,
  timeout: number,
): Flights {
  const entries = new Map<number, Entry>()

  function open(id: number, wanted: Wanted): Entry {
    let settle!: Entry['settle']
    const outcome = new Promise<Outcome>((resolve) => (settle = resolve))
    outcome.catch(() => {}) // everybody may have left
    const entry: Entry = { wanted, version: store.tab.version, attempt: 0, reading: null, outcome, settle }
    entries.set(id, entry)
    return entry
  }

  function readJournal(entry: Entry): void {
    // One read for all who ask in the same breath: it begins after the last of them.
    entry.reading ??= Promise.resolve().then(async () => {
      entry.reading = null
      const stored = await records.read()
      entry.attempt = Math.max(entry.attempt, stored?.record.attempt ?? 0)
    })
  }

  async function fly(id: number, entry: Entry): Promise<Outcome> {
    while (entry.reading) await entry.reading
    const { ask } = store.tab.flights.find((flight) => flight.id === id)!
    const wanted: Wanted = ask.reload ? { ...entry.wanted, reason: 'reload' } : entry.wanted
    for (;;) {
      const { version, attempt: number } = entry
      const plan = await attempt({ ask, version, attempt: number, hasty: wanted.reason === 'healing' }, wanted)
      if (plan.do !== 'wait') return plan.do
      const ms = plan.until - clock.now()
      if (ms > timeout)
        throw new RefreshFailedError(`No refresh for another ${Math.ceil(ms / 1000)} s: the last one failed`)
      await sleep(clock, ms)
    }
  }

  async function run(id: number): Promise<void> {
    const entry = entries.get(id)!
    const flight = fly(id, entry)
    await flight.catch((error: unknown) => {
      const { ask } = store.tab.flights[0]!
      const due = !ask.forced && (entry.wanted.reason !== 'ahead' || store.isSpent())
      if (due && isTransient(error)) store.dispatch({ type: 'failing' })
    })
    entries.delete(id)
    for (const effect of store.dispatch({ type: 'settled' })) if (effect.type === 'start') void run(effect.flight.id)
    entry.settle(flight)
  }

  return {
    request(ask, wanted) {
      const effects = store.dispatch({ type: 'asked', ask })
      const flights = effects.filter((effect) => effect.type !== 'publish')
      const { id } = flights.at(-1)!.flight
      const entry = entries.get(id) ?? open(id, wanted)
      if (isNewer(store.tab.version, entry.version)) entry.version = store.tab.version
      if (ask.forced) {
        entry.wanted = wanted
        readJournal(entry)
      }
      if (flights.length > 1) void run(id)
      return entry.outcome
    },
  }
}
