'use client'

import { type ReactNode, useState } from 'react'
import { createSession, type Credentials } from 'resesh'
import { bearer } from 'resesh/backends/bearer'
import { SessionProvider } from 'resesh/react'
import type { User } from '../user'

type Initial = Credentials<User> | null | undefined

function open(initial: Initial) {
  const session = createSession<User>({
    backend: bearer<User>({
      refreshUrl: '/bearer/session/refresh',
      refreshTokenIn: 'cookie',
      signOutUrl: '/bearer/session/logout',
      userUrl: '/auth/user',
    }),
    initial,
  })
  return { session, serverState: session.current }
}

let inBrowser: ReturnType<typeof open> | undefined

export function Providers({ initial, children }: { initial: Initial; children: ReactNode }) {
  // On the server a new session for each page; in the browser the same one as long as the page lives.
  const [opened] = useState(() => (typeof window === 'undefined' ? open(initial) : (inBrowser ??= open(initial))))
  return <SessionProvider {...opened}>{children}</SessionProvider>
}
