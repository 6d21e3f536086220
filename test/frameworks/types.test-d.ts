// What a component is told by its types: `status` narrows, and a selector says what comes back.

import { QueryClient } from '@tanstack/query-core'
import type { Signal } from '@angular/core'
import type { Session, State } from 'resesh'
import { sessionSignal } from 'resesh/angular'
import { connectQueryClient } from 'resesh/query'
import { useProvidedSession, useSession } from 'resesh/react'
import { useSession as useInSolid } from 'resesh/solid'
import { useSession as useInSvelte } from 'resesh/svelte'
import { useSession as useInVue } from 'resesh/vue'
import { expectTypeOf, test } from 'vitest'

interface User {
  name: string
}
interface Claims {
  role: string
}
declare const session: Session<User, Claims>

test('`status` narrows the state, and so does the user', () => {
  const current = useSession(session)
  expectTypeOf(current).toEqualTypeOf<State<User, Claims>>()
  if (current.status === 'authenticated') expectTypeOf(current.user).toEqualTypeOf<User | null>()
  else expectTypeOf(current.user).toEqualTypeOf<null>()
  if (current.status === 'loading') expectTypeOf(current.reason).toEqualTypeOf<null>()
  if (current.user) expectTypeOf(current.status).toEqualTypeOf<'authenticated'>()
  const { status, claims } = current
  if (status === 'unauthenticated') expectTypeOf(claims).toEqualTypeOf<null>()
})

test('a selector of React says what comes back, with a session and below a provider', () => {
  expectTypeOf(useSession(session, ({ user }) => user?.name)).toEqualTypeOf<string | undefined>()
  expectTypeOf(useSession(({ status }) => status)).toEqualTypeOf<State['status']>()
  expectTypeOf(useSession<User, Claims>()).toEqualTypeOf<State<User, Claims>>()
  expectTypeOf(useProvidedSession<User>()).toEqualTypeOf<Session<User>>()
  // @ts-expect-error: there is no such field
  useSession(session, ({ token }) => token)
})

test('as a ref, a rune and a signal', () => {
  const select = ({ user }: State<User, Claims>) => user?.name
  expectTypeOf(useInVue(session).value).toEqualTypeOf<State<User, Claims>>()
  expectTypeOf(useInVue(session, select).value).toEqualTypeOf<string | undefined>()
  expectTypeOf(useInSvelte(session).current).toEqualTypeOf<State<User, Claims>>()
  expectTypeOf(useInSvelte(session, select).current).toEqualTypeOf<string | undefined>()
  expectTypeOf(useInSolid(session)).returns.toEqualTypeOf<State<User, Claims>>()
  expectTypeOf(useInSolid(session, select)).returns.toEqualTypeOf<string | undefined>()
  expectTypeOf(sessionSignal(session)).toEqualTypeOf<Signal<State<User, Claims>>>()
  expectTypeOf(sessionSignal(session, select)).toEqualTypeOf<Signal<string | undefined>>()
  // @ts-expect-error: read only
  useInVue(session).value = session.current
})

test("TanStack's client fits, with its own filters", () => {
  connectQueryClient(session, new QueryClient(), { queryKey: ['me'] })
  // @ts-expect-error: there is no such filter
  connectQueryClient(session, new QueryClient(), { key: 'me' })
})
