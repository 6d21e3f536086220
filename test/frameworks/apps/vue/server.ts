import type { Session, State } from 'resesh'
import { createSSRApp } from 'vue'
import { renderToString } from 'vue/server-renderer'
import type { User } from '../session.ts'
import App from './App.vue'

export const render = (session: Session<User>, serverState?: State<User>): Promise<string> =>
  renderToString(createSSRApp(App, { session, serverState }))
