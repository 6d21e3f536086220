// Sessions without a server: over a backend, or a transport, that answers as it is told to.

import { type Credentials, defineBackend, type SessionOptions } from 'resesh'
import { createClock, setup, url } from './session.ts'

export type Args = [input: RequestInfo | URL, init?: RequestInit]

/** Signed in, over a transport that answers everything and keeps its arguments. */
export const over = async (
  answer: (token: string | null) => Response = () => new Response('served'),
  options: Partial<SessionOptions> = {},
) => {
  const calls: Args[] = []
  let refreshes = 0
  const backend = defineBackend({
    async refresh() {
      return { accessToken: `token-${++refreshes}` }
    },
  })
  const fetch = async (...args: Args) => {
    calls.push(args)
    return answer(new Headers(args[1]?.headers).get('authorization'))
  }
  const initial = { accessToken: 'token-0' }
  const { session } = await setup({
    backend,
    initial,
    origins: [url('')],
    ...options,
    platform: { fetch, ...options.platform },
  })
  const tokens = () => calls.map(([, init]) => new Headers(init?.headers).get('authorization'))
  return { session, calls, tokens, refreshes: () => refreshes }
}

/** Its refreshes give this; the first token is good for 60 s. */
export const answering = async (answer: unknown, options: Partial<SessionOptions> = {}) => {
  const clock = createClock()
  let refreshes = 0
  const backend = defineBackend({
    async refresh() {
      refreshes++
      return answer as Credentials
    },
  })
  const initial = { accessToken: 'first', expiresInSeconds: 60 }
  const fetch = async () => new Response('served')
  const state = await setup(
    { backend, initial, origins: [url('')], ...options, platform: { fetch, ...options.platform } },
    { clock },
  )
  return { ...state, clock, refreshes: () => refreshes }
}
