// A name that nobody knows, in the options of whatever takes options: plain JavaScript has no compiler that tells.

import { InvalidOptionError } from 'resesh'
import { authjs } from 'resesh/backends/authjs'
import { bearer } from 'resesh/backends/bearer'
import { betterAuth } from 'resesh/backends/better-auth'
import { clerk } from 'resesh/backends/clerk'
import { cookie } from 'resesh/backends/cookie'
import { fromTokens } from 'resesh/backends/from-tokens'
import { oauth2 } from 'resesh/backends/oauth2'
import { roq } from 'resesh/backends/roq'
import { supertokens, supertokensLegacy } from 'resesh/backends/supertokens'
import { workos, workosRoute } from 'resesh/backends/workos'
import { mountDevtools } from 'resesh/devtools'
import { openEventSource } from 'resesh/event-source'
import { createLogin } from 'resesh/oauth2/login'
import { refreshAfter } from 'resesh/refresh-after'
import { openSocket } from 'resesh/socket'
import { mockSession } from 'resesh/testing'
import { sessionServer } from 'resesh/testing/server'
import { expect, test } from 'vitest'
import { thrownBy } from '../support/session.ts'

const session = mockSession()
const clientId = 'spa'
const login = createLogin(session, {
  clientId,
  redirectUri: 'https://app.test/',
  issuer: 'https://id.test',
  platform: { location: new URL('https://app.test/') as unknown as Location },
})

/** As plain JavaScript calls it. */
const call =
  (run: (...args: any[]) => unknown, ...args: unknown[]) =>
  async (): Promise<unknown> =>
    run(...args)

test.each<[of: string, option: string, meant: string, run: () => Promise<unknown>]>([
  ['bearer', 'refreshUri', 'refreshUrl', call(bearer, { refreshUri: '/a' })],
  ['bearer', 'signOut.bodi', 'signOut.body', call(bearer, { refreshUrl: '/a', signOut: { bodi: 'none' } })],
  ['oauth2', 'client', 'clientId', call(oauth2, { client: 'spa', tokenEndpoint: '/a' })],
  ['cookie', 'sessionUri', 'sessionUrl', call(cookie, { sessionUri: '/a' })],
  ['cookie', 'csrf.heade', 'csrf.header', call(cookie, { sessionUrl: '/a', csrf: { cookie: 'a', heade: 'b' } })],
  ['supertokens', 'baseURL', 'baseUrl', call(supertokens, { baseURL: '/a' })],
  ['supertokensLegacy', 'refreshURL', 'refreshUrl', call(supertokensLegacy, { refreshURL: '/a' })],
  ['workos', 'clientID', 'clientId', call(workos, { clientID: 'a' })],
  ['workosRoute', 'refreshUri', 'refreshUrl', call(workosRoute, { refreshUri: '/a' })],
  ['clerk', 'frontendAPI', 'frontendApi', call(clerk, { frontendAPI: 'https://a.test' })],
  ['betterAuth', 'baseURL', 'baseUrl', call(betterAuth, { baseURL: '/a' })],
  ['authjs', 'accesToken', 'accessToken', call(authjs, { accesToken: 'a' })],
  ['roq', 'baseURL', 'baseUrl', call(roq, { baseURL: '/a' })],
  ['fromTokens', 'signout', 'signOut', call(fromTokens, { get: () => null, refresh: () => null, signout: () => {} })],
  ['createLogin', 'redirectURI', 'redirectUri', call(createLogin, session, { clientId, redirectURI: '/a' })],
  ['login', 'returnto', 'returnTo', call(login.login, { returnto: '/a' })],
  ['logout', 'parameter', 'parameters', call(login.logout, { parameter: {} })],
  ['a rule of refreshAfter', 'methode', 'method', call(refreshAfter, [{ path: '/a', methode: 'PUT' }])],
  ['openSocket', 'protocol', 'protocols', call(openSocket, session, '/a', { protocol: 'a' })],
  ['openEventSource', 'withCredential', 'withCredentials', call(openEventSource, session, '/a', { withCredential: 1 })],
  ['mountDevtools', 'them', 'theme', call(mountDevtools, session, { them: 'dark' })],
  ['mockSession', 'claim', 'claims', call(mockSession, { claim: {} })],
  ['sessionServer', 'baseURL', 'baseUrl', call(sessionServer, { baseURL: 'http://a.test' })],
])('%s says that %s is none of its options, and that %s may be meant', async (of, option, meant, run) => {
  const error = await thrownBy(run())
  expect(error).toBeInstanceOf(InvalidOptionError)
  expect(error).toMatchObject({
    option,
    message: expect.stringContaining(`no option of ${of}: did you mean ${meant}?`),
  })
})
