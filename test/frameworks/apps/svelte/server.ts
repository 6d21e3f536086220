import type { Session } from 'resesh'
import { render as renderApp } from 'svelte/server'
import type { User } from '../session.ts'
import App from './App.svelte'

export const render = (session: Session<User>): string => renderApp(App, { props: { session } }).body
