// OAuth 2: what servers say that neither the sample server nor oidc-provider does.

import { createSession, RefreshFailedError, StepUpRequiredError } from 'resesh'
import { fromTokenResponse, oauth2 } from 'resesh/backends/oauth2'
import { expect, onTestFinished, test } from 'vitest'
import { jwt, thrownBy } from '../support/session.ts'

const signedIn = (body: object, status = 200) => {
  const session = createSession({
    backend: oauth2({ tokenEndpoint: 'https://id.example.test/token', clientId: 'spa' }),
    initial: { accessToken: 'a', refreshToken: 'r', user: { sub: 'ann' } },
    platform: { fetch: async () => Response.json(body, { status }) },
  })
  onTestFinished(session.dispose)
  return session
}

test('an ID token that is another one and says the same is the same user', () => {
  const said = { sub: 'ann', name: 'Ann', auth_time: 1 }
  const { user } = fromTokenResponse({ access_token: 'a', id_token: jwt({ ...said, at_hash: 'x', nonce: 'y' }) })
  expect(user).toEqual(said)
})

test.each(['interaction_required', 'login_required', 'consent_required'])(
  '%s asks for the user: the session goes on',
  async (error) => {
    const session = signedIn({ error }, 400)
    const thrown = (await thrownBy(session.refresh())) as StepUpRequiredError
    expect(thrown).toBeInstanceOf(StepUpRequiredError)
    expect(thrown.challenge).toEqual({ type: error })
    expect(session.current.status).toBe('authenticated')
  },
)

test.each([
  ['invalid_client', 401],
  ['invalid_scope', 400],
  ['unauthorized_client', 400],
  ['temporarily_unavailable', 503],
])('%s says nothing about the session', async (error, status) => {
  const session = signedIn({ error, error_description: 'r' }, status)
  const thrown = (await thrownBy(session.refresh())) as RefreshFailedError
  expect(thrown).toBeInstanceOf(RefreshFailedError)
  expect([thrown.message, thrown.spent]).toEqual([
    `POST https://id.example.test/token: answered ${status} ${error}. The session is kept.`,
    false,
  ])
  expect(session.current.status).toBe('authenticated')
})

test('what is no error code stays out of the message', async () => {
  const thrown = await thrownBy(signedIn({ error: 'the token r is bad' }, 400).refresh())
  expect((thrown as Error).message).toBe('POST https://id.example.test/token: answered 400. The session is kept.')
})
