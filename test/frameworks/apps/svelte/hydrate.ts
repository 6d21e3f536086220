import type { Session } from 'resesh'
import { hydrate as hydrateApp } from 'svelte'
import type { User } from '../session.ts'
import App from './App.svelte'

export const hydrate = (session: Session<User>): unknown =>
  hydrateApp(App, { target: document.querySelector('#app')!, props: { session } })
