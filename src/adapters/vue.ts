// Vue 3 over a session: an entry of its own.

import { getCurrentInstance, inject, onMounted, onScopeDispose, type ShallowRef, shallowRef, ssrContextKey } from 'vue'
import type { Json } from '../state/credentials.ts'
import { LOADING, type State } from '../state/view.ts'
import { createSelect, type Selector, type SessionSource, whole } from './selection/selection.ts'

/**
 * A ref of what is known of the session, or of what `selector` takes of it; selections that are plain objects or arrays are
 * compared by what is in them. It ends with the component, or with the effect scope, that it is called in.
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
): Readonly<ShallowRef<T>> {
  const instance = getCurrentInstance()
  // A component that hydrates has its element before it is set up.
  const isFromServer = instance && (instance.vnode.el || inject(ssrContextKey, null))
  const select = createSelect(selector)
  const selected = shallowRef(select(isFromServer ? serverState : session.current))
  let unsubscribe: (() => void) | undefined

  const subscribe = (): void => {
    unsubscribe = session.subscribe((state) => (selected.value = select(state)))
  }
  if (instance) onMounted(subscribe)
  else subscribe()
  onScopeDispose(() => unsubscribe?.(), true)
  return selected
}
