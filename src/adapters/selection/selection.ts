// What a component takes of a session, and when two such selections are the same. No framework.

import type { Session } from '../../face.ts'
import type { State } from '../../state/view.ts'

/** What a binding needs of a session. */
export type SessionSource<U, C> = Pick<Session<U, C>, 'current' | 'subscribe'>

/** What a component takes of the state. */
export type Selector<U, C, T> = (state: State<U, C>) => T

export const whole = <T>(state: T): T => state

/** Whether both are one value, or two plain objects or arrays with the same values in them. */
export function isEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (!isPlain(a) || !isPlain(b) || Array.isArray(a) !== Array.isArray(b)) return false
  const keys = Object.keys(a)
  return (
    keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && Object.is(a[key], b[key]))
  )
}

/**
 * The selector with a memory: the same selection for the same state, and the last one for as long as the next is equal.
 * @param last What was selected before, by another function.
 */
export function createSelect<U, C, T>(selector: Selector<U, C, T>, last?: T): Selector<U, C, T> {
  let seen: State<U, C> | undefined
  let selected = last as T
  return (state) => {
    if (state === seen) return selected
    seen = state
    const next = selector(state)
    if (!isEqual(selected, next)) selected = next
    return selected
  }
}

// Of a Date, a Map or an object of a class the keys do not tell all.
function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || !value) return false
  return [Object.prototype, Array.prototype, null].includes(Object.getPrototypeOf(value))
}
