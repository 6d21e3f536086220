// Clerk over a stand-in of our own: the contract, and the traps of its protocol.

import { InvalidOptionError, RefreshFailedError, StepUpRequiredError, type Session } from 'resesh'
import { clerk } from 'resesh/backends/clerk'
import { expect, test, vi } from 'vitest'
import type { Clock } from './browser.ts'
import { Clerk } from '../servers/vendors/clerk.ts'
import { createScene, testBackend } from './contract.ts'
import { API, json, standOf } from './stand-in.ts'
import { thrownBy } from '../support/session.ts'

const FRONTEND = 'https://clerk.example.test'

const stand = (clock: Clock) => {
  const server = new Clerk(clock)
  return standOf(server, {
    backend: () => clerk({ frontendApi: FRONTEND }),
    refreshPath: '/v1/client/sessions/session_1/tokens',
    forgives: true,
    comeLate: () => (server.latecomers = 1),
    signIn: async (tab: Session, identifier: string) => {
      await tab.signIn(async ({ fetch }) => {
        const body = new URLSearchParams({ identifier })
        await fetch(`${FRONTEND}/v1/sign_ins`, { method: 'POST', body, credentials: 'include' })
      })
    },
    stepUp: { url: `${API}/api/vault`, type: 'reverification', meet: () => (server.isVaultOpen = true) },
  })
}

testBackend('clerk', stand)

const scene = () => createScene(stand)
const claimsOf = (token: string | null) => JSON.parse(atob(token!.split('.')[1]!)) as Record<string, unknown>

test('its calls need no preflight, and name the session', async () => {
  const { wire, signedIn } = scene()
  await (await signedIn()).refresh()
  const [sent] = wire.to('/v1/client/sessions/session_1/tokens')
  expect(sent!.method).toBe('POST')
  expect([...sent!.headers.keys()]).toEqual(['content-type'])
  expect(await sent!.text()).toBe('organization_id=')
  expect(new URL(sent!.url).search).toBe('?__clerk_api_version=2026-05-12')
})

test('a start brings session, user and token in one call', async () => {
  const { wire, open, signedIn } = scene()
  ;(await signedIn()).dispose()
  const before = wire.sent.length
  const state = await open().ready()
  expect(wire.sent.slice(before).map(({ path }) => path)).toEqual(['/v1/client'])
  expect(state).toMatchObject({ user: { id: 'ann', first_name: 'Ann' }, claims: { sub: 'ann', sid: 'session_1' } })
})

test('a start without a token asks for one', async () => {
  const {
    stand: { server },
    open,
    signedIn,
  } = scene()
  ;(await signedIn()).dispose()
  server.withTokens = false
  const tab = open()
  await tab.ready()
  expect(claimsOf(await tab.getToken())).toMatchObject({ sub: 'ann' })
})

test('a birthday shows after a reload: one call, the user and the token', async () => {
  const {
    stand: { edit },
    wire,
    signedIn,
  } = scene()
  const tab = await signedIn()
  edit('ann', { birthday: '2000-02-29', name: 'Anna' })
  await tab.getToken({ skipCache: true })
  expect(tab.current).toMatchObject({ user: { public_metadata: { birthday: '1990-05-01' } }, claims: { name: 'Anna' } })
  const before = wire.sent.length
  const state = await tab.reload()
  expect(state.user).toMatchObject({ public_metadata: { birthday: '2000-02-29' } })
  expect(wire.sent.slice(before).map(({ path }) => path)).toEqual(['/v1/me'])
})

test('a token for an organization does not switch to it; a refresh for one does', async () => {
  const { signedIn } = scene()
  const tab = await signedIn()
  expect(claimsOf(await tab.getToken({ organizationId: 'org_1' }))).toMatchObject({ o: { id: 'org_1' } })
  expect(tab.current.organizationId).toBeNull()
  expect(claimsOf(await tab.getToken())).not.toHaveProperty('o')
  expect(await tab.refresh({ organizationId: 'org_1' })).toMatchObject({ organizationId: 'org_1', reason: 'switched' })
  expect(claimsOf(await tab.getToken({ skipCache: true }))).toMatchObject({ o: { id: 'org_1' } })
})

test('an empty organization is the personal account: switched to, or a token beside the session', async () => {
  const { wire, signedIn } = scene()
  const tab = await signedIn()
  await tab.refresh({ organizationId: 'org_1' })
  expect(claimsOf(await tab.getToken({ organizationId: '' }))).not.toHaveProperty('o')
  expect(tab.current.organizationId).toBe('org_1')
  expect(await tab.refresh({ organizationId: '' })).toMatchObject({ organizationId: null, reason: 'switched' })
  expect(claimsOf(await tab.getToken())).not.toHaveProperty('o')
  const [, last] = wire.to('/v1/client/sessions/session_1/touch')
  expect(await last!.text()).toBe('active_organization_id=&intent=select_org')
})

test.each([{ template: 'hasura' }, { organizationId: 'org_1' }])(
  'a token beside the session that is refused (%o): the list of sessions decides',
  async (target) => {
    const {
      stand: { server, revoke },
      wire,
      signedIn,
    } = scene()
    const tab = await signedIn()
    const refused = () =>
      server.instead.push({ path: /tokens/, response: json({ errors: [{ code: 'authentication_invalid' }] }, 401) })
    refused()
    expect(await thrownBy(tab.getToken(target))).toBeInstanceOf(RefreshFailedError)
    expect(tab.current.status).toBe('authenticated')
    revoke('ann')
    refused()
    expect(await tab.getToken(target)).toBeNull()
    expect(tab.current).toMatchObject({ status: 'unauthenticated', reason: 'expired', user: null, claims: null })
    const asked = wire.sent.length
    expect(await tab.getToken(target)).toBeNull()
    expect(wire.sent).toHaveLength(asked)
  },
)

test('a refused token beside the session ends nothing where somebody has signed in meanwhile', async () => {
  const {
    stand: { server },
    wire,
    open,
    signedIn,
  } = scene()
  const [first, second] = [await signedIn(), open()]
  await second.ready()
  server.instead.push({ path: /tokens/, response: json({ errors: [{ code: 'authentication_invalid' }] }, 401) })
  server.instead.push({ path: /client$/, response: json({ response: { sessions: [] } }) })
  const held = wire.hold('/v1/client')
  const token = first.getToken({ template: 'hasura' }).catch(() => null)
  await held.arrived
  await second.signIn({ accessToken: server.mint(server.begin('bob')) })
  held.release()
  await token
  const users = () => [first, second].map(({ current }) => current.claims?.['sub'])
  await vi.waitFor(() => expect(users()).toEqual(['bob', 'bob']))
})

test('a refused switch keeps the session as it was', async () => {
  const { signedIn } = scene()
  const tab = await signedIn()
  expect(await thrownBy(tab.refresh({ organizationId: 'org_other' }))).toBeInstanceOf(RefreshFailedError)
  expect(tab.current).toMatchObject({ status: 'authenticated', organizationId: null })
})

test('a template is a token of another shape, shared by who asks for it', async () => {
  const { wire, signedIn } = scene()
  const tab = await signedIn()
  const tokens = await Promise.all(Array.from({ length: 5 }, () => tab.getToken({ template: 'hasura' })))
  expect(claimsOf(tokens[0]!)).toMatchObject({ template: 'hasura' })
  expect(wire.to('/v1/client/sessions/session_1/tokens/hasura')).toHaveLength(1)
})

test('a 401 that the list of sessions does not confirm is a false alarm', async () => {
  const {
    stand: { server },
    signedIn,
  } = scene()
  const tab = await signedIn()
  server.instead.push({ path: /tokens$/, response: json({ errors: [{ code: 'authentication_invalid' }] }, 401) })
  expect(await thrownBy(tab.refresh())).toBeInstanceOf(RefreshFailedError)
  expect(tab.current.status).toBe('authenticated')
})

test.each([401, 403, 500])('a 401 whose confirmation meets a %s ends nothing', async (status) => {
  const {
    stand: { server },
    signedIn,
  } = scene()
  const tab = await signedIn()
  server.instead.push({ path: /tokens$/, response: json({ errors: [{ code: 'authentication_invalid' }] }, 401) })
  server.instead.push({ path: /client$/, response: json({ errors: [] }, status) })
  expect(await thrownBy(tab.refresh())).toBeInstanceOf(RefreshFailedError)
  expect(tab.current.status).toBe('authenticated')
})

test.each([
  [401, 'authentication_invalid'],
  [403, 'user_banned'],
  [422, 'session_invalid'],
])('a %s (%s) that the list confirms is the end', async (status, code) => {
  const {
    stand: { server, revoke },
    wire,
    signedIn,
  } = scene()
  const tab = await signedIn()
  revoke('ann')
  server.instead.push({ path: /tokens$/, response: json({ errors: [{ code }] }, status) })
  expect((await tab.refresh()).status).toBe('unauthenticated')
  expect(wire.to('/v1/client')).toHaveLength(2)
})

test.each([
  [401, 'dev_browser_unauthenticated'],
  [404, 'resource_not_found'],
])('a %s (%s) says nothing about the session, and nobody is asked', async (status, code) => {
  const {
    stand: { server },
    wire,
    signedIn,
  } = scene()
  const tab = await signedIn()
  const before = wire.to('/v1/client').length
  server.instead.push({ path: /tokens$/, response: json({ errors: [{ code }] }, status) })
  expect(await thrownBy(tab.refresh())).toBeInstanceOf(RefreshFailedError)
  expect(wire.to('/v1/client')).toHaveLength(before)
})

test('an empty token is an answer, and no sign-out: asked for again on the ordinary back-off', async () => {
  const {
    stand: { server },
    signedIn,
  } = scene()
  const tab = await signedIn()
  const empty = json({ object: 'token', jwt: '', message: 'No key to sign with' })
  server.instead.push({ path: /tokens$/, response: empty })
  const error = (await thrownBy(tab.refresh())) as RefreshFailedError
  expect(error).toBeInstanceOf(RefreshFailedError)
  expect([error.message, error.spent]).toEqual([expect.stringContaining(': No key to sign with'), false])
  expect(tab.current.status).toBe('authenticated')
  expect((await tab.refresh()).status).toBe('authenticated')
})

test('the old token is handed over where the server asks for it', async () => {
  const {
    stand: { server },
    wire,
    signedIn,
  } = scene()
  const tab = await signedIn()
  const old = await tab.getToken()
  server.wantsExpiredToken = true
  expect(await tab.getToken({ skipCache: true })).not.toBe(old)
  const [, again] = wire.to('/v1/client/sessions/session_1/tokens')
  expect(new URL(again!.url).searchParams.get('expired_token')).toBe(old)
})

test('a pending session is kept, and what it waits for is said', async () => {
  const {
    stand: { server },
    signedIn,
  } = scene()
  const tab = await signedIn()
  server.pending.add(server.logins[0]!)
  const error = (await thrownBy(tab.reload())) as StepUpRequiredError
  expect(error.challenge).toEqual({ type: 'setup-mfa' })
  expect(tab.current.status).toBe('authenticated')
})

test('with a pending session at the start nobody is signed in, and the app is told why', async () => {
  const {
    stand: { server },
    open,
    signedIn,
  } = scene()
  const first = await signedIn()
  await first.signOut({ local: true })
  first.dispose()
  server.pending.add(server.logins[0]!)
  const tab = open()
  const told: unknown[] = []
  tab.on('error', ({ error }) => told.push((error as StepUpRequiredError).challenge))
  expect((await tab.ready()).status).toBe('unauthenticated')
  expect(told).toEqual([{ type: 'setup-mfa' }])
})

test('a refusal is told in the words of the server', async () => {
  const {
    stand: { server },
    signedIn,
  } = scene()
  const tab = await signedIn()
  const errors = [{ code: 'authentication_invalid', message: 'Invalid authentication', long_message: 'Try later.' }]
  server.instead.push({ path: /tokens$/, response: json({ errors }, 401) })
  const error = (await thrownBy(tab.refresh())) as RefreshFailedError
  expect(error.message).toContain('answered 401: authentication_invalid, Try later, Invalid authentication. The')
})

test('a template for an organization is refused: its token would be that of the active organization', async () => {
  const { wire, signedIn } = scene()
  const tab = await signedIn()
  await tab.refresh({ organizationId: 'org_1' })
  const before = wire.sent.length
  for (const organizationId of ['org_2', 'org_1', '']) {
    const error = await thrownBy(tab.getToken({ template: 'hasura', organizationId }))
    expect(error).toBeInstanceOf(InvalidOptionError)
    expect(error).toMatchObject({ option: 'organizationId' })
  }
  expect(wire.sent).toHaveLength(before)
  expect(claimsOf(await tab.getToken({ template: 'hasura' }))).toMatchObject({ o: { id: 'org_1' } })
})
