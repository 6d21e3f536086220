// axios over session.fetch: it wraps what a fetch rejects with, and writes to an error that has a `response`.

import { type AxiosError, create as createAxios } from 'axios'
import { RefreshFailedError, ReplayError, SessionError, StepUpRequiredError } from 'resesh'
import { describe, expect, test } from 'vitest'
import { refused } from '../refresh/failing.ts'
import { setup, thrownBy, url } from '../support/session.ts'

const wired = async () => {
  const state = await setup()
  const api = createAxios({ adapter: 'fetch', env: { fetch: state.session.fetch } })
  return { ...state, api }
}

test('a refresh that fails reaches the caller, as the cause', async () => {
  const { session, clock } = await refused([500, 500, 500, 500, 500])
  const api = createAxios({ adapter: 'fetch', env: { fetch: session.fetch } })
  const failed = thrownBy(api.get(url('/api/me')))
  await clock.pass(60_000)
  const error = (await failed) as AxiosError
  expect(error.cause).toBeInstanceOf(RefreshFailedError)
  expect(error.code).toBe('ERR_REFRESH_FAILED')
  expect(error.message).toContain('POST https://api.example.test/auth/refresh')
  expect((error.cause as RefreshFailedError).refusal?.status).toBe(500)
})

test('an answer that was refreshed for arrives, and a refusal is its own AxiosError', async () => {
  const { api, server } = await wired()
  server.expireAccessTokens()
  expect((await api.get(url('/api/me'))).status).toBe(200)
  expect(await thrownBy(api.get(url('/api/refused')))).toMatchObject({ response: { status: 401 } })
})

describe('no error of ours has a name that clients use for their own', () => {
  const refusal = new Response(null, { status: 401 })
  test.each([
    new RefreshFailedError('x', { refusal }),
    new ReplayError('x', { refusal }),
    new StepUpRequiredError({ type: 'x' }, { refusal }),
  ])('$name', (error: SessionError) => {
    expect(error.refusal).toBe(refusal)
    for (const name of ['response', 'request', 'config', 'status', 'headers', 'data'])
      expect(error).not.toHaveProperty(name)
  })
})
