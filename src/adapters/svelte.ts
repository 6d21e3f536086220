// Svelte 5 over a session, for runes: an entry of its own. A session is a Svelte store as it is: `$session.user` needs no entry.

import { onMount } from 'svelte'
import { createSubscriber } from 'svelte/reactivity'
import type { Json } from '../state/credentials.ts'
import type { State } from '../state/view.ts'
import { createSelect, type Selector, type SessionSource, whole } from './selection/selection.ts'

// Svelte does not tell a component whether it hydrates. All components that hydrate are mounted before any other is created.
const hydrated = new WeakSet()

/**
 * What is known of the session, or what `selector` takes of it, as `current`: reactive where it is read in an effect, a
 * `$derived` or a template. Selections that are plain objects or arrays are compared by what is in them.
 *
 * @param serverState The state that the server rendered, as plain data: needed if the session may know more before the page
 *   hydrates. Components show it on the server, and while they hydrate. Pass it while the component is set up.
 *   @default components show the session from the start
 * @example
 * const state = useSession(session)
 * const name = useSession(session, ({ user }) => user?.name) // name.current
 */
export function useSession<U = Json, C = Json, T = State<U, C>>(
  session: SessionSource<U, C>,
  selector: Selector<U, C, T> = whole as Selector<U, C, T>,
  serverState?: State<U, C>,
): { readonly current: T } {
  const select = createSelect(selector)
  let first = hydrated.has(session) ? undefined : serverState
  let look = (): void => {}
  const selected = (): T => select(first ?? session.current)

  const track = createSubscriber((update) => {
    let last = selected()
    look = () => {
      const next = selected()
      if (!Object.is(last, next)) update()
      last = next
    }
    return session.subscribe(look)
  })
  if (first)
    onMount(() => {
      hydrated.add(session)
      first = undefined
      look()
    })

  return {
    get current() {
      track()
      return selected()
    },
  }
}
