// What this tab holds: its view of the session, the credentials, and how long they live. News come in as what the record
// says; whatever is not newer changes nothing.

import type { Credentials } from '../core/credentials.ts'
import { leewayFor } from '../core/expiry.ts'
import { BLANK, isNewer } from '../core/record.ts'
import { LOADING, type State, stateOf } from '../core/state.ts'
import { type Effect, type Event, type Tab, transition } from '../core/transition.ts'
import type { Clock, Records, Stored } from '../ports.ts'
import type { Emitter, Events } from './events.ts'

export type Source = Events['change']['source']

export interface Store<U, C> {
  readonly tab: Tab<U, C>
  readonly state: State<U, C>
  readonly credentials: Credentials<U> | null
  /** Resolves once the first answer is known. */
  readonly ready: Promise<void>
  /** ms from receipt to the access token's death; null where unknown. */
  readonly life: number | null
  /** ms the access token has left; null where its life is unknown. Negative: dead. */
  remaining(): number | null
  /** Whether the access token dies within `validity` ms, at most nine tenths of its life. @default the leeway, at most a quarter */
  isSpent(validity?: number): boolean
  /** Whether the caller's own header holds a token of ours, also an old one. */
  isOurs(authorization: string): boolean
  dispatch(event: Event<U, C>, source?: Source): Effect<U, C>[]
  adopt(stored: Stored<U>, source: Source): void
  /** Takes over what the record holds. */
  sync(source: Source): Promise<void>
}

interface Parts<U, C> {
  clock: Clock
  records: Records<U>
  events: Emitter<U, C>
  leeway: number
  /** After each step that changed something: `isNews` when the version did. */
  moved(source: Source, isNews: boolean): void
}

// Old tokens may come back in a caller's own header for as long as its code remembers them.
const REMEMBERED = 8

export function createStore<U, C>({ clock, records, events, leeway, moved }: Parts<U, C>): Store<U, C> {
  let tab: Tab<U, C> = { version: BLANK.version, state: LOADING, flights: [], lastFlight: 0 }
  let credentials: Credentials<U> | null = null
  let life: number | null = null
  let diesAt = 0
  let tokens: string[] = []
  let known!: () => void
  const ready = new Promise<void>((resolve) => (known = resolve))

  const remaining = (): number | null => (life === null ? null : diesAt - clock.mono())

  function dispatch(event: Event<U, C>, source: Source = 'this-tab'): Effect<U, C>[] {
    const before = tab
    const [next, effects] = transition(tab, event)
    tab = next
    if (event.type === 'signed-out') credentials = life = null
    if (tab.state.status !== 'loading') known()
    for (const effect of effects) {
      if (effect.type !== 'publish') continue
      const { type: _type, ...change } = effect
      events.emit('change', { ...change, current: tab.state, source })
    }
    if (tab.state !== before.state || tab.version !== before.version) moved(source, tab.version !== before.version)
    return effects
  }

  function adopt({ record, credentials: stored }: Stored<U>, source: Source): void {
    if (tab.state.status !== 'loading' && !isNewer(record.version, tab.version)) return
    credentials = record.signedIn ? stored : null
    life = credentials && record.life
    // From here on only the monotonic clock counts; a wall clock that was set back must not lengthen a life.
    diesAt = clock.mono() + (life ?? 0) - Math.max(0, clock.now() - record.receivedAt)
    const token = credentials?.accessToken
    if (token) tokens = [token, ...tokens.filter((old) => old !== token)].slice(0, REMEMBERED)
    const expiresAt = life && record.receivedAt + life
    const state = stateOf(tab.state, credentials, expiresAt, record.reason)
    dispatch({ type: 'known', version: record.version, state }, source)
  }

  return {
    get tab() {
      return tab
    },
    get state() {
      return tab.state
    },
    get credentials() {
      return credentials
    },
    get life() {
      return life
    },
    ready,
    remaining,
    isSpent(validity) {
      if (life === null) return false
      return (
        diesAt - clock.mono() <= (validity === undefined ? leewayFor(life, leeway) : Math.min(validity, life * 0.9))
      )
    },
    isOurs: (authorization) => tokens.some((token) => authorization.endsWith(token)),
    dispatch,
    adopt,
    async sync(source) {
      const stored = await records.read()
      if (stored) adopt(stored, source)
    },
  }
}
