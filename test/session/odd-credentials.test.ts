// Credentials that are odd or none at all, from a login, a refresh or the page: taken as they are, or refused by type.

import {
  type Backend,
  createSession,
  type Credentials,
  defineBackend,
  InvalidTokenError,
  RefreshFailedError,
} from 'resesh'
import { observeResponses } from 'resesh/backends/kit'
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
    needsNoToken: true,
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
  ['a refusal with data of its own', { data: {}, error: 'wrong password' }],
  ['tokens one level too deep', { data: { accessToken: 'a', refreshToken: 'b' } }],
  ['tokens that are empty', { accessToken: '', refreshToken: '', data: { id: 1 } }],
])('a login that gives %s signs nobody in', async (_, said) => {
  const { session, wire } = await setup({ initial: null })
  expect(await thrownBy(session.signIn(said as Credentials))).toBeInstanceOf(InvalidTokenError)
  expect(await thrownBy(session.signIn(async () => said as Credentials))).toBeInstanceOf(InvalidTokenError)
  expect(session.current.status).toBe('unauthenticated')
  expect(() => createSession({ backend: fits, initial: said as Credentials })).toThrow(InvalidTokenError)
  expect(wire.sent).toEqual([])
})

test('the refusal names what was there, and the name that was probably meant', async () => {
  const { session } = await setup({ initial: null })
  const said = { access_token: 'canary', data: { token: 'canary' }, error: 'canary' } as unknown as Credentials
  const { message } = (await thrownBy(session.signIn(said))) as Error
  expect(message).toContain('(it has access_token, data.token, error; is it "access_token"?)')
  expect(message).not.toContain('canary')
})

test.each<[string, Credentials, Partial<Backend>]>([
  ['data', { data: { accessToken: 'new' } }, {}],
  ['another server’s names', { access_token: 'new' } as Credentials, {}],
  ['a refresh token alone', { refreshToken: 'next' }, {}],
  ['a user, though there is a token beside the cookie', { user: { id: 1 } }, { cookies: true, needsToken: true }],
])('a refresh that answers with %s has failed: nobody gets the old token for a fresh one', async (_, said, more) => {
  const backend = defineBackend({ refresh: async () => said, ...more })
  for (const how of ['getToken', 'refresh', 'reload'] as const) {
    const { session } = await setup({ backend, initial: { accessToken: 'old', user: { id: 1 } } })
    const asked = how === 'getToken' ? session.getToken({ skipCache: true }) : session[how]()
    const error = (await thrownBy(asked)) as Error
    expect(error).toBeInstanceOf(RefreshFailedError)
    expect(error.message).toContain(Object.keys(said)[0])
    expect(session.current.status).toBe('authenticated')
  }
})

test('a restore that answers with no token signs nobody in', async () => {
  const backend = defineBackend({ refresh: async () => null, restore: async () => ({ data: { error: 'nobody' } }) })
  const { session } = await setup({ backend, initial: null })
  expect(await thrownBy(session.signIn())).toMatchObject({ message: expect.stringContaining('data') })
  expect(session.current.status).toBe('unauthenticated')
})

test('a response that brings no token signs nobody in, and an error tells of it once', async () => {
  const backend = {
    ...defineBackend({ refresh: async () => null }),
    use: [observeResponses(() => ({ data: { error: 'wrong password' } }))],
  }
  const fetch = async () => new Response('served')
  const { session } = await setup({ backend, initial: null, origins: [url('')], platform: { fetch } })
  const told: unknown[] = []
  session.on('error', ({ error }) => told.push(error.cause))
  expect(await (await session.fetch(url('/login'))).text()).toBe('served')
  await session.fetch(url('/login'))
  expect(session.current.status).toBe('unauthenticated')
  expect(told).toMatchObject([{ code: 'ERR_INVALID_TOKEN' }])
})

test('a backend with cookies signs in without a token', async () => {
  const backend = defineBackend({ cookies: true, refresh: async () => ({ user: { id: 1 } }) })
  const { session } = await setup({ backend, initial: null })
  expect(await session.signIn({ user: { id: 1 } })).toMatchObject({ status: 'authenticated' })
  expect(await session.refresh()).toMatchObject({ status: 'authenticated', user: { id: 1 } })
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

test('the names below are listed as well, two levels deep, and never a value, nor a name that is one', async () => {
  const { session } = await setup({ initial: null })
  const deep = { jwt: 'canary', user: { name: 'canary', address: { city: 'canary' } } }
  const said = { data: deep, list: [{ id: 'canary' }], 'ann@canary.test': 1, 'canary.canary.canary': { a: 1 } }
  for (const from of [said, Response.json(said)]) {
    const { message } = (await thrownBy(session.signIn(from))) as Error
    expect(message).toContain('(it has data.jwt, data.user.name, list; is it "data.jwt"?)')
    expect(message).toContain("bearer({ answer: { accessToken: 'data.jwt' } })")
    expect(message).not.toContain('canary')
  }
})

test.each([
  [401, 'it answered 401. Nobody was signed in.'],
  [404, 'it answered 404. There is no such route: check the URL and the method of your login request.'],
  [503, 'it answered 503. That says nothing of the password: try again later.'],
])('a login that answers %i is told as what it is', async (status, says) => {
  const { session } = await setup({ initial: null })
  const { message } = (await thrownBy(session.signIn(new Response(null, { status })))) as Error
  expect(message).toContain(says)
})

test('a key below that may be a name or an id of somebody is not shown', async () => {
  const { session } = await setup({ initial: null })
  const said = { sessions: { canaryToken_9f8a7b6c: { user: 1 } }, users: { ann_canary: { id: 1 }, token: 'canary' } }
  const { message } = (await thrownBy(session.signIn(said))) as Error
  expect(message).toContain('(it has sessions, users.token; is it "users.token"?)')
  expect(message).not.toContain('canary')
})

test.each([
  [{ accessToken: null }, 'the answer has an empty "accessToken", or one that is no text (it has accessToken)'],
  [{ mfaRequired: true, mfaToken: 'x' }, '(it has mfaRequired, mfaToken)'],
  [{ csrfToken: 'x', idToken: 'x', resetToken: 'x' }, '(it has csrfToken, idToken, resetToken)'],
])('no name is suggested that is no access token: %j', async (said, expected) => {
  const { session } = await setup({ initial: null })
  expect(String(await thrownBy(session.signIn(Response.json(said))))).toContain(expected)
})

test.each([{ refreshTokenExpiresAt: '2027-01-01' }, { refresh_token_expires_in: '3600' }])(
  'when a refresh token expires is no refresh token under another name: %j',
  async (said) => {
    const { session } = await setup({ initial: null })
    expect((await session.signIn({ accessToken: 'a', ...said })).status).toBe('authenticated')
  },
)

test('an answer with any number of names makes no long message, and none makes a token of the refresh token', async () => {
  const { session } = await setup({ initial: null })
  const users = Object.fromEntries(Array.from({ length: 5_000 }, (_, id) => [`u${id}`, { name: 'canary' }]))
  const { message } = (await thrownBy(session.signIn({ users } as never))) as Error
  expect(message.length).toBeLessThan(700)
  const other = (await thrownBy(session.signIn({ refresh_token: 'canary', ok: true } as never))) as Error
  expect(other.message).not.toContain('is it "refresh_token"')
})

test('the JSON of a login that was refused: the message asks for the Response', async () => {
  const { session } = await setup({ initial: null })
  const { message } = (await thrownBy(session.signIn({ error: 'wrong password' } as never))) as Error
  expect(message).toMatch(/Was it refused\? Give signIn\(\) the Response itself, so that it sees the status\.$/)
  expect(message).not.toContain('wrong password')
})
