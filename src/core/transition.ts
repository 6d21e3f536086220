// One tab's view of the session, and what it may conclude from what it hears. Pure. The order of versions lives in record.ts,
// which all tabs share.

import { type Ask, isNewer, isSameSession, type Version } from './record.ts'
import { changedIn, type State, stateOf } from './state.ts'

export interface Tab<U, C> {
  readonly version: Version
  readonly state: State<U, C>
}

export type Event<U, C> =
  /** The record holds this: a restore, a commit of our own, another tab's. */
  { type: 'known'; version: Version; state: State<U, C> } | { type: 'failing' } | { type: 'signed-out' }

/** The next view; the same one where there is no news. */
export function transition<U, C>(tab: Tab<U, C>, event: Event<U, C>): Tab<U, C> {
  const { version, state } = tab
  if (event.type === 'signed-out') {
    const over = stateOf(state, null, null, 'signed-out')
    return {
      // No refresh of whoever signed in elsewhere at the same moment is news to this tab, until its own sign-out is written.
      version: { generation: version.generation + 1, revision: Infinity },
      state: changedIn(over, state)[0] ? over : state,
    }
  }
  if (event.type === 'known')
    return state.status === 'loading' || isNewer(event.version, version)
      ? { version: event.version, state: changedIn(event.state, state)[0] ? event.state : state }
      : tab
  return state.status === 'authenticated' && !state.stale
    ? { version, state: Object.freeze({ ...state, stale: true, reason: 'stale' as const }) }
    : tab
}

/**
 * What an expired response means for a request that went out with `sentWith`:
 * `replay` at once, since newer credentials are held; `refresh` first; or `hand-back`, the server's own word to this request.
 */
export function judge(
  { version, state }: Tab<unknown, unknown>,
  sentWith: Version,
  wasRefreshed: boolean,
): 'replay' | 'refresh' | 'hand-back' {
  if (state.status !== 'authenticated' || !isSameSession(sentWith, version)) return 'hand-back'
  return isNewer(version, sentWith) ? 'replay' : wasRefreshed ? 'hand-back' : 'refresh'
}

/**
 * Which of the refreshes in line serves this asker too; -1: none. The first one runs. Who forces one never joins it, since it
 * may have been answered before the edit was stored; it leaves only when its own call has ended, whatever the news.
 */
export const joins = (line: readonly Ask[], { forced, alone }: Ask): number =>
  line.findIndex((ask, place) => ask.alone === alone && (!forced || place > 0))
