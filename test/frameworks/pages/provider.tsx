// React's provider: components that find their session above them, and one that has none.

import { Component, type ReactNode, startTransition, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { createSession, memory } from 'resesh'
import { bearer } from 'resesh/backends/bearer'
import { SessionProvider, useProvidedSession, useSession } from 'resesh/react'

const open = (name: string) =>
  createSession<{ name: string }>({
    backend: bearer<{ name: string }>({ refreshUrl: '/auth/refresh' }),
    name,
    storage: memory(),
    initial: { accessToken: name, user: { name } },
    refreshAhead: 'never',
  })
const sessions = [open('first'), open('second')] as const

function Name() {
  return <b>{useSession(useProvidedSession<{ name: string }>()).user?.name}</b>
}
function Whole() {
  return <i>{useSession().status}</i>
}
function Selected() {
  return <u>{String(useSession(({ user }) => user?.['name']))}</u>
}
function Own() {
  return <s>{useSession(sessions[1], ({ user }) => user?.name)}</s>
}

class Caught extends Component<{ children: ReactNode }> {
  override readonly state = { message: '' }
  static getDerivedStateFromError = ({ message }: Error) => ({ message })
  override render(): ReactNode {
    return this.state.message ? <em>{this.state.message}</em> : this.props.children
  }
}

function App() {
  const [nth, setNth] = useState<0 | 1>(0)
  return (
    <>
      <button onClick={() => startTransition(() => setNth(1))}>Switch</button>
      <SessionProvider session={sessions[nth]}>
        <Name />
        <Whole />
        <Selected />
        <Own />
      </SessionProvider>
      <Caught>
        <Whole />
      </Caught>
    </>
  )
}

createRoot(document.querySelector('#app')!, { onRecoverableError: () => {} }).render(<App />)
