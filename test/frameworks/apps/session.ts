// What all example apps share: the session, and two things that one does with it.

import { createSession, type Credentials, type Session } from 'resesh'
import { bearer } from 'resesh/backends/bearer'

export interface User {
  id: string
  name: string
}

/** One for each visitor: on a server for each request, in the browser once. */
export const openSession = (initial?: Credentials<User>): Session<User> =>
  createSession<User>({
    backend: bearer<User>({ refreshUrl: '/auth/refresh', signOutUrl: '/auth/logout', userUrl: '/auth/user' }),
    ...(initial && { initial }),
  })

export const signIn = (session: Session<User>): Promise<unknown> =>
  session.signIn(async ({ fetch }) => {
    const headers = { 'content-type': 'application/json' }
    const body = JSON.stringify({ username: 'ann', password: 'secret' })
    const { expiresIn, ...credentials } = await (await fetch('/auth/login', { method: 'POST', headers, body })).json()
    return { ...credentials, expiresInSeconds: expiresIn }
  })

export async function rename(session: Session<User>): Promise<void> {
  await session.fetch('/api/me', { method: 'PATCH', body: JSON.stringify({ name: 'Bea' }) })
  await session.reload()
}
