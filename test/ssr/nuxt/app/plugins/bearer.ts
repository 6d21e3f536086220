import { createSession, type Credentials, type State } from 'resesh'
import { bearer } from 'resesh/backends/bearer'
import { knownCredentials } from '../tokens'
import type { User } from '../user'

export default defineNuxtPlugin(async () => {
  // Other pages of this app show other kinds of sessions.
  if (!useRoute().path.startsWith('/bearer')) return

  const initial = useState<Credentials<User> | null | undefined>('initial')
  if (import.meta.server) initial.value = await knownCredentials()

  const session = createSession<User>({
    backend: bearer<User>({
      refreshUrl: '/bearer/session/refresh',
      refreshTokenIn: 'cookie',
      signOutUrl: '/bearer/session/logout',
      userUrl: '/auth/user',
    }),
    initial: initial.value,
  })
  const serverState = useState<State<User>>('bearerState', () => session.current)
  if (import.meta.server) session.dispose()
  return { provide: { bearer: { session, serverState: serverState.value } } }
})
