/** @jsxImportSource solid-js */
import type { Session, State } from 'resesh'
import { generateHydrationScript, renderToString } from 'solid-js/web'
import type { User } from '../session.ts'
import { App } from './App.tsx'

/** In the head of the page. */
export const head: string = generateHydrationScript()

export const render = (session: Session<User>, serverState?: State<User>): string =>
  renderToString(() => <App session={session} serverState={serverState} />)
