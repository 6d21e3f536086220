// What this tab holds: its view of the session, the credentials, and how long they live. News come in as what the record
// says; whatever is not newer changes nothing.

import type { Credentials } from '../core/credentials.ts'
import { leewayFor } from '../core/expiry.ts'
import { BLANK, isNewer, isSameSession } from '../core/record.ts'
import { changedIn, LOADING, type State, stateOf } from '../core/state.ts'
import { type Event, type Tab, transition } from '../core/transition.ts'
import { RefreshFailedError } from '../errors.ts'
import type { Stored, World } from '../ports.ts'
import type { Emitter, Events } from './events.ts'

export type Source = Events['change']['source']

export interface Store<U, C> {
  readonly tab: Tab<U, C>
  readonly state: State<U, C>
  readonly credentials: Credentials<U> | null
  /** Resolves once the first answer is known. */
  readonly ready: Promise<void>
  /** Set while the page comes back from a sleep: what is held may be of before, until the record was read again. */
  readonly waking: Promise<void> | null
  /** The page goes to sleep. */
  doze(): void
  /** Nothing is served until this is done: it is not written down yet whose session this is. Its failure is that of who waits. */
  begin(work: Promise<unknown>): void
  /** Reads the record again, and takes over what is newer. */
  sync(): Promise<void>
  /** ms from receipt to the access token's death; null where unknown. */
  readonly life: number | null
  /** When the credentials were received, in monotonic ms: by whatever tab. */
  readonly bornAt: number
  /** ms the access token has left, NaN where its life is unknown. */
  remaining(): number
  /** Whether the access token dies within `validity` ms, at most nine tenths of its life. @default the leeway, at most a quarter */
  isSpent(validity?: number): boolean
  /** Whether the caller's own header holds a token of ours, also an old one. */
  isOurs(authorization: string): boolean
  dispatch(event: Event<U, C>, source?: Source): void
  adopt(stored: Stored<U> | null, source: Source): void
}

// Old tokens may come back in a caller's own header for as long as its code remembers them.
const REMEMBERED = 8

/** @param moved After each step that changed something, before anybody is told. */
export function createStore<U, C>(
  { now, mono, read, life: alive }: World<U>,
  { emit }: Emitter<U, C>,
  leeway: number,
  moved: (source: Source, isNews: boolean) => void,
): Store<U, C> {
  let tab: Tab<U, C> = { version: BLANK.version, state: LOADING }
  let credentials: Credentials<U> | null = null
  let life: number | null = null
  let bornAt = 0
  let tokens: string[] = []
  let waking: Promise<void> | null = null
  let beginning: Promise<void> | null = null
  let isAwake: () => void = () => {}
  let neverAgain: (error: Error) => void = () => {}
  let syncing: Promise<void> | null = null
  let isHinted = false
  let known!: () => void
  let neverKnown!: (error: Error) => void
  const ready = new Promise<void>((resolve, reject) => {
    known = resolve
    neverKnown = reject
  })
  ready.catch(() => {})

  function dispatch(event: Event<U, C>, source: Source = 'this-tab'): void {
    const { version, state: previous } = tab
    tab = transition(tab, event)
    if (event.type === 'signed-out') credentials = life = null
    if (tab.state.status !== 'loading') known()
    const changed = changedIn(tab.state, previous)
    if (changed[0] || version !== tab.version) moved(source, version !== tab.version)
    if (changed[0]) emit('change', { current: tab.state, previous, reason: tab.state.reason!, source, changed })
  }

  function adopt(stored: Stored<U> | null, source: Source): void {
    if (!stored) return
    const { version, signedIn, receivedAt, reason } = stored.record
    if (tab.state.status !== 'loading' && !isNewer(version, tab.version)) return
    credentials = signedIn ? stored.credentials : null
    life = credentials && stored.record.life
    // From here on only the monotonic clock counts; a wall clock that was set back must not lengthen a life.
    bornAt = mono() - Math.max(0, now() - receivedAt)
    const token = credentials?.accessToken
    // Of a session before this one, it may be somebody else's.
    const old = isSameSession(tab.version, version) ? tokens : []
    tokens = token ? [token, ...old].slice(0, REMEMBERED) : old
    const state = stateOf(tab.state, credentials, life && receivedAt + life, reason)
    dispatch({ type: 'known', version, state }, source)
  }

  // However many hints come, one read at a time, and one that begins after the last of them.
  async function readAgain(): Promise<void> {
    while (isHinted) {
      isHinted = false
      adopt(await read().catch(() => null), 'other-tab')
    }
    syncing = waking = null
    isAwake()
  }

  alive.addEventListener('abort', () => {
    const error = new RefreshFailedError('The session was disposed of')
    neverAgain(error)
    neverKnown(error)
  })

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
    get bornAt() {
      return bornAt
    },
    remaining: () => (life === null ? NaN : bornAt + life - mono()),
    isSpent: (validity) =>
      life !== null &&
      bornAt + life - mono() <= (validity === undefined ? leewayFor(life, leeway) : Math.min(validity, life * 0.9)),
    isOurs: (authorization) => tokens.some((token) => authorization.endsWith(token)),
    dispatch,
    adopt,
    get waking() {
      return beginning ?? waking
    },
    begin(work) {
      beginning = work.then(() => {}).finally(() => (beginning = null))
      beginning.catch(() => {})
    },
    doze() {
      waking ??= new Promise((resolve, reject) => {
        isAwake = resolve
        neverAgain = reject
      })
      waking.catch(() => {})
    },
    sync() {
      isHinted = true
      return (syncing ??= readAgain())
    },
  }
}
