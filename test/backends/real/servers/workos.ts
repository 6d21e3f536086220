// WorkOS' own emulator, and an API that takes its tokens. Only of the version that `npm run workos` installs: it is put together
// from inside, since as a whole it would listen to the network, and lets nobody look at what it keeps.

import type { IncomingMessage } from 'node:http'
import { pathToFileURL } from 'node:url'
import type { Json } from 'resesh'
import { toNode } from '../../../servers/sample/node.ts'
import { serve } from '../support/child.ts'

interface Entity {
  id: string
  first_name: string
}

interface Collection {
  insert(entity: Json): Entity
  update(id: string, changes: Json): void
  findOneBy(field: string, value: string): Entity | undefined
  deleteBy(field: string, value: string): void
  get(id: string): Entity | undefined
  all(): Entity[]
}

type Collections = Record<
  'users' | 'sessions' | 'refreshTokens' | 'organizations' | 'organizationMemberships',
  Collection
>

interface Emulator {
  app: { fetch(request: Request): Promise<Response> }
  store: { reset(): void }
  jwt: { issuer: string; verify(token: string): { sub: string; sid: string } }
}

export type Controls = Awaited<ReturnType<typeof create>>['controls']

async function create(origin: string) {
  const load = async (path: string): Promise<any> =>
    import(pathToFileURL(`${process.env['WORKOS_EMULATOR']}/${path}`).href)
  const { createServer } = await load('core/index.js')
  const { workosPlugin, seedFromConfig, getWorkOSStore } = await load('workos/index.js')
  const { app, store, jwt } = createServer(workosPlugin, { baseUrl: origin }) as Emulator
  const kept = (): Collections => getWorkOSStore(store) as Collections
  const byName = (name: string): Entity => kept().users.findOneBy('email', `${name}@example.test`)!
  /** Sessions whose tokens count for nothing any more. */
  let dead = new Set<string>()

  const userOf = (request: Request): Entity | undefined => {
    try {
      const { sub, sid } = jwt.verify(request.headers.get('authorization')!.replace('Bearer ', ''))
      return dead.has(sid) ? undefined : kept().users.get(sub)
    } catch {
      return undefined
    }
  }

  async function handle(request: Request): Promise<Response> {
    if (!new URL(request.url).pathname.startsWith('/api/')) return app.fetch(request)
    const user = userOf(request)
    return user ? Response.json({ name: user.first_name }) : Response.json({ error: 'unauthorized' }, { status: 401 })
  }

  const reset = (): void => {
    store.reset()
    dead = new Set()
    const users = ['Ann', 'Bob'].map((name) => ({ email: `${name.toLowerCase()}@example.test`, first_name: name }))
    seedFromConfig(store, origin, { users })
  }
  reset()

  return {
    renews: ({ url }: IncomingMessage) => url === '/user_management/authenticate',
    listen: toNode({ handle }),
    controls: {
      reset,
      expire: () =>
        kept()
          .sessions.all()
          .forEach(({ id }) => dead.add(id)),
      revoke: (name: string) => kept().refreshTokens.deleteBy('user_id', byName(name).id),
      edit: (name: string, changes: Json) => kept().users.update(byName(name).id, { first_name: changes['name'] }),
      /** Whether there is such a session. */
      knows: (session: string) => kept().sessions.get(session) !== undefined,
      /** An organization with that user in it. */
      employ(name: string): string {
        const { id } = kept().organizations.insert({ object: 'organization', name: 'Acme' })
        const role = { slug: 'admin' }
        const user_id = byName(name).id
        kept().organizationMemberships.insert({ organization_id: id, user_id, role, status: 'active' })
        return id
      },
    },
  }
}

await serve(create)
