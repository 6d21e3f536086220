// Angular over a session, as a signal: an entry of its own. For HttpClient see angular-http.ts.

import { DestroyRef, inject, type Signal, signal } from '@angular/core'
import type { Json } from '../state/credentials.ts'
import type { State } from '../state/view.ts'
import { isEqual, type Selector, type SessionSource, whole } from './selection/selection.ts'

/**
 * A signal of what is known of the session, or of what `selector` takes of it; selections that are plain objects or arrays are
 * compared by what is in them. Called in an injection context, and ends with it.
 *
 * @example
 * readonly name = sessionSignal(session, ({ user }) => user?.name)
 */
export function sessionSignal<U = Json, C = Json, T = State<U, C>>(
  session: SessionSource<U, C>,
  selector: Selector<U, C, T> = whole as Selector<U, C, T>,
): Signal<T> {
  const selected = signal(selector(session.current), { equal: isEqual })
  inject(DestroyRef).onDestroy(session.subscribe((state) => selected.set(selector(state))))
  return selected.asReadonly()
}
