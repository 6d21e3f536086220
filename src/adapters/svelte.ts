// Svelte 5 over a session, for runes: an entry of its own. A session is a Svelte store as it is: `$session.user` needs no entry.

import { createSubscriber } from 'svelte/reactivity'
import type { Json } from '../state/credentials.ts'
import type { State } from '../state/view.ts'
import { createSelect, type Selector, type SessionSource, whole } from './selection/selection.ts'

/**
 * What is known of the session, or what `selector` takes of it, as `current`: reactive where it is read in an effect, a
 * `$derived` or a template. Selections that are plain objects or arrays are compared by what is in them.
 *
 * @example
 * const state = useSession(session)
 * const name = useSession(session, ({ user }) => user?.name) // name.current
 */
export function useSession<U = Json, C = Json, T = State<U, C>>(
  session: SessionSource<U, C>,
  selector: Selector<U, C, T> = whole as Selector<U, C, T>,
): { readonly current: T } {
  const select = createSelect(selector)
  const track = createSubscriber((update) => {
    let last = select(session.current)
    return session.subscribe((state) => {
      const next = select(state)
      if (!Object.is(last, next)) update()
      last = next
    })
  })

  return {
    get current() {
      track()
      return select(session.current)
    },
  }
}
