import { createSession } from 'resesh'
import { cookie } from 'resesh/backends/cookie'
import type { User } from '../user'

// A session that the server knows nothing of.
export default defineNuxtPlugin(() => {
  if (!useRoute().path.startsWith('/plain')) return
  const session = createSession<User>({
    name: 'plain',
    backend: cookie<User>({ sessionUrl: '/bff/session', signOutUrl: '/bff/logout', headers: { 'x-bff': '1' } }),
  })
  if (import.meta.server) session.dispose()
  return { provide: { plain: { session } } }
})
