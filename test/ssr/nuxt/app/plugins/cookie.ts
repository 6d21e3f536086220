import { createSession, type State } from 'resesh'
import { cookie } from 'resesh/backends/cookie'
import { currentUser } from '../api'
import type { User } from '../user'

export default defineNuxtPlugin(async () => {
  // The server asks who is signed in, and the page brings the answer to the browser.
  const user = useState<User | null | undefined>('user')
  if (import.meta.server) user.value = await currentUser()

  // On the server a new session for each page; in the browser one as long as the page lives.
  const session = createSession<User>({
    backend: cookie<User>({
      sessionUrl: '/bff/session',
      refreshUrl: '/bff/refresh',
      signOutUrl: '/bff/logout',
      headers: { 'x-bff': '1' },
    }),
    initial: user.value && { user: user.value },
  })
  const serverState = useState<State<User>>('serverState', () => session.current)
  if (import.meta.server) session.dispose()
  return { provide: { cookie: { session, serverState: serverState.value } } }
})
