import type { ReactNode } from 'react'
import { Providers } from './providers'
import { knownCredentials } from './tokens'

export default async function Layout({ children }: { children: ReactNode }) {
  return <Providers initial={await knownCredentials()}>{children}</Providers>
}
