'use client'
// React 18 and 19 over a session: an entry of its own. The session is the store; only the last selection is kept here.

import {
  createContext,
  createElement,
  type ReactElement,
  type ReactNode,
  useContext,
  useMemo,
  useRef,
  useSyncExternalStore,
} from 'react'
import { InvalidOptionError } from '../errors.ts'
import type { Session } from '../face.ts'
import type { Json } from '../state/credentials.ts'
import { LOADING, type State } from '../state/view.ts'
import { createSelect, type Selector, type SessionSource, whole } from './selection/selection.ts'

interface Provided {
  session: Session<unknown, unknown>
  serverState: State<unknown, unknown>
}

const ProvidedSession = createContext<Provided | null>(null)

export interface SessionProviderProps<U, C> {
  session: Session<U, C>
  /**
   * What the server has rendered with, as plain data, for a page that must not begin as `loading`: all below render with it on
   * the server, and while they hydrate. @default a state that is `loading`
   */
  serverState?: State<U, C> | undefined
  children?: ReactNode
}

/** Hands a session to each {@link useSession} below that is called without one. Optional. */
export function SessionProvider<U, C>(props: SessionProviderProps<U, C>): ReactElement {
  const { session, serverState = LOADING, children } = props
  const value = useMemo(() => ({ session, serverState }), [session, serverState])
  return createElement(ProvidedSession.Provider, { value }, children)
}

/**
 * The session of the {@link SessionProvider} above, for its methods.
 * @throws {@link InvalidOptionError} where there is none.
 */
export const useProvidedSession = <U = Json, C = Json>(): Session<U, C> =>
  requireProvided(useContext(ProvidedSession)).session as Session<U, C>

/**
 * What is known of the session now, or what `selector` takes of it. The component renders again when that has changed: a
 * selection is compared by `Object.is`, plain objects and arrays by what is in them. On the server, and while a page hydrates,
 * the state is `loading`, or the `serverState` of the provider.
 *
 * @param session Left out: that of the {@link SessionProvider} above.
 * @param selector May be another function each time, and return another object each time.
 * @throws {@link InvalidOptionError} without a session and without a provider.
 * @example
 * const current = useSession(session)
 * const name = useSession(session, ({ user }) => user?.name)
 */
export function useSession<U = Json, C = Json>(session?: SessionSource<U, C>): State<U, C>
export function useSession<T, U = Json, C = Json>(selector: Selector<U, C, T>): T
export function useSession<U, C, T>(session: SessionSource<U, C>, selector: Selector<U, C, T>): T
export function useSession(
  first?: SessionSource<unknown, unknown> | Selector<unknown, unknown, unknown>,
  second: Selector<unknown, unknown, unknown> = whole,
): unknown {
  const provided = useContext(ProvidedSession)
  const [given, selector] = typeof first === 'function' ? [undefined, first] : [first, second]
  const session = given ?? requireProvided(provided).session
  const last = useRef<unknown>(undefined)
  const select = createSelect(selector, last.current)
  return (last.current = useSyncExternalStore(
    session.subscribe,
    () => select(session.current),
    () => select(provided?.session === session ? provided.serverState : LOADING),
  ))
}

function requireProvided(provided: Provided | null): Provided {
  if (provided) return provided
  throw new InvalidOptionError('session', 'is missing: use useSession(session), or put a <SessionProvider> above')
}
