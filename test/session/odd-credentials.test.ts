// Credentials that are odd or none at all, from a login, a refresh or the page: taken as they are, or refused by type.

import { createSession, type Credentials, defineBackend, InvalidTokenError } from 'resesh'
import { expect, test } from 'vitest'
import { answering } from '../support/answering.ts'
import { createWire, jwt, setup, thrownBy, url } from '../support/session.ts'

const fits = defineBackend({ refresh: async () => null })

test('a token that is no JWT is used as it is, and has no claims', async () => {
  const { server, session } = await setup({}, { knobs: { refreshFailures: ['opaque'] } })
  const state = await session.refresh()
  expect(state).toMatchObject({ status: 'authenticated', claims: null })
  expect((await session.fetch(url('/api/me'))).status).toBe(200)
  expect(server.stats.refreshes).toBe(1)
})

test.each(['a.b.c', '..', 'a..c', `x.${'!'.repeat(9)}.y`, `x.${Buffer.from('[1]').toString('base64url')}.y`, '🙂'])(
  'a token of the text %s never throws out of a getter',
  async (accessToken) => {
    const { session } = await setup({ initial: null })
    await session.signIn({ accessToken }).catch((error: unknown) => expect(error).toBeInstanceOf(InvalidTokenError))
    expect(session.current.claims === null || typeof session.current.claims === 'object').toBe(true)
  },
)

test('a payload that names __proto__ pollutes nothing', async () => {
  const payload = Buffer.from('{"__proto__":{"polluted":true},"sub":"a"}').toString('base64url')
  const { session } = await setup({ initial: { accessToken: `x.${payload}.y` } })
  expect(session.current.claims).toMatchObject({ sub: 'a' })
  expect({}).not.toHaveProperty('polluted')
})

test.each(['a\r\nx-evil: 1', 'a\0b', 'a b', 'tökén'])(
  'a login with the token %j is an InvalidTokenError',
  async (bad) => {
    const { session, states } = await setup()
    expect(await thrownBy(session.signIn({ accessToken: bad }))).toBeInstanceOf(InvalidTokenError)
    expect(states).toEqual([])
  },
)

test('credentials without a token are the backend’s own, at a login and after a refresh', async () => {
  const backend = defineBackend({
    attach: (headers, held) => headers.set('x-session', String(held?.data?.['id'])),
    refresh: async () => ({ data: { id: 'second' } }),
  })
  const wire = createWire(async () => new Response('served'))
  const { session } = await setup({ backend, initial: null, origins: [url('')], platform: { fetch: wire.fetch } })
  await session.signIn({ data: { id: 'first' } })
  await session.fetch(url('/api/me'))
  await session.refresh()
  await session.fetch(url('/api/me'))
  expect(wire.sent.map(({ headers }) => headers.get('x-session'))).toEqual(['first', 'second'])
})

test('an initial token that cannot stand in a header is refused before anything starts', () => {
  const backend = defineBackend({ refresh: async () => null })
  expect(() => createSession({ backend, initial: { accessToken: 'a\nb' } })).toThrow(InvalidTokenError)
})

test.each<[string, unknown]>([
  ['the JSON of a refusal', { error: 'wrong_password' }],
  ['another server’s names', { access_token: 'a', refresh_token: 'b' }],
  ['a token that is null', { accessToken: null }],
  ['a Response', new Response('{}')],
])('a login that gives %s signs nobody in', async (_, said) => {
  const { session, wire } = await setup({ initial: null })
  expect(await thrownBy(session.signIn(said as Credentials))).toBeInstanceOf(InvalidTokenError)
  expect(await thrownBy(session.signIn(async () => said as Credentials))).toBeInstanceOf(InvalidTokenError)
  expect(session.current.status).toBe('unauthenticated')
  expect(() => createSession({ backend: fits, initial: said as Credentials })).toThrow(InvalidTokenError)
  expect(wire.sent).toEqual([])
})

test('a token of a megabyte is no reason to hang', async () => {
  const accessToken = jwt({ fill: 'a'.repeat(1_000_000) })
  const { session } = await setup({ initial: { accessToken } })
  expect(session.current.claims).toBeNull()
})

test('a user that is no object is told from the next one', async () => {
  const { session } = await answering(null)
  for (const user of [1, 2, 'ann', 'bob', true] as never[]) {
    await session.signIn({ accessToken: 'a', user })
    expect(session.current.user).toBe(user)
  }
})
