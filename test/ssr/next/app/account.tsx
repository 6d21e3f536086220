'use client'

import { useProvidedSession, useSession } from 'resesh/react'
import type { User } from './user'

export function Account() {
  const { signOut } = useProvidedSession<User>()
  const current = useSession<User>()
  if (current.status === 'loading') return <p className="account">One moment</p>
  if (current.status === 'unauthenticated') return <p className="account">Signed out</p>
  return (
    <>
      <p className="account">Signed in as {current.user?.name}</p>
      <button onClick={() => void signOut()}>Sign out</button>
    </>
  )
}
