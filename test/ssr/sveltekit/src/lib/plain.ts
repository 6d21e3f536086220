// A session that the server knows nothing of. In the browser it begins before the page hydrates: see hooks.client.ts.

import { browser } from '$app/environment'
import { createSession, type Session } from 'resesh'
import { cookie } from 'resesh/backends/cookie'
import type { User } from './session'

const open = () =>
  createSession<User>({
    name: 'plain',
    backend: cookie<User>({ sessionUrl: '/bff/session', signOutUrl: '/bff/logout', headers: { 'x-bff': '1' } }),
  })

let inBrowser: Session<User> | undefined

export const plainSession = (): Session<User> => (browser ? (inBrowser ??= open()) : open())
