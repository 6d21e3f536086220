import type { ReactNode } from 'react'
import { currentUser } from './api'
import { Providers } from './providers'

export default async function Layout({ children }: { children: ReactNode }) {
  return <Providers user={await currentUser()}>{children}</Providers>
}
