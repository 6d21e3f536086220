// The stand-in servers as a plugin of a Vite dev server: each below /vendors/<name>, same origin, same process, no proxy.
// Beside what the vendor answers, /stand/… is the hand of whoever runs the server: it expires, revokes, edits.

import type { Plugin } from 'vite'
import { toNode } from '../sample/node.ts'
import { Clerk } from './clerk.ts'
import { OAuth } from './oauth.ts'
import { Roq } from './roq.ts'
import { json, type StandIn } from './stand-in.ts'
import { SuperTokens } from './supertokens.ts'
import { WorkOS } from './workos.ts'

const clock = { now: () => Date.now() }
const user = 'ann'

const open: Record<string, () => StandIn> = {
  'supertokens-header': () => new SuperTokens(clock, 'header'),
  'supertokens-cookie': () => new SuperTokens(clock, 'custom-header'),
  'supertokens-legacy': () => new SuperTokens(clock, 'legacy'),
  clerk: () => new Clerk(clock),
  workos: () => {
    const workos = new WorkOS(clock, 'route')
    workos.edit(user, { roles: { org_acme: 'admin' } })
    workos.demands['org_initech'] = { error: 'sso_required' }
    return workos
  },
  roq: () => new Roq(clock),
  oauth: () => new OAuth(clock, '/vendors/oauth'),
}

// Long enough that nothing on a page happens by itself.
const lifeMs = 600_000

const mounted = (create: () => StandIn) => {
  const start = () => Object.assign(create(), { lifeMs })
  let stand = start()
  const hands: Record<string, (body: Record<string, unknown>) => void> = {
    '/stand/expire': () => stand.expire(),
    '/stand/revoke': () => stand.revoke(user),
    '/stand/edit': (changes) => stand.edit(user, changes),
    '/stand/set': (values) => void Object.assign(stand, values),
    '/stand/reset': () => void (stand = start()),
  }
  return {
    async handle(request: Request): Promise<Response | 'drop'> {
      const hand = hands[new URL(request.url).pathname]
      if (!hand) return stand.handle(request, { cookie: request.headers.get('cookie') ?? '' })
      hand((await request.json().catch(() => ({}))) as Record<string, unknown>)
      return json(stand.users.get(user))
    },
  }
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
