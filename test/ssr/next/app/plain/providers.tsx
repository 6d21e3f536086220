'use client'

import type { ReactNode } from 'react'
import { SessionProvider } from 'resesh/react'
import { session } from './session'

export function Providers({ children }: { children: ReactNode }) {
  return <SessionProvider session={session}>{children}</SessionProvider>
}
