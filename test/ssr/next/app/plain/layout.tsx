import type { ReactNode } from 'react'
import { Providers } from './providers'
import { SignIn } from './sign-in'

export default function Layout({ children }: { children: ReactNode }) {
  return (
    <Providers>
      <SignIn />
      {children}
    </Providers>
  )
}
