// A session over the sample server, within one process: no socket, but real tokens, rotation and faults.

import { createSession, type Session, type SessionOptions, type State } from 'resesh'
import { bearer } from 'resesh/backends/bearer'
import { oauth2 } from 'resesh/backends/oauth2'
import { createSampleServer, type SampleServer, type SampleServerOptions } from '../../demo/server/server.ts'

export const ORIGIN = 'https://api.example.test'

/** fetch over a sample server: a dropped connection rejects as fetch does, and an abort is obeyed. */
export const fetchOf =
  (server: SampleServer): typeof fetch =>
  async (input, init) => {
    const request = new Request(input, init)
    request.signal.throwIfAborted()
    const aborted = new Promise<never>((_, reject) =>
      request.signal.addEventListener('abort', () => reject(request.signal.reason as Error)),
    )
    aborted.catch(() => {})
    const answer = await Promise.race([server.handle(request), aborted])
    if (answer === 'drop') throw new TypeError('fetch failed')
    return answer
  }

export const bearerBackend = () =>
  bearer({
    refreshUrl: `${ORIGIN}/auth/refresh`,
    signOutUrl: `${ORIGIN}/auth/logout`,
    userUrl: `${ORIGIN}/auth/user`,
  })

export const oauth2Backend = () =>
  oauth2({
    tokenEndpoint: `${ORIGIN}/oauth/token`,
    revocationEndpoint: `${ORIGIN}/oauth/revoke`,
    userinfoEndpoint: `${ORIGIN}/oauth/userinfo`,
    clientId: 'spa',
  })

/** What a login answers: credentials as the bearer backend would read them. */
export const login = async (server: SampleServer, username = 'ann') => {
  const response = await server.handle(
    new Request(`${ORIGIN}/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username, password: 'secret' }),
    }),
  )
  if (response === 'drop') throw new TypeError('fetch failed')
  const { accessToken, refreshToken, expiresIn, user } = await response.json()
  return { accessToken, refreshToken, expiresInSeconds: expiresIn, user } as {
    accessToken: string
    refreshToken: string
    expiresInSeconds: number
    user: { name: string }
  }
}

export interface Setup {
  server: SampleServer
  session: Session
  states: State[]
}

/** Signed in as ann, nothing counted yet. */
export const setup = async (
  options: Partial<SessionOptions> = {},
  { server = createSampleServer(), ...serverOptions }: SampleServerOptions & { server?: SampleServer } = {},
): Promise<Setup> => {
  const started = Object.keys(serverOptions).length ? createSampleServer(serverOptions) : server
  const credentials = await login(started)
  const session = createSession({
    backend: bearerBackend(),
    initial: credentials,
    ...options,
    platform: { fetch: fetchOf(started), ...options.platform },
  })
  await new Promise((done) => setTimeout(done))
  const states: State[] = []
  session.on('change', ({ current }) => states.push(current))
  return { server: started, session, states }
}
