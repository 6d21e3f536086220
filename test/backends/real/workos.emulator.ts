// WorkOS over the emulator of its own command line tool, 0.14.0: the contract in development mode, which is all it speaks. Not
// among the tests of `npm test`: see test/setup/workos.mjs.

import { createHash, randomBytes } from 'node:crypto'
import type { Session, State } from 'resesh'
import { fromAuthenticateResponse, workos } from 'resesh/backends/workos'
import { expect, test } from 'vitest'
import { createScene, testBackend } from '../contract.ts'
import type { Controls } from './servers/workos.ts'
import { standOver, useServer } from './support/server.ts'

const HOST = 'https://api.workos.com/user_management'
const server = useServer<Controls>('workos')
const { control } = server

const authorize = async (user: string): Promise<object> => {
  const code_verifier = randomBytes(32).toString('base64url')
  const query = new URLSearchParams({
    client_id: 'client_1',
    redirect_uri: 'http://localhost/callback',
    response_type: 'code',
    login_hint: `${user}@example.test`,
    code_challenge: createHash('sha256').update(code_verifier).digest('base64url'),
    code_challenge_method: 'S256',
  })
  const response = await fetch(`${server.origin}/user_management/authorize?${query}`, { redirect: 'manual' })
  const code = new URL(response.headers.get('location')!).searchParams.get('code')
  return { client_id: 'client_1', grant_type: 'authorization_code', code, code_verifier }
}

const stand = () =>
  standOver(server, {
    backend: () => workos({ clientId: 'client_1', devMode: true }),
    refreshPath: '/user_management/authenticate',
    lifeMs: 3_600_000,
    nameIn: ({ user }: State) => user?.['firstName'],
    signIn: (tab: Session, user: string) =>
      tab.signIn(async ({ fetch }) => {
        const body = JSON.stringify(await authorize(user))
        const headers = { 'content-type': 'application/json' }
        const response = await fetch(`${HOST}/authenticate?exchange`, { method: 'POST', headers, body })
        return fromAuthenticateResponse(await response.json()) as object
      }),
    expire: control.expire,
    revoke: control.revoke,
    edit: control.edit,
  })

testBackend('workos', stand)

test('a switch of the organization stays: claims and role with it', async () => {
  const { signedIn } = createScene(stand)
  const tab = await signedIn()
  const organizationId = await control.employ('ann')
  const state = await tab.refresh({ organizationId })
  expect(state).toMatchObject({ organizationId, reason: 'switched', claims: { org_id: organizationId, role: 'admin' } })
  expect(await tab.refresh()).toMatchObject({ organizationId, claims: { role: 'admin' } })
})

test('a sign-out ends the session of that id', async () => {
  const { signedIn } = createScene(stand)
  const tab = await signedIn()
  const id = tab.current.claims!['sessionId'] as string
  expect(await control.knows(id)).toBe(true)
  await tab.signOut()
  expect(await control.knows(id)).toBe(false)
})
