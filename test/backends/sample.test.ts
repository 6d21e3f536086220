// The backends without a vendor, over the sample server.

import { createSession, type Backend, type Session } from 'resesh'
import { fromTokenResponse } from 'resesh/backends/oauth2'
import { expect, onTestFinished, test } from 'vitest'
import { createSampleServer } from '../servers/sample/server.ts'
import type { Clock } from './browser.ts'
import { createScene, testBackend, type Stand } from './contract.ts'
import { bearerBackend, cookieBackend, oauth2Backend, ORIGIN } from '../support/session.ts'

type Login = (user: string) => Parameters<Session['signIn']>[0]

const overSample =
  (backend: () => Backend, refreshPath: string, login: Login) =>
  ({ now }: Clock): Stand => {
    const server = createSampleServer({ now, knobs: { bffSilentRefresh: false } })
    return {
      handle: server.handle,
      backend,
      refreshPath,
      profile: `${ORIGIN}/api/me`,
      lifeMs: refreshPath === '/bff/refresh' ? 0 : 60_000,
      signIn: (tab, user) => tab.signIn(login(user)),
      get refreshes() {
        return server.stats.refreshes
      },
      get living() {
        return server.sessions
      },
      expire: server.expireAccessTokens,
      revoke: server.revoke,
      edit: (user, changes) => void server.users.edit(user, changes),
      fail: (...faults) =>
        server.knobs.refreshFailures.push(...faults.map((fault) => (fault === 'network' ? 'drop-before' : fault))),
    }
  }

const json = { method: 'POST', headers: { 'content-type': 'application/json', 'x-bff': '1' } }
const secret = (username: string) => JSON.stringify({ username, password: 'secret' })

const overBearer = overSample(bearerBackend, '/auth/refresh', (user) => async ({ fetch }) => {
  const { expiresIn, ...rest } = await (await fetch(`${ORIGIN}/auth/login`, { ...json, body: secret(user) })).json()
  return { ...rest, expiresInSeconds: expiresIn }
})
testBackend('bearer', overBearer)

test('a refresh token that somebody else has used ends the session as reused', async () => {
  const { wire, fetch, signedIn } = createScene(overBearer)
  const tab = await signedIn()
  await tab.refresh()
  const [sent] = wire.to('/auth/refresh')
  const thief = await fetch(`${ORIGIN}/auth/refresh`, { method: 'POST', body: await sent!.text() })
  expect([thief.status, await thief.json()]).toEqual([401, { error: 'reuse' }])
  expect(await tab.refresh()).toMatchObject({ status: 'unauthenticated', reason: 'reused' })
})

test.each([
  ['reuse', 'reused'],
  ['reused', 'reused'],
  ['revoked', 'revoked'],
  ['session_over', 'expired'],
  ['', 'expired'],
])('a bearer server that says %j at the end: %s', async (error, reason) => {
  const fetch = async () => Response.json({ error }, { status: 401 })
  const session = createSession({
    backend: bearerBackend(),
    initial: { accessToken: 'a', refreshToken: 'r' },
    platform: { fetch },
  })
  onTestFinished(session.dispose)
  expect(await session.refresh()).toMatchObject({ status: 'unauthenticated', reason })
})

testBackend(
  'oauth2',
  overSample(oauth2Backend, '/oauth/token', (username) => async ({ fetch }) => {
    const body = new URLSearchParams({ grant_type: 'password', client_id: 'spa', username, password: 'secret' })
    return fromTokenResponse(await (await fetch(`${ORIGIN}/oauth/token`, { method: 'POST', body })).json())
  }),
)

testBackend(
  'cookie',
  overSample(cookieBackend, '/bff/refresh', (user) => async ({ fetch }) => {
    await fetch(`${ORIGIN}/bff/login`, { ...json, body: secret(user), credentials: 'include' })
  }),
)
