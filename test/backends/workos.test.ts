// WorkOS AuthKit over a stand-in of our own: the contract in each mode, and the traps of its protocol.

import { inspect } from 'node:util'
import {
  createSession,
  memory,
  RefreshFailedError,
  SessionEndedError,
  StepUpRequiredError,
  type Challenge,
  type Json,
  type Session,
} from 'resesh'
import { fromAuthenticateResponse, workos, workosRoute } from 'resesh/backends/workos'
import { stepUp } from 'resesh/step-up'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { Clock } from './browser.ts'
import { createScene, testBackend, type Stand } from './contract.ts'
import { API, standOf } from './stand-in.ts'
import { WorkOS } from '../servers/vendors/workos.ts'
import { thrownBy } from '../support/session.ts'

const HOST = 'https://api.workos.com/user_management'

/** What holds in each of its modes. */
const shared = (server: WorkOS) => ({
  forgives: true,
  ...(server.mode !== 'development' && { comeLate: () => (server.latecomers = 1) }),
  demand: {
    type: 'mfa_enrollment',
    make: () => (server.demands[''] = { code: 'mfa_enrollment', pending_authentication_token: 'pat_1' }),
    meet: () => delete server.demands[''],
  },
})

const direct = (mode: 'development' | 'cookie') => (clock: Clock) => {
  const server = new WorkOS(clock, mode)
  return standOf(server, {
    ...shared(server),
    backend: () => workos({ clientId: 'client_1', devMode: mode === 'development' }),
    refreshPath: '/user_management/authenticate',
    signIn: (tab: Session, user: string) =>
      tab.signIn(async ({ fetch }) => {
        const body = JSON.stringify({ client_id: 'client_1', grant_type: 'authorization_code', code: user })
        const response = await fetch(`${HOST}/authenticate`, { method: 'POST', body, credentials: 'include' })
        return fromAuthenticateResponse((await response.json()) as Json) as Json
      }),
  })
}

const route = (clock: Clock) => {
  const server = new WorkOS(clock, 'route')
  return standOf(server, {
    ...shared(server),
    backend: () => workosRoute({ refreshUrl: '/api/auth/refresh', signOutUrl: '/api/auth/logout' }),
    refreshPath: '/api/auth/refresh',
    signIn: (tab: Session, user: string) =>
      tab.signIn(async ({ fetch }) => void (await fetch(`/api/auth/callback?code=${user}`))),
  })
}

const nameIn: Stand['nameIn'] = ({ user }) => user?.['firstName']

testBackend('workos in development', (clock) => Object.assign(direct('development')(clock), { nameIn }))
testBackend('workos with a cookie', (clock) => Object.assign(direct('cookie')(clock), { nameIn }))
testBackend('workos behind a route', (clock) => Object.assign(route(clock), { nameIn }))

const development = () => createScene(direct('development'))

test('what a refresh asks for, in development and with a cookie', async () => {
  const grant = { client_id: 'client_1', grant_type: 'refresh_token' }
  const here = development()
  await (await here.signedIn()).refresh()
  expect(here.stand.server.asked).toEqual([{ ...grant, refresh_token: expect.stringMatching(/^ref_/) }])
  const there = createScene(direct('cookie'))
  await (await there.signedIn()).refresh()
  expect(there.stand.server.asked).toEqual([grant])
  expect(there.cookies).toEqual(['wos-refresh', 'workos-has-session'])
})

test('without the hint beside the cookie nobody is asked', async () => {
  const { wire, open } = createScene(direct('cookie'))
  expect((await open().ready()).status).toBe('unauthenticated')
  expect(wire.sent).toEqual([])
})

test('an organization stays until another is asked for', async () => {
  const { stand, signedIn } = development()
  const tab = await signedIn()
  expect(await tab.refresh({ organizationId: 'org_1' })).toMatchObject({ organizationId: 'org_1', reason: 'switched' })
  expect((await tab.refresh()).organizationId).toBe('org_1')
  expect(stand.server.asked.map((body) => body['organization_id'])).toEqual(['org_1', 'org_1'])
})

test('a switch does not join a refresh that runs', async () => {
  const { stand, wire, signedIn } = development()
  const tab = await signedIn()
  const held = wire.hold(stand.refreshPath)
  const plain = tab.refresh()
  await held.arrived
  const switched = tab.refresh({ organizationId: 'org_1' })
  held.release()
  await plain
  expect((await switched).organizationId).toBe('org_1')
  expect(stand.server.asked.map((body) => body['organization_id'])).toEqual([undefined, 'org_1'])
})

const modes = [
  ['in development', direct('development')],
  ['with a cookie', direct('cookie')],
  ['behind a route', route],
] as const
const shapes = ['error', 'code'] as const // as OAuth says it, and as the API does
const each = modes.flatMap(([mode, stand]) => shapes.map((shape) => ({ mode, stand, shape })))

test.each(each)('$mode, a refused switch ($shape) keeps the session and says what is asked for', async (one) => {
  const { stand, signedIn } = createScene(one.stand)
  const tab = await signedIn()
  stand.server.demands['org_1'] = { [one.shape]: 'sso_required', authkit_redirect_url: 'https://auth.example.test/sso' }
  const error = await thrownBy(tab.refresh({ organizationId: 'org_1' }))
  expect(error).toBeInstanceOf(StepUpRequiredError)
  const url = one.mode === 'behind a route' ? '/sign-in' : 'https://auth.example.test/sso'
  expect((error as StepUpRequiredError).challenge).toEqual({ type: 'sso_required', url, organizationId: 'org_1' })
  expect(tab.current).toMatchObject({ status: 'authenticated', stale: false, organizationId: null })
  expect((await tab.refresh()).status).toBe('authenticated')
})

test.each(each)('$mode, invalid_grant ($shape) is the end, and nothing else is', async (one) => {
  const { stand, signedIn } = createScene(one.stand)
  const tab = await signedIn()
  stand.server.demands[''] = { [one.shape]: 'invalid_request' }
  expect(await thrownBy(tab.refresh())).toBeInstanceOf(RefreshFailedError)
  expect(tab.current.status).toBe('authenticated')
  stand.server.demands[''] = { [one.shape]: 'invalid_grant' }
  expect(await tab.refresh()).toMatchObject({ status: 'unauthenticated', reason: 'expired' })
})

test.each([200, 401])('a route that says %s and no user: nobody is signed in', async (status) => {
  const { stand, signedIn } = createScene(route)
  const tab = await signedIn()
  stand.revoke('ann')
  stand.server.nobody = status
  expect(await tab.refresh()).toMatchObject({ status: 'unauthenticated', reason: 'expired' })
})

test('a host without TLS is named with its scheme, such as an emulator', async () => {
  const asked: string[] = []
  const session = createSession({
    backend: workos({ clientId: 'client_1', apiHostname: 'http://localhost:4100', devMode: true }),
    initial: { accessToken: 'a', refreshToken: 'r' },
    platform: {
      async fetch(input) {
        asked.push(input as string)
        return Response.json({ code: 'invalid_grant' }, { status: 400 })
      },
    },
  })
  onTestFinished(session.dispose)
  await session.refresh()
  expect(asked).toEqual(['http://localhost:4100/user_management/authenticate'])
})

test('a code to go on with is handed to the app', async () => {
  const { stand, signedIn } = development()
  const tab = await signedIn()
  stand.server.demands['org_1'] = { code: 'mfa_challenge', message: 'MFA', pending_authentication_token: 'pat_1' }
  const error = (await thrownBy(tab.refresh({ organizationId: 'org_1' }))) as StepUpRequiredError
  expect(error.challenge).toMatchObject({ type: 'mfa_challenge', pendingAuthenticationToken: 'pat_1' })
  expect(error.message).not.toContain('pat_1')
})

const demands = [
  { error: 'organization_authentication_methods_required', error_description: 'x', auth_methods: { password: false } },
  { code: 'organization_selection_required', message: 'x', organizations: [{ id: 'org_7', name: 'Seven' }] },
  { code: 'radar_challenge', message: 'x' },
]

test.each(modes.flatMap(([mode, it]) => demands.map((demand) => ({ mode, it, demand }))))(
  '$mode, whatever carries a pending token is a step-up, and the token is for the handler alone: $demand',
  async ({ it: mode, demand }) => {
    const { stand, signedIn } = createScene(mode)
    const challenges: Challenge[] = []
    const tab = await signedIn('ann', { use: [stepUp(({ challenge }) => challenges.push(challenge) < 0)] })
    const told: unknown[] = []
    tab.on('error', (event) => told.push(event))
    tab.on('change', (event) => told.push(event))
    stand.server.demands[''] = { ...demand, pending_authentication_token: 'pat_1' }
    stand.expire()
    await tab.fetch(`${API}/api/me`)
    const error = (await thrownBy(tab.refresh())) as StepUpRequiredError
    expect(error).toBeInstanceOf(StepUpRequiredError)
    expect(challenges[0]).toMatchObject({ type: demand.error ?? demand.code })
    expect(challenges[0]).toHaveProperty('pendingAuthenticationToken', 'pat_1')
    const shown = [error, told, challenges].flatMap((it) => [inspect(it, { depth: 9 }), JSON.stringify(it)])
    expect(shown.join()).not.toContain('pat_1')
    expect([error.message, { ...error.challenge }]).not.toContain('pat_1')
  },
)

test('what a handler needs to go on is in the challenge', async () => {
  const { stand, signedIn } = development()
  const tab = await signedIn()
  stand.server.demands['org_1'] = { ...demands[0], sso_connection_ids: ['conn_1'], email: 'ann@example.test' }
  const { challenge } = (await thrownBy(tab.refresh({ organizationId: 'org_1' }))) as StepUpRequiredError
  expect(challenge).toEqual({
    type: 'organization_authentication_methods_required',
    organizationId: 'org_1',
    authMethods: { password: false },
    ssoConnectionIds: ['conn_1'],
    email: 'ann@example.test',
  })
})

test('an error that is neither an end nor a demand keeps the session', async () => {
  const { stand, signedIn } = development()
  const tab = await signedIn()
  stand.server.demands['org_9'] = { code: 'entity_not_found', message: 'No such organization' }
  expect(await thrownBy(tab.refresh({ organizationId: 'org_9' }))).toBeInstanceOf(RefreshFailedError)
  expect(tab.current.status).toBe('authenticated')
})

test('user and claims have the names of the documentation', async () => {
  const { signedIn } = development()
  const { current } = await signedIn()
  expect(current.user).toMatchObject({ id: 'ann', firstName: 'Ann', emailVerified: true })
  expect(current.claims).toMatchObject({
    sub: 'ann',
    sessionId: 'session_1',
    role: 'member',
    permissions: ['posts:read'],
    entitlements: ['audit-logs'],
    featureFlags: ['beta'],
    impersonator: { email: 'support@example.test', reason: null },
    authenticationMethod: 'OAuth',
  })
})

test('the life of a token is what it says of itself, whatever the clock of this device', async () => {
  const { stand, clock, signedIn } = development()
  const serverNow = clock.now
  stand.server.clock.now = () => serverNow() - 3_600_000
  const tab = await signedIn()
  const before = stand.refreshes
  await tab.getToken()
  expect(stand.refreshes).toBe(before)
})

test('a sign-out names the session, without credentials of ours', async () => {
  const { wire, signedIn } = development()
  await (await signedIn()).signOut()
  const [sent] = wire.to('/user_management/sessions/logout')
  expect(sent!.url).toBe(`${HOST}/sessions/logout?session_id=session_1`)
  expect([sent!.method, sent!.headers.get('authorization')]).toEqual(['GET', null])
})

test('the token goes to the app, not to WorkOS', async () => {
  const { wire, signedIn } = development()
  const tab = await signedIn()
  await tab.fetch(`${API}/api/me`)
  await tab.refresh()
  expect(wire.to('/api/me')[0]!.headers.get('authorization')).toMatch(/^Bearer /)
  expect(wire.to('/user_management/authenticate').every(({ headers }) => !headers.has('authorization'))).toBe(true)
})

test('ensureSignedIn says that nobody is', async () => {
  const { stand, signedIn } = createScene(route)
  const tab = await signedIn()
  stand.revoke('ann')
  const error = await thrownBy(tab.refresh({ ensureSignedIn: true }))
  expect(error).toBeInstanceOf(SessionEndedError)
})

test('the route tells of a demand, and the session goes on', async () => {
  const { stand, signedIn } = createScene(route)
  const tab = await signedIn()
  expect(tab.current.claims).toMatchObject({
    sessionId: 'session_1',
    featureFlags: ['beta'],
    entitlements: ['audit-logs'],
  })
  stand.server.demands['org_1'] = { error: 'mfa_enrollment' }
  const error = (await thrownBy(tab.refresh({ organizationId: 'org_1' }))) as StepUpRequiredError
  expect(error.challenge).toEqual({ type: 'mfa_enrollment', url: '/sign-in', organizationId: 'org_1' })
  expect((await tab.refresh({ organizationId: 'org_2' })).organizationId).toBe('org_2')
})

describe('in development, who comes from authkit-js', () => {
  const KEY = 'workos:refresh-token:client_1'

  /** A browser where authkit-js has signed that user in. */
  const leftBy = async (user: string, key = KEY) => {
    const it = development()
    const body = JSON.stringify({ client_id: 'client_1', grant_type: 'authorization_code', code: user })
    const response = await it.fetch(`${HOST}/authenticate`, { method: 'POST', body })
    it.local.set(key, ((await response.json()) as { refresh_token: string }).refresh_token)
    return it
  }

  test.each([KEY, 'workos:refresh-token'])('stays signed in, and %s is taken away', async (key) => {
    const { stand, local, open } = await leftBy('ann', key)
    const tab = open()
    expect(await tab.ready()).toMatchObject({ status: 'authenticated', user: { id: 'ann' }, reason: 'restored' })
    expect(stand.server.asked).toHaveLength(1)
    expect([...local.keys()]).toEqual([])
    tab.dispose()
    expect((await open().ready()).status).toBe('authenticated') // out of the storage of this session
    expect(stand.server.asked).toHaveLength(1)
  })

  test('two tabs ask once', async () => {
    const { stand, open } = await leftBy('ann')
    const tabs = [open(), open()]
    const states = await Promise.all(tabs.map((tab) => tab.ready()))
    expect(states.map(({ status }) => status)).toEqual(['authenticated', 'authenticated'])
    expect(stand.server.asked).toHaveLength(1)
  })

  test('is asked for once more where the server was away, and a token that has ended is taken away', async () => {
    const { stand, wire, local, open } = await leftBy('ann')
    wire.isDown = true
    const tab = open()
    await vi.waitFor(() => expect(wire.sent.length).toBeGreaterThan(2))
    expect([...local.keys()]).toEqual([KEY])
    stand.revoke('ann')
    wire.isDown = false
    expect((await tab.ready()).status).toBe('unauthenticated')
    expect([...local.keys()]).toEqual([])
  })

  test('nothing of it is read where this SDK holds a session', async () => {
    const { stand, local, open } = await leftBy('bob')
    const tab = open()
    await tab.ready()
    await stand.signIn(tab, 'ann')
    tab.dispose()
    local.set(KEY, 'ref_of_another')
    const next = open()
    expect((await next.ready()).user).toMatchObject({ id: 'ann' })
    expect(stand.server.asked.map((body) => body['refresh_token'])).not.toContain('ref_of_another')
    await next.signOut()
    expect([...local.keys()]).toEqual([])
    expect((await open().ready()).status).toBe('unauthenticated')
  })

  test.each([memory(), undefined])(
    'who signs out while the server is away stays so, whatever the storage',
    async (storage) => {
      const { stand, wire, local, open } = await leftBy('ann')
      wire.isDown = true
      const tab = open(storage && { storage })
      await vi.waitFor(() => expect(wire.sent.length).toBeGreaterThan(1))
      await tab.signOut()
      expect([...local.keys()]).toEqual([])
      tab.dispose()
      wire.isDown = false
      expect((await open(storage && { storage }).ready()).status).toBe('unauthenticated')
      expect(stand.server.asked).toHaveLength(0)
    },
  )

  test('a page without localStorage, or whose storage is blocked, goes on without it', async () => {
    const blocked = {
      getItem: () => {
        throw new DOMException('The operation is insecure.', 'SecurityError')
      },
    }
    for (const localStorage of [null, blocked as unknown as Storage]) {
      const session = createSession({
        backend: workos({ clientId: 'client_1', devMode: true }),
        storage: memory(),
        platform: { localStorage, fetch: () => Promise.reject(new Error('nobody is asked')) },
      })
      onTestFinished(session.dispose)
      expect((await session.ready()).status).toBe('unauthenticated')
      expect((await session.signOut()).status).toBe('unauthenticated')
    }
  })
})
