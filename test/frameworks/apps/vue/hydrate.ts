import type { Session, State } from 'resesh'
import { createSSRApp } from 'vue'
import type { User } from '../session.ts'
import App from './App.vue'

export const hydrate = (session: Session<User>, serverState?: State<User>): unknown =>
  createSSRApp(App, { session, serverState }).mount('#app')
