// Where no token turns up: errors, traces, messages, what is shown to a step-up.

import { createSession, defineBackend, type Events } from 'resesh'
import { cookie } from 'resesh/backends/cookie'
import { stepUp } from 'resesh/step-up'
import { expect, onTestFinished, test } from 'vitest'
import { createSampleServer } from '../servers/sample/server.ts'
import { over } from '../support/answering.ts'
import {
  bearerBackend,
  createClock,
  createWire,
  evenChance,
  fetchOf,
  login,
  thrownBy,
  url,
} from '../support/session.ts'

// Everything that can be read of a session from outside, while all goes wrong that can.
test('no token turns up in an error, a trace, a change or the state', async () => {
  const clock = createClock()
  const server = createSampleServer({ now: clock.now })
  const secrets = new Set<string>()
  const wire = createWire(fetchOf(server))
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const response = await wire.fetch(input, init)
    const said = await response.clone().text()
    for (const [, secret] of said.matchAll(/"(?:access|refresh)Token":"([^"]+)"/g)) secrets.add(secret!)
    return response
  }
  const credentials = await login(server)
  secrets.add(credentials.accessToken).add(credentials.refreshToken)
  const seen: unknown[] = []
  const look = (what: unknown) => {
    const { message, stack, cause, ...rest } = Object(what) as Error
    seen.push(message, stack, String(what), JSON.stringify(what), JSON.stringify(rest))
    if (cause) look(cause)
  }
  const lookInto = (event: object) => {
    look(event)
    Object.values(event).forEach(look)
  }
  const session = createSession({
    backend: bearerBackend(),
    use: [
      stepUp((asked) => {
        lookInto(asked)
        return new Promise(() => {})
      }),
    ],
    initial: credentials,
    refreshAhead: 'always',
    platform: { ...clock.platform, fetch, Math: evenChance },
  })
  onTestFinished(session.dispose)
  for (const name of ['change', 'error', 'trace'] as const)
    session.on(name, (event: Events[typeof name]) => {
      lookInto(event)
      if (name === 'change') throw new Error('broken listener')
    })
  const call = async (work: Promise<unknown>) => {
    void work.then((value) => look(value instanceof Response ? value.url : ''), look)
    await clock.pass(20_000)
  }

  for (const fault of [500, 503, 'drop-before', 'html', 'empty', 'opaque', 'past-exp'] as const) {
    server.knobs.refreshFailures = [fault]
    server.expireAccessTokens()
    await call(session.fetch(url('/api/me?q=1')))
    await call(session.refresh())
    await clock.pass(60_000)
  }
  const body = new Blob(['streamed']).stream()
  server.expireAccessTokens()
  await call(session.fetch(url('/api/echo'), { method: 'POST', body, duplex: 'half' } as RequestInit))
  await call(session.signIn({ accessToken: `${credentials.accessToken}\n` }))
  const refresh = wire.hold('/auth/refresh')
  server.expireAccessTokens()
  await call(session.fetch(url('/api/me')))
  refresh.release()
  await call(session.reload())
  await call(session.signOut())
  await call(session.refresh({ ensureSignedIn: true }))
  seen.push(JSON.stringify(session.current))

  const text = seen.join('\n')
  // The middle of a JWT is its claims, which a state may show; the signature and the random part of a refresh token may not.
  const parts = [...secrets].map((secret) => secret.split('.').at(-1)!)
  expect(parts.length).toBeGreaterThan(5)
  expect(seen.length).toBeGreaterThan(100)
  expect(parts.filter((part) => text.includes(part))).toEqual([])
})

test('a message names method and URL, without what was asked there', async () => {
  const clock = createClock()
  const backend = { ...defineBackend({ refresh: async () => null }), restore: () => new Promise<never>(() => {}) }
  const session = createSession({ backend, origins: [url('')], platform: clock.platform })
  onTestFinished(session.dispose)
  const error = thrownBy(session.fetch(url('/api/me?code=secret#secret'), { method: 'DELETE' }))
  await clock.pass(10_000)
  expect(String(await error)).toContain(`DELETE ${url('/api/me')}`)
  expect(String(await error)).not.toContain('secret')
})

test('no token that the app puts in a query turns up in a trace', async () => {
  const { session } = await over()
  const traces: unknown[] = []
  session.on('trace', (trace) => traces.push(trace))
  await session.fetch(url(`/events?access_token=${await session.getToken()}`))
  expect(traces).toContainEqual(expect.objectContaining({ type: 'send', url: url('/events') }))
  expect(JSON.stringify(traces)).not.toContain('token-0')
})

test('the request of a step-up shows the headers of its caller, not what was attached', async () => {
  const challenge = { 'www-authenticate': 'Bearer error="insufficient_user_authentication"' }
  const seen: [string, string][] = []
  const handler = stepUp(({ request }) => {
    seen.push(...request.headers)
    return false
  })
  const { session } = await over(() => new Response(null, { status: 401, headers: challenge }), { use: [handler] })
  await session.fetch(url('/a'), { headers: { 'x-a': 'b' } })
  expect(seen).toEqual([['x-a', 'b']])
})

test("a message about a backend's own call names no query", async () => {
  const answer = Object.defineProperty(new Response(null, { status: 500 }), 'url', { value: url('/s?key=secret') })
  const backend = cookie({ sessionUrl: url('/s?key=secret') })
  const { session } = await over(() => answer, { backend, initial: null })
  const error = await thrownBy(session.signIn())
  expect(String(error)).toContain(url('/s'))
  expect(String(error)).not.toContain('secret')
})
