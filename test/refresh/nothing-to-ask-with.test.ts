// An access token without a refresh token: it is used to its end, and nobody who asks for more ends the session.

import { type Credentials, RefreshFailedError, type SessionOptions } from 'resesh'
import { oauth2 } from 'resesh/backends/oauth2'
import { supertokens } from 'resesh/backends/supertokens'
import { workos } from 'resesh/backends/workos'
import { refreshAfter } from 'resesh/refresh-after'
import { sideTokens } from 'resesh/side-tokens'
import { expect, test } from 'vitest'
import { bearerBackend, createClock, oauth2Backend, setup, thrownBy, url } from '../support/session.ts'

const held: Credentials = { accessToken: 'good', expiresInSeconds: 60 }
const backends: [string, () => SessionOptions['backend']][] = [
  ['bearer', bearerBackend],
  ['oauth2', oauth2Backend],
  ['supertokens', () => supertokens({ baseUrl: url('/auth'), mode: 'header' })],
  ['workos', () => workos({ clientId: 'c', devMode: true }) as unknown as SessionOptions['backend']],
]
const start = async (options: Partial<SessionOptions>) => {
  const clock = createClock()
  const state = await setup({ initial: held, refreshAhead: 'always', ...options }, { clock })
  return { ...state, clock }
}

test.each(backends)('%s: a forced refresh is an error, and the session is kept', async (name, backend) => {
  const { session, wire } = await start({ backend: backend() })
  for (const ask of [() => session.getToken({ skipCache: true }), () => session.refresh(), () => session.reload()]) {
    const error = await thrownBy(ask())
    expect(error).toBeInstanceOf(RefreshFailedError)
    expect(String(error)).toContain('no refresh token')
    expect(String(error).includes("refreshTokenIn: 'cookie'")).toBe(name === 'bearer')
  }
  expect(session.current).toMatchObject({ status: 'authenticated', stale: false })
  expect(await session.getToken()).toBe('good')
  expect(wire.sent).toEqual([])
})

test.each(backends)('%s: the token is used to its end, and then the session is over', async (_, backend) => {
  const { session, clock } = await start({ backend: backend() })
  await clock.pass(59_000)
  expect(session.current).toMatchObject({ status: 'authenticated', stale: false })
  expect(await session.getToken()).toBe('good')
  await clock.pass(2_000)
  expect(await session.getToken()).toBeNull()
  expect(session.current.status).toBe('unauthenticated')
})

test('a 401 ends the session', async () => {
  const { session } = await start({ backend: bearerBackend() })
  expect((await session.fetch(url('/api/me'))).status).toBe(401)
  expect(session.current.status).toBe('unauthenticated')
})

test('a side token is an error, too', async () => {
  const { session } = await start({ backend: oauth2Backend(), use: [sideTokens()] })
  expect(String(await thrownBy(session.getToken({ resource: 'x' })))).toContain('no refresh token')
  expect(session.current.status).toBe('authenticated')
})

test('an edit that asks for a refresh makes nothing stale', async () => {
  const use = [refreshAfter([{ method: 'GET', path: '/a', action: 'refresh', wait: true }])]
  const { session } = await start({
    backend: oauth2({ tokenEndpoint: url('/oauth/token'), clientId: 'spa' }),
    use,
    platform: { fetch: async () => new Response() },
  })
  await session.fetch(url('/a'))
  expect(session.current).toMatchObject({ status: 'authenticated', stale: false })
})
