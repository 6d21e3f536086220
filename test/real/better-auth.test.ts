// better-auth 1.7.7, run for real: the contract in each of its ways, and the traps of its protocol.

import type { Session } from 'resesh'
import { betterAuth } from 'resesh/backends/better-auth'
import { describe } from 'vitest'
import { PAGE } from '../backends/browser.ts'
import { testBackend } from '../backends/contract.ts'
import { API } from '../backends/stand-in.ts'
import type { Controls, Options } from './servers/better-auth.ts'
import { standOver, useServer, type RealServer } from './support/server.ts'

const start = (options: Options) => useServer<Controls>('better-auth', { trusted: [PAGE], ...options })
const lifeMs = 15 * 60_000

const stand = (server: RealServer<Controls>, jwt: boolean) => () => {
  const { control } = server
  return standOver(server, {
    backend: () => betterAuth({ jwt }),
    options: { origins: [PAGE, API] },
    refreshPath: jwt ? '/api/auth/token' : '/api/auth/get-session',
    ...(jwt && {
      lifeMs,
      stepUp: {
        url: `${PAGE}/api/auth/list-sessions`,
        type: 'SESSION_NOT_FRESH',
        meet: () => control.freshen('ann'),
      },
    }),
    expire: () => control.pass(lifeMs + 1000),
    revoke: control.revoke,
    edit: control.edit,
    get living() {
      return control.living()
    },
    signIn: (tab: Session, user: string) =>
      tab.signIn(async ({ fetch }) => {
        const body = JSON.stringify({
          email: `${user}@example.test`,
          password: 'password',
          name: user === 'ann' ? 'Ann' : 'Bob',
        })
        const headers = { 'content-type': 'application/json' }
        await fetch('/api/auth/sign-up/email', { method: 'POST', headers, body })
      }),
  })
}

describe('with the copy in a cookie', () => {
  const server = start({ by: 'cookie' })
  testBackend('better-auth', stand(server, false))
})

describe('with the copy in a cookie, and a refresh of its own', () => {
  const server = start({ by: 'cookie', deferSessionRefresh: true })
  testBackend('better-auth with deferred refresh', stand(server, false))
})

describe('with tokens', () => {
  const server = start({ by: 'jwt' })
  testBackend('better-auth with tokens', stand(server, true))
})
