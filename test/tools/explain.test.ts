// Why the user is signed out or the session stale: one sentence, and a code that support can go by.

import { createSession, memory, type SessionOptions } from 'resesh'
import { bearer } from 'resesh/backends/bearer'
import { debug } from 'resesh/debug'
import { explain } from 'resesh/explain'
import { expect, onTestFinished, test } from 'vitest'
import { createClock, evenChance, jwt, settled, setup, url } from '../support/session.ts'
import { remembering, written } from './written.ts'

const initial = { accessToken: jwt({ sub: 'ann' }), refreshToken: 'the-first-one' }

/** A session whose server answers so, after a request has met that. */
const after = async (answer: () => Response | Promise<Response>, options: Partial<SessionOptions> = {}) => {
  const clock = createClock()
  const session = createSession({
    backend: bearer({ refreshUrl: url('/auth/refresh') }),
    initial,
    storage: memory(),
    ...options,
    platform: {
      ...clock.platform,
      Math: evenChance,
      fetch: async (input) =>
        String(input instanceof Request ? input.url : input).includes('/auth/')
          ? answer()
          : new Response(null, { status: 401 }),
    },
  })
  onTestFinished(session.dispose)
  await settled()
  onTestFinished(debug(session, { on: false }))
  void session.fetch(url('/api/me')).catch(() => {})
  await clock.pass(2_000)
  return { session, clock }
}

test('signed in, and nothing is wrong', async () => {
  const { session } = await setup()
  expect(explain(session)).toMatchObject({ code: 'signed-in' })
})

test.each<[code: string, says: RegExp, answer: () => Response | Promise<Response>]>([
  ['stale/network', /could not be reached/, () => Promise.reject(new TypeError('Failed to fetch'))],
  ['stale/server-error', /error of its own.*answered 503/, () => new Response(null, { status: 503 })],
  ['stale/rate-limited', /429/, () => new Response(null, { status: 429 })],
  ['stale/wrong-url', /no such route/, () => new Response(null, { status: 404 })],
  [
    'stale/wrong-url',
    /no such route/,
    () => new Response('<!doctype html>', { headers: { 'content-type': 'text/html' } }),
  ],
  ['stale/unreadable', /no token.*it has token/, () => Response.json({ token: 'secret' })],
  ['stale/refused', /refused the request/, () => new Response(null, { status: 409 })],
])('%s', async (code, says, answer) => {
  const { session } = await after(answer)
  expect(session.current.stale).toBe(true)
  const told = explain(session)
  expect(told.code).toBe(code)
  expect(told.sentence).toMatch(says)
  expect(told.sentence).not.toContain('secret')
  expect(told.sentence.match(/session is kept/g)).toHaveLength(1)
  expect(String(told)).toBe(`${told.sentence} [${code}]`)
})

test('stale/timeout', async () => {
  const { session, clock } = await after(() => new Promise(() => {}))
  await clock.pass(10_000)
  expect(explain(session).code).toBe('stale/timeout')
})

test('once it has worked again, nothing is wrong', async () => {
  let status = 503
  const { session, clock } = await after(() =>
    status === 200 ? Response.json(initial) : new Response(null, { status }),
  )
  expect(explain(session).code).toBe('stale/server-error')
  status = 200
  await clock.pass(60_000)
  expect(explain(session).code).toBe('signed-in')
})

test.each<[code: string, answer: () => Response]>([
  ['signed-out/expired', () => new Response(null, { status: 401 })],
  ['signed-out/revoked', () => Response.json({ error: 'revoked' }, { status: 401 })],
  ['signed-out/reused', () => Response.json({ error: 'reuse' }, { status: 401 })],
])('%s', async (code, answer) => {
  expect(explain((await after(answer)).session).code).toBe(code)
})

test('the refresh that ended it is named, where debug looked on', async () => {
  const { session, server } = await written({}, { on: true })
  server.revoke('ann')
  await session.refresh()
  const { code, sentence } = explain(session)
  expect(code).toBe('signed-out/expired')
  expect(sentence).toMatch(
    /in its answer to refresh 1 \(POST https:\/\/api\.example\.test\/auth\/refresh answered 401\)\.$/,
  )
})

test('signed out by the user; never signed in; disposed of', async () => {
  const { session } = await setup()
  await session.signOut()
  expect(explain(session).code).toBe('signed-out/by-user')
  const { session: empty } = await setup({ initial: null })
  expect(explain(empty).code).toBe('signed-out/never')
  empty.dispose()
  expect(explain(empty).code).toBe('disposed')
})

test('no refresh token was there to renew it with', async () => {
  const { session } = await after(() => new Response(null, { status: 401 }), {
    initial: { accessToken: initial.accessToken },
  })
  expect(explain(session).code).toBe('signed-out/no-refresh-token')
})

test('not known yet, and why not', async () => {
  const storage = { name: 'silent', isShared: () => true, open: () => new Promise<never>(() => {}) }
  const clock = createClock()
  const session = createSession({ backend: bearer({ refreshUrl: '/r' }), storage, platform: clock.platform })
  onTestFinished(session.dispose)
  expect(explain(session).code).toBe('loading')
  await clock.pass(11_000)
  expect(explain(session).code).toBe('loading/storage')
})

test('a silent debug remembers who signed the user out', async () => {
  const { session } = await setup()
  const { console, lines } = remembering()
  onTestFinished(debug(session, { console }))
  await session.signOut()
  expect(explain(session).sentence).toContain('session.signOut()')
  expect(lines).toEqual([])
})

test('a refresh that the app asked for failed, and the token is good yet', async () => {
  const { session, server } = await setup()
  server.knobs.refreshFailures = [503]
  await session.refresh().catch(() => {})
  expect(explain(session)).toMatchObject({
    code: 'signed-in',
    sentence: expect.stringMatching(
      /^The user is signed in, and the session goes on with the token that it has, but the last refresh failed.*answered 503\.$/,
    ),
  })
  await session.refresh()
  expect(explain(session).sentence).toContain('no problem is known')
})
