// Refreshes that callers share. One is in flight, others stand in line behind it; whoever forces one never joins the one that
// runs, since that may have been answered before the edit was stored.

import { type Ask, isNewer, type Version } from '../core/record.ts'
import { joins } from '../core/transition.ts'
import { isTransient, RefreshFailedError } from '../errors.ts'
import type { Wanted, World } from '../ports.ts'
import type { Attempt } from './refresh.ts'
import type { Store } from './store.ts'

/** `give-up`: too many automatic refreshes brought nothing lately, so none was made. */
export type Outcome = 'done' | 'give-up'

/** Resolves when a refresh that satisfies `ask` is committed and published. @throws SessionError */
export type Flights = (wanted: Wanted, ask?: Partial<Ask>) => Promise<Outcome>

interface Flight {
  forced: boolean
  reload: boolean
  alone: string | undefined
  wanted: Wanted
  version: Version
  /** The journal's number: only an attempt with a higher one started after the asking. */
  attempt: number
  reading: Promise<void>
  isReadDue: boolean
  outcome: Promise<Outcome>
  settle(outcome: Promise<Outcome>): void
}

export function createFlights<U, C>({ read, update, life }: World<U>, store: Store<U, C>, attempt: Attempt): Flights {
  const line: Flight[] = []

  function open(wanted: Wanted, ask: Ask): Flight {
    const flight = {
      ...ask,
      wanted,
      version: store.tab.version,
      attempt: 0,
      reading: Promise.resolve(),
      isReadDue: false,
    } as Flight
    flight.outcome = new Promise((resolve) => (flight.settle = resolve))
    flight.outcome.catch(() => {}) // everybody may have left
    line.push(flight)
    return flight
  }

  async function fly(flight: Flight): Promise<Outcome> {
    await Promise.resolve() // whoever asks in the same breath is on board
    await flight.reading
    if (life.aborted) throw new RefreshFailedError('The session was disposed of')
    return attempt(flight, flight.wanted)
  }

  async function run(flight: Flight): Promise<void> {
    const outcome = fly(flight)
    await outcome.catch((error: unknown) => {
      // Not those of a version that has come since.
      const isDue = !flight.forced && (flight.wanted.reason !== 'ahead' || store.isSpent())
      if (isDue && isTransient(error) && !isNewer(store.tab.version, flight.version))
        store.dispatch({ type: 'failing' })
    })
    line.shift()
    if (line[0]) void run(line[0])
    flight.settle(outcome)
  }

  return (wanted, { forced = false, reload = false, alone } = {}) => {
    const ask = { forced, reload, alone }
    const place = joins(line, ask)
    const flight = line[place] ?? open(wanted, ask)
    if (place > 0) {
      flight.forced ||= forced
      flight.reload ||= reload
    }
    if (isNewer(store.tab.version, flight.version)) flight.version = store.tab.version
    if (forced) {
      flight.wanted = wanted
      // One read for all who ask in the same breath: it begins after the last of them.
      if (!flight.isReadDue) {
        flight.reading = flight.reading.then(() => readJournal(flight))
        flight.reading.catch(() => {}) // told to whoever is on board, once it flies
      }
      flight.isReadDue = true
    }
    if (place < 0 && line.length === 1) void run(flight)
    return flight.outcome
  }

  async function readJournal(flight: Flight): Promise<void> {
    flight.isReadDue = false
    // Whoever comes first, in whatever tab, asks for the user too.
    const asked = flight.reload
      ? await update((old) => (old ? { ...old, reloadFrom: old.attempt + 1 } : undefined))
      : (await read())?.record
    flight.attempt = asked?.attempt ?? Infinity // cleared away: what is under way is unknown, and won't do
  }
}
