'use client'

import { type ReactNode, useState } from 'react'
import { createSession } from 'resesh'
import { cookie } from 'resesh/backends/cookie'
import { SessionProvider } from 'resesh/react'
import type { User } from '../user'

function open(user: User | null | undefined) {
  const session = createSession<User>({
    backend: cookie<User>({
      sessionUrl: '/bff/session',
      refreshUrl: '/bff/refresh',
      signOutUrl: '/bff/logout',
      headers: { 'x-bff': '1' },
    }),
    initial: user && { user },
  })
  return { session, serverState: session.current }
}

let inBrowser: ReturnType<typeof open> | undefined

export function Providers({ user, children }: { user: User | null | undefined; children: ReactNode }) {
  // On the server a new session for each page; in the browser the same one as long as the page lives.
  const [opened] = useState(() => (typeof window === 'undefined' ? open(user) : (inBrowser ??= open(user))))
  return <SessionProvider {...opened}>{children}</SessionProvider>
}
