import { StrictMode } from 'react'
import { hydrateRoot } from 'react-dom/client'
import type { Session, State } from 'resesh'
import { SessionProvider } from 'resesh/react'
import type { User } from '../session.ts'
import { App } from './App.tsx'

export const hydrate = (session: Session<User>, serverState?: State<User>): unknown =>
  hydrateRoot(
    document.querySelector('#app')!,
    <StrictMode>
      <SessionProvider session={session} serverState={serverState}>
        <App />
      </SessionProvider>
    </StrictMode>,
  )
