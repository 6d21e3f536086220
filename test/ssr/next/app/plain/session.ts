import { createSession } from 'resesh'
import { bearer } from 'resesh/backends/bearer'
import type { User } from '../user'

export const session = createSession<User>({
  backend: bearer<User>({ refreshUrl: '/auth/refresh', signOutUrl: '/auth/logout', userUrl: '/auth/user' }),
})
