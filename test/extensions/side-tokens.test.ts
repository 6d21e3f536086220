// Tokens for other resources come from the session's one refresh token, and rotate it: none of its successors may be lost.

import { createSession, RefreshTimeoutError, type SessionOptions } from 'resesh'
import { sideTokens } from 'resesh/side-tokens'
import { expect, onTestFinished, test } from 'vitest'
import { createSampleServer } from '../servers/sample/server.ts'
import { createClock, login, oauth2Backend, settled, setup, sharedStorage, thrownBy, url } from '../support/session.ts'

const resource = 'https://a.example.test'
const oauth2WithSideTokens = () => ({ backend: oauth2Backend(), use: [sideTokens()] })
const signedIn = async (options: Partial<SessionOptions> = {}) => {
  const clock = createClock()
  return { clock, ...(await setup({ ...oauth2WithSideTokens(), ...options }, { clock })) }
}

test('an answer that comes too late still brings the next refresh token', async () => {
  const { clock, server, session, wire } = await signedIn()
  const held = wire.hold('/oauth/token')
  const late = thrownBy(session.getToken({ resource }))
  await held.arrived
  await clock.pass(10_001)
  expect(await late).toBeInstanceOf(RefreshTimeoutError)
  held.release()
  await settled()
  expect((await session.refresh()).status).toBe('authenticated')
  expect(server.stats.thefts).toBe(0)
})

test('an answer that comes after a later refresh is of no use any more', async () => {
  const clock = createClock()
  const server = createSampleServer({ now: clock.now, knobs: { graceMs: 60_000 } })
  const { session, wire } = await setup({ ...oauth2WithSideTokens(), replayWindow: 60_000 }, { clock, server })
  const held = wire.hold('/oauth/token')
  const late = thrownBy(session.getToken({ resource }))
  await held.arrived
  await clock.pass(10_001)
  await late
  const refreshed = session.refresh()
  await clock.pass(1_000) // what failed is left alone for a moment
  await refreshed
  const token = await session.getToken()
  held.release()
  await settled()
  expect(await session.getToken()).toBe(token)
  expect((await session.refresh()).status).toBe('authenticated')
})

test('one whose answer may still come has sent the refresh token: nothing sends it again before that is over', async () => {
  const clock = createClock()
  const { session, wire } = await setup(oauth2WithSideTokens(), { clock })
  wire.hold('/oauth/token')
  void session.getToken({ resource }).catch(() => {})
  void session.refresh().catch(() => {})
  await clock.pass(9_000)
  expect(wire.to('/oauth/token')).toHaveLength(1)
})

test('one whose connection was dropped keeps the refresh token back no longer than the ordinary back-off', async () => {
  const clock = createClock()
  const knobs = { refreshFailures: ['drop-before' as const] }
  const { session, wire } = await setup(oauth2WithSideTokens(), { clock, knobs })
  await thrownBy(session.getToken({ resource }))
  const refreshed = session.refresh()
  expect(wire.to('/oauth/token')).toHaveLength(1)
  await clock.pass(2_000)
  expect((await refreshed).stale).toBe(false)
  expect(wire.to('/oauth/token')).toHaveLength(2)
})

test('one leaves a server alone for as long as that has asked', async () => {
  const clock = createClock()
  const knobs = { refreshFailures: [{ status: 429, retryAfter: 60 }] }
  const { session, wire } = await setup(oauth2WithSideTokens(), { clock, knobs })
  await thrownBy(session.getToken({ resource }))
  expect(await thrownBy(session.getToken({ resource }))).toMatchObject({ code: 'ERR_REFRESH_FAILED' })
  await clock.pass(30_000)
  expect(wire.to('/oauth/token')).toHaveLength(1)
})

test('a sign-out while one is minted reaches what it brings', async () => {
  const { server, session, wire } = await signedIn()
  const held = wire.hold('/oauth/token')
  const minted = session.getToken({ resource })
  await held.arrived
  const out = session.signOut()
  held.release()
  expect([await minted, (await out).status]).toEqual([null, 'unauthenticated'])
  expect(server.sessions).toBe(0)
  const bodies = await Promise.all(wire.sent.map(async (sent) => new URLSearchParams(await sent.text())))
  const [spent, revoked, ...rest] = bodies.map((body) => body.get('refresh_token') ?? body.get('token'))
  expect(revoked).toEqual(expect.any(String))
  expect(revoked).not.toBe(spent)
  expect(rest).toEqual([])
})

test('a session that turns out to be over while one is minted is over for all', async () => {
  const { server, session, states } = await signedIn()
  server.revoke('ann')
  expect(await session.getToken({ resource })).toBeNull()
  expect(session.current).toMatchObject({ status: 'unauthenticated', reason: 'expired' })
  expect(states.length).toBe(1)
  server.expireAccessTokens()
  expect((await session.fetch(url('/api/me'))).status).toBe(401)
})

test('none is minted for the user who has signed in in another tab meanwhile', async () => {
  const storage = sharedStorage()
  const { server, session, wire } = await setup({ ...oauth2WithSideTokens(), storage })
  const platform = { fetch: wire.fetch, BroadcastChannel: null } // nobody is told
  const other = createSession({ backend: oauth2Backend(), storage, platform })
  onTestFinished(other.dispose)
  await other.signIn(await login(server, 'bob'))
  expect(await session.getToken({ resource })).toBeNull()
  expect(wire.to('/oauth/token')).toEqual([])
  expect(session.current.user).toMatchObject({ name: 'Bob' })
})

test('whoever asks for the session’s own token meanwhile gets one that lives', async () => {
  const { clock, session } = await signedIn({ refreshAhead: 'never' })
  const dead = await session.getToken()
  await clock.pass(61_000)
  const [, token] = await Promise.all([session.getToken({ resource }), session.getToken()])
  expect(token).toEqual(expect.any(String))
  expect(token).not.toBe(dead)
})
