// What a backend can't do is refused, before anything is sent: an app that went on would have the token of another tenant.

import { type Backend, createSession, defineBackend, InvalidOptionError, memory } from 'resesh'
import { authjs } from 'resesh/backends/authjs'
import { betterAuth } from 'resesh/backends/better-auth'
import { sideTokens } from 'resesh/side-tokens'
import { expect, test } from 'vitest'
import { bearerBackend, cookieBackend, jwt, oauth2Backend, setup, thrownBy, url } from '../support/session.ts'

const asked = {
  'refresh organizationId': (session) => session.refresh({ organizationId: 'globex' }),
  'refresh data': (session) => session.refresh({ data: { role: 'admin' } }),
  'reload data': (session) => session.reload({ data: { role: 'admin' } }),
  'getToken organizationId': (session) => session.getToken({ organizationId: 'globex' }),
  'getToken template': (session) => session.getToken({ template: 'hasura' }),
  'getToken resource': (session) => session.getToken({ resource: 'https://api.example.com' }),
  'getToken template and organizationId': (session) =>
    session.getToken({ template: 'hasura', organizationId: 'globex' }),
} satisfies Record<string, (session: Awaited<ReturnType<typeof setup>>['session']) => Promise<unknown>>

const initial = { accessToken: jwt({ sub: 'ann' }), refreshToken: 'r1', user: { id: 'ann' } }

/** What each backend of ours can be asked for. */
const accepted: [name: string, Backend<any>, readonly (keyof typeof asked)[]][] = [
  ['bearer', bearerBackend(), []],
  ['cookie', cookieBackend(), []],
  ['oauth2', oauth2Backend(), ['getToken resource']],
  ['authjs', authjs({ baseUrl: url('/api/auth') }), ['refresh data', 'reload data']],
  ['betterAuth', betterAuth({ baseUrl: url('/api/auth') }), []],
  ['one of your own', defineBackend({ refresh: async () => null }), []],
]

for (const [name, backend, can] of accepted)
  test.each(Object.keys(asked) as (keyof typeof asked)[])(`${name}: %s is refused, or done`, async (what) => {
    const { session, wire } = await setup({ backend, initial, use: [sideTokens()], storage: memory() })
    const before = wire.sent.length
    const said = await asked[what](session as never).catch((error: unknown) => error)
    if (can.includes(what)) return expect(said).not.toBeInstanceOf(InvalidOptionError)
    expect(said).toBeInstanceOf(InvalidOptionError)
    expect(String(said)).toMatch(/backend/)
    expect(wire.sent).toHaveLength(before)
    expect(session.current.status).toBe('authenticated')
  })

test('a backend of your own says what it takes, and gets it', async () => {
  const wanted: unknown[] = []
  const backend = defineBackend({
    accepts: ['organizationId', 'data'],
    mints: ['template'],
    refresh: async (_held, _io, intent) => (wanted.push(intent), { accessToken: jwt({ sub: 'ann' }) }),
    token: async (_held, _io, intent) => (wanted.push(intent), { accessToken: 'side' }),
  })
  const { session } = await setup({ backend, initial, use: [sideTokens()] })
  await session.refresh({ organizationId: 'globex' })
  await session.reload({ data: { a: 1 } })
  expect(await session.getToken({ template: 'hasura' })).toBe('side')
  expect(wanted).toMatchObject([{ organizationId: 'globex' }, { data: { a: 1 } }, { template: 'hasura' }])
  expect(await thrownBy(session.getToken({ template: 'hasura', resource: 'x' }))).toMatchObject({ option: 'resource' })
})

test('what else the server said is there for the app, kept over refreshes, and no part of the state', async () => {
  let nth = 0
  const backend = defineBackend({
    refresh: async () => ({
      accessToken: jwt({ sub: 'ann', n: ++nth }),
      ...(nth > 1 && { extras: { scope: 'read' } }),
    }),
  })
  const extras = { idToken: 'id-1', scope: 'read write' }
  const { session } = await setup({ backend, initial: { ...initial, extras } })
  await session.refresh()
  expect(session.extras).toEqual(extras)
  await session.refresh()
  expect(session.extras).toEqual({ idToken: 'id-1', scope: 'read' })
  expect(JSON.stringify(session.current)).not.toContain('id-1')
  await session.signOut()
  expect(session.extras).toBeNull()
})

test('a backend whose credentials others keep stores none', () => {
  const opened: string[] = []
  const backend = { ...defineBackend({ refresh: async () => null }), inMemory: true }
  const indexedDB = { open: (name: string) => (opened.push(name), {}) } as unknown as IDBFactory
  createSession({ backend, platform: { indexedDB } }).dispose()
  expect(opened).toEqual([])
})
