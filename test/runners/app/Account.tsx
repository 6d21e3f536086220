import type { Session } from 'resesh'
import { useSession } from 'resesh/react'

export interface User {
  id: string
  name: string
}

export function Account({ session }: { session: Session<User> }) {
  const { status, user } = useSession(session)
  if (status === 'loading') return <p>…</p>
  return <p>{user ? `Hello ${user.name}` : 'Please sign in'}</p>
}
