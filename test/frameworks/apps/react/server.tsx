import { renderToString } from 'react-dom/server'
import type { Session, State } from 'resesh'
import { SessionProvider } from 'resesh/react'
import type { User } from '../session.ts'
import { App } from './App.tsx'

export const render = (session: Session<User>, serverState?: State<User>): string =>
  renderToString(
    <SessionProvider session={session} serverState={serverState}>
      <App />
    </SessionProvider>,
  )
