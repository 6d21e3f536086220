// One tab's view of the session: which credentials it holds, which refreshes it has under way, and what an expired response
// means. Pure: what happened comes in as an Event, what is to be done goes out as Effects. The order of versions lives in
// record.ts, which all tabs share; this is what a single tab may conclude from it.

import { type Ask, isNewer, type Version } from './record.ts'
import { changedIn, type Reason, type State, stateOf } from './state.ts'

/** A refresh that callers share. At most one runs; the others stand in line behind it. */
export interface Flight {
  readonly id: number
  readonly ask: Ask
}

export interface Tab<U, C> {
  readonly version: Version
  readonly state: State<U, C>
  /** The first one runs. It leaves only when its own call has ended, whatever the news from elsewhere. */
  readonly flights: readonly Flight[]
  readonly lastFlight: number
}

export type Event<U, C> =
  /** The record holds this: a restore, a commit of our own, another tab's. */
  | { type: 'known'; version: Version; state: State<U, C> }
  | { type: 'asked'; ask: Ask }
  | { type: 'settled' }
  | { type: 'failing' }
  | { type: 'signed-out' }

export type Effect<U, C> =
  | { type: 'publish'; previous: State<U, C>; reason: Reason; changed: (keyof State<U, C>)[] }
  | { type: 'start' | 'wait'; flight: Flight }

type Step<U, C> = [Tab<U, C>, Effect<U, C>[]]

export function transition<U, C>(tab: Tab<U, C>, event: Event<U, C>): Step<U, C> {
  switch (event.type) {
    case 'known':
      return tab.state.status === 'loading' || isNewer(event.version, tab.version)
        ? publish({ ...tab, version: event.version }, event.state)
        : [tab, []]
    case 'failing':
      return tab.state.status === 'authenticated' && !tab.state.stale
        ? publish(tab, { ...tab.state, stale: true, reason: 'stale' })
        : [tab, []]
    case 'signed-out':
      return publish(
        { ...tab, version: { generation: tab.version.generation + 1, revision: 0 } },
        stateOf<U, C>(tab.state, null, null, 'signed-out'),
      )
    case 'asked':
      return asked(tab, event.ask)
    case 'settled': {
      const flights = tab.flights.slice(1)
      return [{ ...tab, flights }, flights[0] ? [{ type: 'start', flight: flights[0] }] : []]
    }
  }
}

function publish<U, C>(tab: Tab<U, C>, state: State<U, C>): Step<U, C> {
  const previous = tab.state
  const changed = changedIn(state, previous)
  // The same news once more, such as a grace replay: a new reason alone tells nobody anything.
  if (changed.every((key) => key === 'reason')) return [{ ...tab, state: previous }, []]
  return [{ ...tab, state }, [{ type: 'publish', previous, reason: state.reason!, changed }]]
}

function asked<U, C>(tab: Tab<U, C>, ask: Ask): Step<U, C> {
  const { flights } = tab
  const fits = (flight: Flight, place: number): boolean => flight.ask.alone === ask.alone && (!ask.forced || place > 0)
  const place = flights.findIndex(fits)
  if (place >= 0) {
    const old = flights[place]!
    const flight = place === 0 ? old : { ...old, ask: both(old.ask, ask) }
    return [{ ...tab, flights: flights.map((other) => (other === old ? flight : other)) }, [{ type: 'wait', flight }]]
  }
  const flight = { id: tab.lastFlight + 1, ask }
  const next = { ...tab, lastFlight: flight.id, flights: [...flights, flight] }
  return [next, [...(flights.length ? [] : [{ type: 'start' as const, flight }]), { type: 'wait', flight }]]
}

const both = (a: Ask, b: Ask): Ask => ({ ...a, forced: a.forced || b.forced, reload: a.reload || b.reload })

/**
 * What an expired response means for a request that went out with `sentWith`:
 * `replay` at once, since newer credentials are held; `refresh` first; or `hand-back`, the server's own word to this request.
 */
export function judge(
  tab: Tab<unknown, unknown>,
  sentWith: Version,
  refreshed: boolean,
): 'replay' | 'refresh' | 'hand-back' {
  // Generation 0: sent before it was known which one this is.
  if (tab.state.status !== 'authenticated' || (sentWith.generation && sentWith.generation !== tab.version.generation))
    return 'hand-back'
  if (isNewer(tab.version, sentWith)) return 'replay'
  return refreshed ? 'hand-back' : 'refresh'
}
