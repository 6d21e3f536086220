// Solid over a session: an entry of its own.

import { type Accessor, createMemo, createSignal, onCleanup, onMount, sharedConfig } from 'solid-js'
import type { Json } from '../state/credentials.ts'
import { LOADING, type State } from '../state/view.ts'
import { isEqual, type Selector, type SessionSource, whole } from './selection/selection.ts'

/**
 * A signal of what is known of the session, or of what `selector` takes of it; selections that are plain objects or arrays are
 * compared by what is in them. It ends with its owner.
 *
 * @param serverState What the server has rendered with, as plain data: components begin with it on the server, and while they
 *   hydrate. @default a state that is `loading`
 * @example
 * const current = useSession(session)
 * const name = useSession(session, ({ user }) => user?.name)
 */
export function useSession<U = Json, C = Json, T = State<U, C>>(
  session: SessionSource<U, C>,
  selector: Selector<U, C, T> = whole as Selector<U, C, T>,
  serverState: State<U, C> = LOADING,
): Accessor<T> {
  // Set on the server, and while a page hydrates.
  const first = sharedConfig.context ? serverState : session.current
  const [state, setState] = createSignal<State<U, C>>(first)
  onMount(() => onCleanup(session.subscribe((current) => setState(() => current))))
  return createMemo(() => selector(state()), undefined, { equals: isEqual })
}
