// What is attached to a request and to whose, and that nothing else of it or of its answer changes.

import { defineBackend } from 'resesh'
import { expect, test } from 'vitest'
import { over } from '../support/answering.ts'
import { createClock, setup, url } from '../support/session.ts'

test('a request with a good token is sent before fetch returns', async () => {
  const { session, calls } = await over()
  const response = session.fetch(url('/a'))
  expect(calls).toHaveLength(1)
  await response
})

test('a response is the very one that fetch gave, its body unread', async () => {
  const answer = new Response('served')
  const { session } = await over(() => answer)
  const response = await session.fetch(url('/a'))
  expect(response).toBe(answer)
  expect(response.bodyUsed).toBe(false)
})

test("the caller's own headers object is not written to", async () => {
  const { session } = await over()
  const headers = new Headers()
  await session.fetch(url('/a'), { headers })
  expect([...headers]).toEqual([])
})

test("the caller's own Authorization is left alone, and its 401 handed back", async () => {
  const { session, tokens, refreshes } = await over(() => new Response(null, { status: 401 }))
  const response = await session.fetch(url('/a'), { headers: { authorization: 'Basic of-my-own' } })
  expect(response.status).toBe(401)
  expect(tokens()).toEqual(['Basic of-my-own'])
  expect(refreshes()).toBe(0)
})

test("the caller's own Authorization does not wait for a refresh", async () => {
  const clock = createClock()
  const { session, wire } = await setup({}, { clock })
  await clock.pass(61_000)
  const headers = { authorization: 'Basic of-my-own' }
  expect((await session.fetch(url('/api/me'), { headers })).status).toBe(401)
  expect(wire.sent).toHaveLength(1)
})

test("a caller's own Authorization that is an old token of ours is renewed", async () => {
  const { session, tokens } = await over()
  await session.refresh()
  await session.fetch(url('/a'), { headers: { authorization: 'Bearer token-0' } })
  expect(tokens()).toEqual(['Bearer token-1'])
})

test("a caller's own Authorization that is our token of now takes part in a refresh", async () => {
  const { session } = await over((token) => new Response(null, { status: token === 'Bearer token-1' ? 200 : 401 }))
  const headers = { authorization: `Bearer ${await session.getToken()}` }
  expect((await session.fetch(url('/a'), { headers })).status).toBe(200)
})

test('an old token of one user is not renewed into one of the next', async () => {
  const { session, tokens } = await over()
  await session.signIn({ accessToken: 'of-somebody-else' })
  await session.fetch(url('/a'), { headers: { authorization: 'Bearer token-0' } })
  expect(tokens()).toEqual(['Bearer token-0'])
})

test('the backend is handed the plain fetch: its calls are neither held nor given a token', async () => {
  const { session, tokens } = await over(undefined, {
    backend: defineBackend({
      async refresh(_credentials, { fetch }) {
        await fetch(url('/refresh'))
        return { accessToken: 'token-1' }
      },
    }),
  })
  await session.refresh()
  expect(tokens()).toEqual([null])
})
