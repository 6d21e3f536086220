// A refresh, or a question who is signed in, that can't work: told at the first try, over in time, its cause in each later error.

import { type AnySessionError, createSession, memory, RefreshFailedError, type SessionError } from 'resesh'
import { bearer } from 'resesh/backends/bearer'
import { cookie } from 'resesh/backends/cookie'
import { expect, onTestFinished, test } from 'vitest'
import { createClock, evenChance, settled, thrownBy, url } from '../support/session.ts'

const html = () => new Response('<html>', { headers: { 'content-type': 'text/html' } })
const kinds: [name: string, refresh: () => Response, message: RegExp][] = [
  ['HTML', html, /POST https:\S+\/refresh: answered 200, but not with a JSON object \(text\/html\)/],
  ['other field names', () => Response.json({ jwt: 'x' }), /POST https:\S+\/refresh: .*"accessToken".*jwt/],
  [
    'nothing that CORS lets scripts see',
    () => {
      throw new TypeError('Failed to fetch')
    },
    /POST https:\S+\/refresh: Failed to fetch/,
  ],
  ['404', () => new Response(null, { status: 404 }), /POST https:\S+\/refresh: answered 404/],
]

const refusing = async (refresh: () => Response) => {
  const clock = createClock()
  const fetch = async (input: RequestInfo | URL) =>
    new URL(input as string).pathname === '/refresh' ? refresh() : new Response(null, { status: 401 })
  const session = createSession({
    backend: bearer({ refreshUrl: url('/refresh') }),
    initial: { accessToken: 'a', refreshToken: 'r' },
    storage: memory(),
    platform: { ...clock.platform, Math: evenChance, fetch },
  })
  onTestFinished(session.dispose)
  await settled()
  const errors: AnySessionError[] = []
  session.on('error', ({ error }) => errors.push(error))
  return { session, clock, errors }
}

test.each(kinds)('a refresh that answers %s: told at once, rejected in time', async (_, refresh, message) => {
  const { session, clock, errors } = await refusing(refresh)
  const failed = thrownBy(session.fetch(url('/api')))
  await clock.pass(100)
  expect(errors).toHaveLength(1)
  expect(errors[0]!.message).toMatch(message)
  await clock.pass(11_000)
  const error = (await Promise.race([failed, Promise.resolve('waits')])) as SessionError
  expect(error).toBeInstanceOf(RefreshFailedError)
  expect(error.message).toMatch(message)
})

test('the cause is in each later error', async () => {
  const [, refresh, message] = kinds[3]!
  const { session, clock } = await refusing(refresh)
  for (let nth = 0; nth < 6; nth++) {
    const failed = thrownBy(session.fetch(url('/api')))
    await clock.pass(12_000)
    const error = (await failed) as RefreshFailedError
    expect(error.message).toMatch(message)
    expect(error.refusal?.status).toBe(404)
  }
})

test('who is signed in: an answer in HTML is told at once to ready() and to requests, and asking goes on', async () => {
  const clock = createClock()
  let answer = html
  const session = createSession({
    backend: cookie({ sessionUrl: url('/session') }),
    storage: memory(),
    platform: { ...clock.platform, Math: evenChance, fetch: async () => answer() },
  })
  onTestFinished(session.dispose)
  const failed = [thrownBy(session.ready()), thrownBy(session.getToken())]
  await clock.pass(100)
  for (const error of (await Promise.all(failed)) as RefreshFailedError[]) {
    expect(error).toMatchObject({ code: 'ERR_REFRESH_FAILED', isWrongUrl: true })
    expect(error.message).toMatch(/GET https:\S+\/session: answered 200, but not with a JSON object/)
    expect(error.message).toContain('check the path')
  }
  expect(session.current.status).toBe('loading')
  answer = () => Response.json({ user: { id: 1 } })
  await clock.pass(10_000)
  expect((await session.ready()).status).toBe('authenticated')
})
