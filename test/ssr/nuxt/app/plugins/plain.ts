import { createSession } from 'resesh'
import { cookie } from 'resesh/backends/cookie'
import type { User } from '../user'

// A session that the server knows nothing of. It begins before the router loads the scripts of the page.
export default defineNuxtPlugin({
  order: -25,
  setup({ ssrContext }) {
    const path = ssrContext ? ssrContext.url : location.pathname
    if (!path.startsWith('/plain')) return
    const session = createSession<User>({
      name: 'plain',
      backend: cookie<User>({ sessionUrl: '/bff/session', signOutUrl: '/bff/logout', headers: { 'x-bff': '1' } }),
    })
    if (import.meta.server) session.dispose()
    return { provide: { plain: { session } } }
  },
})
