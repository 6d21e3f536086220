// Ordinary responses that bring something of the session along.

import { createSession, defineBackend } from 'resesh'
import { observeResponses } from 'resesh/backends/kit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createClock, defer, jwt, settled, setup, sharedStorage, url } from '../support/session.ts'

describe('a response that brings an access token', () => {
  /** Refresh tokens count up; each response brings an access token, and no refresh token. */
  const rotating = async () => {
    const spent: unknown[] = []
    const options = {
      backend: defineBackend({
        async refresh({ refreshToken }) {
          spent.push(refreshToken)
          return { accessToken: 'refreshed', refreshToken: `r${spent.length + 1}` }
        },
        use: [observeResponses(() => ({ accessToken: 'observed' }))],
      }),
      origins: [url('')],
      storage: sharedStorage(),
      platform: { fetch: async () => new Response('served'), BroadcastChannel: null },
    }
    const { session } = await setup({ ...options, initial: { accessToken: 'first', refreshToken: 'r1' } })
    await expect.poll(() => options.storage.text).not.toBe(null)
    return { session, spent, options }
  }

  test('leaves the refresh token alone that another tab has got meanwhile', async () => {
    const { session, spent, options } = await rotating()
    const other = createSession(options)
    onTestFinished(other.dispose)
    await other.refresh()
    await session.fetch(url('/api/me'))
    await other.refresh()
    expect(spent).toEqual(['r1', 'r2'])
  })

  test('leaves the refresh token alone that is written, and not yet known to its own tab', async () => {
    const { session, spent, options } = await rotating()
    const { storage } = options
    const { update } = storage
    const [written, known] = [defer(), defer()]
    storage.update = async (...args) => {
      const isDone = await update.apply(storage, args)
      if (!storage.text?.includes('r2')) return isDone
      written.resolve()
      await known.promise
      return isDone
    }
    const refresh = session.refresh()
    await written.promise
    const response = session.fetch(url('/api/me'))
    await settled()
    known.resolve()
    await Promise.all([refresh, response])
    await session.refresh()
    expect(spent).toEqual(['r1', 'r2'])
  })
})

const held = jwt({ iat: 0, exp: 60 })
const user = { name: 'Anna' }

test.each([
  { what: 'something else', said: { user } },
  { what: 'something else, and a lifetime', said: { user, expiresInSeconds: 60 } },
  { what: 'the same token again', said: { user, accessToken: held } },
])('a response that brings $what makes the token that is held no younger', async ({ said }) => {
  const clock = createClock()
  const { session } = await setup(
    {
      backend: defineBackend({
        refresh: async () => null,
        use: [observeResponses(() => said)],
      }),
      origins: [url('')],
      initial: { accessToken: held, refreshToken: 'r1' },
      refreshAhead: 'never',
      platform: { fetch: async () => new Response('served') },
    },
    { clock },
  )
  const { expiresAt } = session.current
  await clock.pass(40_000)
  await session.fetch(url('/api/me'))
  expect(session.current).toMatchObject({ user: { name: 'Anna' }, expiresAt })
})

test('the times of the server that a response brings are compared with its Date', async () => {
  const clock = createClock()
  const hour = 3_600_000
  const read = () => ({ accessToken: 'next', expiresAt: clock.now() - hour + 60_000 })
  const headers = { date: new Date(clock.now() - hour).toUTCString() }
  const backend = defineBackend({ refresh: async () => null, use: [observeResponses(read)] })
  const platform = { fetch: async () => new Response('served', { headers }) }
  const { session } = await setup({ backend, origins: [url('')], initial: { accessToken: held }, platform }, { clock })
  await session.fetch(url('/api/me'))
  expect(session.current.expiresAt).toBe(clock.now() + 60_000)
})
