import { useProvidedSession, useSession } from 'resesh/react'
import { rename, signIn, type User } from '../session.ts'

export function App() {
  const session = useProvidedSession<User>()
  const current = useSession(session)
  if (current.status === 'loading') return <p>One moment</p>
  if (current.status === 'unauthenticated') return <button onClick={() => void signIn(session)}>Sign in</button>
  return (
    <>
      <p>Hello {current.user?.name}</p>
      <button onClick={() => void rename(session)}>Rename</button>
      <button onClick={() => void session.signOut()}>Sign out</button>
    </>
  )
}
