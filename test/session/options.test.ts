// Options and arguments that are wrong or missing: refused by name, before anything starts.

import { createSession, defineBackend, InvalidOptionError, type SessionOptions } from 'resesh'
import { bearer } from 'resesh/backends/bearer'
import { clerk } from 'resesh/backends/clerk'
import { cookie } from 'resesh/backends/cookie'
import { oauth2 } from 'resesh/backends/oauth2'
import { supertokensLegacy } from 'resesh/backends/supertokens'
import { workos, workosRoute } from 'resesh/backends/workos'
import { refreshAfter } from 'resesh/refresh-after'
import { expect, test } from 'vitest'
import { setup, thrownBy } from '../support/session.ts'

const fits = defineBackend({ refresh: async () => null })

test.each<[string, string, object | (() => object)]>([
  ['no backend', 'backend', {}],
  ['a backend that cannot refresh', 'backend', { backend: { name: 'a', attach() {} } }],
  ['a relative origin', 'origins', { backend: fits, origins: ['/api'] }],
  ['an origin with a path', 'origins', { backend: fits, origins: ['https://a.test/api'] }],
  ['a path that is not written as browsers do', 'origins', { backend: fits, origins: ['https://a.test/v1/../v2/'] }],
  ['an origin with a query', 'origins', { backend: fits, origins: ['https://a.test/?a/'] }],
  ['an origin with a user name', 'origins', { backend: fits, origins: ['https://ann@a.test/'] }],
  ['a host in place of an origin', 'origins', { backend: fits, origins: ['a.test'] }],
  ['a wildcard in place of an origin', 'origins', { backend: fits, origins: ['*'] }],
  ['a wildcard in an origin', 'origins', { backend: fits, origins: ['https://*.a.test'] }],
  ['an origin that stands alone', 'origins', { backend: fits, origins: 'https://a.test' }],
  ['a storage that there is not', 'storage', { backend: fits, storage: 'sessionStorage' }],
  ['a misspelt replay', 'replay', { backend: fits, replay: 'always' }],
  ['a refreshAhead that is no word', 'refreshAhead', { backend: fits, refreshAhead: true }],
  ['a status that is no list', 'isExpired', { backend: fits, isExpired: 419 }],
  ['the origin that all sandboxed pages share', 'origins', { backend: fits, origins: ['null'] }],
  ['a negative leeway', 'leeway', { backend: fits, leeway: -1 }],
  ['a timeout that is not a number', 'timeout', { backend: fits, timeout: NaN }],
  ['a timeout without an end', 'timeout', { backend: fits, timeout: Infinity }],
  ['a replay window that is no number', 'replayWindow', { backend: fits, replayWindow: '1000' }],
  ['a negative replay window', 'replayWindow', { backend: fits, replayWindow: -1 }],
  [
    'a path that is none',
    'refreshAfter',
    () => ({ backend: fits, use: [refreshAfter([{ path: 'me', action: 'reload' }])] }),
  ],
])('%s is refused by the name of the option: %s', (_, option, options) => {
  const create = () => createSession((typeof options === 'function' ? options() : options) as SessionOptions)
  expect(create).toThrow(InvalidOptionError)
  expect(create).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTION', option }))
})

test.each<[string, string, () => unknown]>([
  ['bearer', 'refreshUrl', () => bearer({ signOutUrl: '/logout' } as never)],
  ['bearer, without options', 'refreshUrl', () => bearer(undefined as never)],
  ['cookie', 'sessionUrl', () => cookie({} as never)],
  ['oauth2', 'clientId', () => oauth2({ tokenEndpoint: '/token' } as never)],
  ['workos', 'clientId', () => workos({} as never)],
  ['workosRoute', 'refreshUrl', () => workosRoute({} as never)],
  ['clerk', 'frontendApi', () => clerk({} as never)],
  ['supertokensLegacy', 'refreshUrl', () => supertokensLegacy({} as never)],
])('%s says that %s is missing', (_, option, create) => {
  expect(create).toThrow(
    expect.objectContaining({
      code: 'ERR_INVALID_OPTION',
      option,
      message: expect.stringContaining(`${option} is missing`),
    }),
  )
})

test('an option that is undefined is left out', () => {
  const left = { origins: undefined, leeway: undefined, timeout: undefined, use: undefined, name: undefined }
  expect(() => createSession({ backend: fits, ...left } as never).dispose()).not.toThrow()
})

test.each([-1, NaN])('a minValidity of %s is an invalid option', async (minValidity) => {
  const { session } = await setup()
  const error = await thrownBy(session.getToken({ minValidity }))
  expect(error).toBeInstanceOf(InvalidOptionError)
  expect((error as InvalidOptionError).option).toBe('minValidity')
})

// A typo, or an option of something else: plain JavaScript has no compiler that tells.
test.each<[call: string, option: string, says: RegExp, run: (session: any) => Promise<unknown>]>([
  ['getToken', 'skipcache', /did you mean skipCache\?/, (session) => session.getToken({ skipcache: true })],
  ['getToken', 'organization', /did you mean organizationId\?/, (session) => session.getToken({ organization: 'a' })],
  [
    'refresh',
    'skipCache',
    /there are organizationId, ensureSignedIn/,
    (session) => session.refresh({ skipCache: true }),
  ],
  ['refresh', 'organisationId', /did you mean organizationId\?/, (session) => session.refresh({ organisationId: 'a' })],
  ['reload', 'organizationId', /there are data, signal/, (session) => session.reload({ organizationId: 'a' })],
  ['signOut', 'locl', /did you mean local\?/, (session) => session.signOut({ locl: true })],
  [
    'fetch',
    'repaly',
    /did you mean replay\?/,
    (session) => session.fetch('https://api.example.test/', { session: { repaly: 'never' } }),
  ],
])('%s names the option that it does not know: %s', async (call, option, says, run) => {
  const { session, wire } = await setup()
  const error = (await thrownBy(run(session))) as InvalidOptionError
  expect(error).toMatchObject({ code: 'ERR_INVALID_OPTION', option })
  expect(error.message).toContain(`${option} is no option of session.${call}: `)
  expect(error.message).toMatch(says)
  expect(wire.sent.filter(({ path }) => call !== 'signOut' && path)).toEqual([])
  // A typo must not keep a user signed in.
  expect(session.current.status).toBe(call === 'signOut' ? 'unauthenticated' : 'authenticated')
})

test('an option of the backend is no option of the session', () => {
  expect(() => createSession({ refreshUrl: '/auth/refresh' } as never)).toThrow('bearer({ refreshUrl })')
})

test('a name without a value is none', async () => {
  const { session } = await setup()
  expect(await session.refresh({ legacy: undefined } as never)).toMatchObject({ reason: 'refreshed' })
  expect(() => bearer({ refreshUrl: '/refresh', legacy: undefined } as never)).not.toThrow()
})

test('a method that is handed an event, as a listener is, does what it does', async () => {
  const { session } = await setup()
  // Browsers have `isTrusted` as a property of each event, React has many more.
  class ClickEvent {
    isTrusted = true
    type = 'click'
  }
  expect(await session.refresh(new ClickEvent() as never)).toMatchObject({ reason: 'refreshed' })
  expect((await session.signOut(new ClickEvent() as never)).status).toBe('unauthenticated')
})
