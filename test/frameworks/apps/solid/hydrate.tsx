/** @jsxImportSource solid-js */
import type { Session, State } from 'resesh'
import { hydrate as hydrateApp } from 'solid-js/web'
import type { User } from '../session.ts'
import { App } from './App.tsx'

export const hydrate = (session: Session<User>, serverState?: State<User>): unknown =>
  hydrateApp(() => <App session={session} serverState={serverState} />, document.querySelector('#app')!)
