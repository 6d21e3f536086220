// A stand-in as a server that somebody runs: beside what the vendor answers, /stand/… is the hand of whoever runs it. It expires,
// revokes and edits; it makes the server slow or faulty, and counts, by the same names as the sample server's /sample/….

import { delay } from '../sample/faults.ts'
import type { SampleServer } from '../sample/server.ts'
import { json, type StandIn } from './stand-in.ts'

type Body = Record<string, unknown>

const user = 'ann'

const defaultKnobs = {
  /** Long enough that nothing on a page happens by itself. */
  accessTokenLifeSeconds: 600,
  /** Long enough to see a refresh happen. */
  refreshDelayMs: 140,
  apiDelayMs: 4,
  /** One per refresh: a status, or `'drop-after'`, which renews and then loses the answer. */
  refreshFailures: [] as (number | 'drop-after')[],
  /** The API takes nobody's credentials. */
  alwaysExpired: false,
}

const isApi = (request: Request): boolean => /^\/api\/(me|items\/\d+|posts|vault)$/.test(new URL(request.url).pathname)

const withoutCredentials = (request: Request): Request => {
  const bare = new Request(request)
  bare.headers.delete('authorization')
  return bare
}

export const mounted = (create: () => StandIn): Pick<SampleServer, 'handle'> => {
  let stand: StandIn
  let knobs: typeof defaultKnobs
  let requests: number

  const turn = (changes: Body): void => {
    Object.assign(knobs, changes)
    Object.assign(stand, { lifeMs: knobs.accessTokenLifeSeconds * 1000 })
  }
  const start = (): void => {
    stand = create()
    knobs = structuredClone(defaultKnobs)
    requests = 0
    turn({})
  }
  start()

  const stored = () => stand.users.get(user)
  const hands: Record<string, (body: Body) => unknown> = {
    state: () => ({ stats: { requests, refreshes: stand.refreshes }, knobs }),
    knobs: (changes) => (turn(changes), knobs),
    expire: () => (stand.expire(), stored()),
    revoke: () => (stand.revoke(user), stored()),
    edit: (changes) => (stand.edit(user, changes), stored()),
    set: (values) => (Object.assign(stand, values), stored()),
    reset: () => (start(), stored()),
  }

  const serve = async (request: Request): Promise<Response | 'drop'> => {
    requests++
    const isRefresh = await stand.renews(request)
    const fault = isRefresh ? knobs.refreshFailures.shift() : undefined
    if (typeof fault === 'number') stand.fail(fault)
    const isBarred = knobs.alwaysExpired && isApi(request)
    const cookie = isBarred ? '' : (request.headers.get('cookie') ?? '')
    const answer = await stand.handle(isBarred ? withoutCredentials(request) : request, { cookie })
    await delay(isRefresh ? knobs.refreshDelayMs : knobs.apiDelayMs)
    return fault === 'drop-after' ? 'drop' : answer
  }

  return {
    async handle(request) {
      const [, name] = /^\/stand\/(\w+)$/.exec(new URL(request.url).pathname) ?? []
      const hand = name === undefined ? undefined : hands[name]
      return hand ? json(hand((await request.json().catch(() => ({}))) as Body)) : serve(request)
    },
  }
}
