// The stand-in servers as a plugin of a Vite dev server: each below /vendors/<name>, same origin, same process, no proxy.

import type { Plugin } from 'vite'
import { toNode } from '../sample/node.ts'
import { AuthJs } from './authjs.ts'
import { BetterAuth } from './better-auth.ts'
import { Clerk } from './clerk.ts'
import { mounted } from './mounted.ts'
import { OAuth } from './oauth.ts'
import { Roq } from './roq.ts'
import type { StandIn } from './stand-in.ts'
import { SuperTokens } from './supertokens.ts'
import { WorkOS } from './workos.ts'

const clock = { now: () => Date.now() }

const open: Record<string, () => StandIn> = {
  'supertokens-header': () => new SuperTokens(clock, 'header'),
  'supertokens-cookie': () => new SuperTokens(clock, 'custom-header'),
  'supertokens-legacy': () => new SuperTokens(clock, 'legacy'),
  'better-auth': () => new BetterAuth(clock, { jwt: true }),
  authjs: () => new AuthJs(clock),
  clerk: () => new Clerk(clock),
  workos: () => {
    const workos = new WorkOS(clock, 'route')
    workos.edit('ann', { roles: { org_acme: 'admin' } })
    workos.demands['org_initech'] = { error: 'sso_required' }
    return workos
  },
  roq: () => new Roq(clock),
  oauth: () => new OAuth(clock, '/vendors/oauth'),
}

export const vendors = (): Plugin => ({
  name: 'vendors',
  configureServer(vite) {
    for (const [name, create] of Object.entries(open)) {
      const handle = toNode(mounted(create))
      vite.middlewares.use(`/vendors/${name}`, (message, response) => void handle(message, response))
    }
  },
})
