// What `debug` warns of: each mistake once, with its cure, and nothing where all is well.

import { createSession, defineBackend, memory, type Platform, type SessionOptions } from 'resesh'
import { cookie } from 'resesh/backends/cookie'
import { bearer } from 'resesh/backends/bearer'
import { refreshAfter } from 'resesh/refresh-after'
import { custom } from 'resesh/storage/custom'
import { supertokens } from 'resesh/backends/supertokens'
import { debug } from 'resesh/debug'
import { expect, onTestFinished, test } from 'vitest'
import { bearerBackend, createClock, jwt, login, ORIGIN, settled, setup, url } from '../support/session.ts'
import { PAGE, pageWith, remembering, written } from './written.ts'

const html = () => new Response('<!doctype html>', { headers: { 'content-type': 'text/html; charset=utf-8' } })
const json = (body: unknown, init: ResponseInit = {}) => Response.json(body, init)
const signedIn = { accessToken: jwt({ sub: 'ann' }), refreshToken: 'first' }

type Answer = (path: string, request: Request) => Response | Promise<Response>

/** A session under `debug`, of the page, over a server that answers so. */
const over = (answer: Answer, options: Partial<SessionOptions> = {}, platform: Platform = {}) => {
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(new URL(input instanceof Request ? input.url : input, PAGE), init)
    return answer(new URL(request.url).pathname, request)
  }
  const session = createSession({
    backend: bearer({ refreshUrl: '/auth/refresh' }),
    initial: signedIn,
    storage: memory(),
    ...options,
    platform: { ...pageWith(), fetch, ...platform },
  })
  const { console, ...rest } = remembering()
  const undo = debug(session, { on: true, console })
  onTestFinished(undo)
  onTestFinished(session.dispose)
  return { session, ...rest }
}

/** It happens twice, and is told once. */
const twice = async (work: () => Promise<unknown>) => {
  for (let times = 0; times < 2; times++) {
    await work().catch(() => {})
    await settled()
  }
}

test('all is well: no warning', async () => {
  const { session, server, warnings } = await written({}, { on: true })
  server.expireAccessTokens()
  await session.fetch(url('/api/me'))
  await session.reload()
  await session.signOut()
  await session.signIn(await login(server))
  expect(warnings).toEqual([])
})

test('a refresh URL that answers 404', async () => {
  const { session, warnings } = over(() => new Response(null, { status: 404 }))
  await twice(() => session.refresh())
  expect(warnings).toEqual([expect.stringMatching(/POST \/auth\/refresh answered 404.*no such route.*refreshUrl/)])
})

test('a 404 is a missing route, also where the server sends a web page with it, as Express does', async () => {
  const { session, warnings } = over(() => new Response('<!doctype html>', { status: 404, headers: html().headers }))
  await twice(() => session.refresh())
  expect(warnings).toEqual([expect.stringMatching(/answered 404 with a web page.*no such route.*refreshUrl/)])
})

test('a first refresh that is refused right after the sign-in names what the server may want', async () => {
  const { session, warnings } = over(() => Response.json({ error: 'no token' }, { status: 401 }), { initial: null })
  await session.signIn(signedIn)
  await session.refresh()
  expect(warnings).toEqual([
    expect.stringMatching(/first refresh after the sign-in was refused.*401.*refreshTokenName/),
  ])
})

test('a refusal of what was stored long ago is no mistake', async () => {
  const { session, warnings } = over(() => Response.json({}, { status: 401 }))
  await session.refresh()
  expect(warnings).toEqual([])
})

test('a refresh URL that answers 200 with a web page', async () => {
  const { session, warnings } = over(() => new Response('<!doctype html>', { headers: html().headers }))
  await twice(() => session.refresh())
  expect(warnings).toEqual([
    expect.stringMatching(/POST \/auth\/refresh answered with a web page \(.*text\/html.*server\.proxy/),
  ])
})

test('an API on another origin that is not listed', async () => {
  const { session, warnings } = over(() => new Response(null, { status: 401 }))
  await twice(() => session.fetch('https://api.other.test/me?token=secret'))
  expect(warnings).toEqual([
    expect.stringMatching(
      /GET https:\/\/api\.other\.test\/me answered 401.*createSession\(\{ origins: \['https:\/\/app\.example\.test', 'https:\/\/api\.other\.test'\] \}\)/,
    ),
  ])
})

test('a stranger that does not refuse anybody is no mistake', async () => {
  const { session, warnings } = over(() => new Response())
  await session.fetch('https://cdn.other.test/font')
  await session.fetch('https://cdn.other.test/font', { session: false })
  expect(warnings).toEqual([])
})

test('an answer whose token has another name: of a refresh', async () => {
  const { session, warnings } = over(() => json({ access_token: 'x', token_type: 'Bearer' }))
  await twice(() => session.refresh())
  expect(warnings).toEqual([
    expect.stringMatching(
      /it has access_token, token_type; is it "access_token".*another name.*answer: \{ accessToken/,
    ),
  ])
  expect(warnings.join()).not.toContain("'x'")
})

test('an answer whose token has another name: of a login', async () => {
  const { session, warnings } = over(() => json({}), { initial: null })
  await twice(() => session.signIn(async () => ({ access_token: 'x' }) as never))
  await twice(() => session.signIn({ access_token: 'x' } as never))
  expect(warnings).toEqual([expect.stringMatching(/is it "access_token"\?.*another name/)])
})

test('a clock that is hours off, by the Date of an answer', async () => {
  const date = new Date(Date.now() + 3 * 3_600_000).toUTCString()
  const { session, warnings } = over(() => json(signedIn, { headers: { date } }))
  await twice(() => session.refresh())
  expect(warnings).toEqual([expect.stringMatching(/3 hours behind the server's.*Set the clock/)])
})

test('a clock that is hours off, by the iat of a token', async () => {
  const clock = createClock()
  const iat = clock.now() / 1000 + 2 * 3600
  const { session, warnings } = over(() => json({}), { initial: null }, clock.platform)
  await session.ready()
  await twice(() => session.signIn({ ...signedIn, accessToken: jwt({ sub: 'ann', iat, exp: iat + 60 }) }))
  expect(warnings).toEqual([expect.stringMatching(/2 hours behind the server's, according to the iat/)])
})

test('a token that was issued long before it was handed over is no wrong clock', async () => {
  const clock = createClock()
  const iat = clock.now() / 1000 - 5 * 3600
  const { session, warnings } = over(() => json({}), { initial: null }, clock.platform)
  await session.ready()
  await session.signIn({ ...signedIn, accessToken: jwt({ sub: 'ann', iat, exp: iat + 36_000 }) })
  expect(warnings).toEqual([])
})

test('requests that go out before anybody has signed in', async () => {
  const { session, warnings } = over(() => new Response(null, { status: 401 }), { initial: null })
  await session.ready()
  await twice(() => session.fetch('/api/me'))
  expect(warnings).toEqual([
    expect.stringMatching(/GET \/api\/me was sent before anybody had signed in.*session\.ready\(\)/),
  ])
})

test('a request after a sign-out is no such mistake', async () => {
  const { session, warnings } = over(() => new Response(null, { status: 401 }))
  await session.signOut({ local: true })
  await session.fetch('/api/me')
  expect(warnings).toEqual([])
})

/** As IndexedDB is: all sessions of the page share it. */
const shared = () => custom({ getItem: () => null, setItem: () => {}, update: () => true })

test('two sessions of one name', async () => {
  const { session, warnings } = over(() => json({}), { storage: shared() })
  const second = over(() => json({}), { storage: shared() })
  const third = over(() => json({}), { storage: shared(), name: 'other' })
  const told = [expect.stringMatching(/Two sessions of the name 'default'.*createSession once/)]
  expect(second.warnings).toEqual(told)
  expect(third.warnings).toEqual([])
  // The first one hears of it with the next thing that happens.
  await session.fetch('/api/me')
  expect(warnings).toEqual(told)
})

test('a second session that is not under debug is noticed', async () => {
  const second = createSession({
    backend: bearer({ refreshUrl: '/auth/refresh' }),
    initial: null,
    storage: shared(),
    platform: pageWith(),
  })
  onTestFinished(second.dispose)
  const { session, warnings } = over(() => json({}), { storage: shared() })
  expect(warnings).toEqual([expect.stringMatching(/Two sessions of the name 'default'/)])
  second.dispose()
  second.dispose()
  session.dispose()
  expect(over(() => json({}), { storage: shared() }).warnings).toEqual([])
})

test('two sessions in memory share nothing', () => {
  const [, second] = [over(() => json({})), over(() => json({}))]
  expect(second.warnings).toEqual([])
})

test('a session that could not be created is no second one', () => {
  const sameTwice = [refreshAfter(), refreshAfter()]
  expect(() => over(() => json({}), { storage: shared(), use: sameTwice })).toThrow('refreshAfter')
  expect(over(() => json({}), { storage: shared() }).warnings).toEqual([])
})

test('a session that was disposed of is no second one', async () => {
  over(() => json({})).session.dispose()
  expect(over(() => json({})).warnings).toEqual([])
})

test.each(['before', 'after'])('a missing CORS header: another origin fails, the page answers %s it', async (when) => {
  const { session, warnings } = over(
    (_path, request) => {
      if (request.url.startsWith(PAGE)) return json({})
      throw new TypeError('Failed to fetch')
    },
    { origins: [PAGE, 'https://api.other.test'] },
  )
  if (when === 'before') await session.fetch('/api/me')
  await twice(() => session.fetch('https://api.other.test/me'))
  if (when === 'after') await session.fetch('/api/me')
  await settled()
  expect(warnings).toEqual([
    expect.stringMatching(
      /GET https:\/\/api\.other\.test\/me got no answer.*Access-Control-Allow-Origin: https:\/\/app\.example\.test/,
    ),
  ])
})

test('with no network at all, no CORS header is missing; nor where the caller gave up', async () => {
  const { session, warnings } = over(
    (_path, request) => {
      if (request.url.includes('gone')) throw new DOMException('gone', 'AbortError')
      if (request.url.startsWith(PAGE) && !request.url.includes('down')) return json({})
      throw new TypeError('Failed to fetch')
    },
    { origins: [PAGE, 'https://api.other.test'] },
  )
  await session.fetch('https://api.other.test/me').catch(() => {})
  await session.fetch('/down').catch(() => {})
  expect(warnings).toEqual([])
  const other = over(
    (_path, request) => {
      if (request.url.startsWith(PAGE)) return json({})
      throw new DOMException('gone', 'AbortError')
    },
    { origins: [PAGE, 'https://api.other.test'], name: 'other' },
  )
  await other.session.fetch('/api/me')
  await other.session.fetch('https://api.other.test/me').catch(() => {})
  await settled()
  expect(other.warnings).toEqual([])
})

test('a first refresh at another origin that gets no answer: the CORS headers that may be missing', async () => {
  const backend = bearer({ refreshUrl: 'https://api.other.test/auth/refresh' })
  let isDown = true
  const { session, warnings } = over(
    () => {
      if (isDown) throw new TypeError('Failed to fetch')
      return json(signedIn)
    },
    { backend },
  )
  await twice(() => session.refresh())
  expect(warnings).toEqual([
    expect.stringMatching(
      /POST https:\/\/api\.other\.test\/auth\/refresh got no answer\. If that server is up.*Access-Control-Allow-Origin: https:\/\/app\.example\.test \(with cookies, the value \*.*Access-Control-Allow-Credentials: true/,
    ),
  ])
})

test.each(['the app has got answers from there', 'the device is offline'])('%s: no header is missing', async (why) => {
  const isOffline = why.includes('offline')
  const { session, warnings } = over(
    (path) => {
      if (path === '/me') return json({})
      throw new TypeError('Failed to fetch')
    },
    { backend: bearer({ refreshUrl: 'https://api.other.test/auth/refresh' }) },
    { navigator: { onLine: !isOffline } as Navigator },
  )
  if (!isOffline) await session.fetch('https://api.other.test/me')
  await twice(() => session.refresh())
  expect(warnings).toEqual([])
})

test('a server that has answered before is away: no header is missing', async () => {
  const backend = bearer({ refreshUrl: 'https://api.other.test/auth/refresh' })
  let isDown = false
  const { session, warnings } = over(
    () => {
      if (isDown) throw new TypeError('Failed to fetch')
      return json(signedIn)
    },
    { backend },
  )
  await session.refresh()
  isDown = true
  await twice(() => session.refresh())
  expect(warnings).toEqual([])
})

test('a user route that answers 404: not the refresh is wrong, but the user', async () => {
  const { session, warnings } = over(
    (path) => (path === '/auth/refresh' ? json(signedIn) : new Response(null, { status: 404 })),
    { backend: bearer({ refreshUrl: '/auth/refresh', userUrl: '/auth/nobody' }) },
  )
  await twice(() => session.reload())
  expect(warnings).toEqual([
    expect.stringMatching(/GET \/auth\/nobody answered 404: there is no such route for the user.*userUrl/),
  ])
})

test('a header that CORS hides', async () => {
  const { session, warnings } = over(() => json({ status: 'OK' }), {
    backend: supertokens({ baseUrl: 'https://api.other.test/auth', mode: 'header' }),
  })
  await twice(() => session.refresh())
  expect(warnings).toEqual([expect.stringMatching(/Access-Control-Expose-Headers: front-token, st-access-token/)])
})

test('a Date that CORS hides, where nothing else tells how long the token lives', async () => {
  const exp = Date.now() / 1000 + 600
  const initial = { ...signedIn, accessToken: jwt({ sub: 'ann', exp }) }
  const { session, warnings } = over(() => json(initial), {
    initial,
    backend: bearer({ refreshUrl: `${ORIGIN}/auth/refresh` }),
  })
  await twice(() => session.refresh())
  expect(warnings).toEqual([
    expect.stringMatching(/unknown when the token expires.*Access-Control-Expose-Headers: Date/),
  ])
})

test('an own Authorization that is never renewed', async () => {
  const { session, warnings } = over(() => new Response(null, { status: 401 }))
  await twice(() => session.fetch('/api/me', { headers: { authorization: 'Bearer stale-one' } }))
  expect(warnings).toEqual([
    expect.stringMatching(/GET \/api\/me was refused \(401\) with an Authorization header of its own.*getToken\(\)/),
  ])
  expect(warnings.join()).not.toContain('stale-one')
})

test('a page that is no secure context', async () => {
  const { warnings } = over(() => json({}), {}, { isSecureContext: false })
  expect(warnings).toEqual([expect.stringMatching(/no secure context.*https/)])
})

test('a login without a refresh token', async () => {
  const { session, warnings } = over(() => json({}), { initial: null })
  await session.ready()
  await twice(() => session.signIn({ accessToken: signedIn.accessToken }))
  expect(warnings).toEqual([
    expect.stringMatching(/no refresh token.*offline_access.*bearer\(\{ refreshTokenIn: 'cookie' \}\)/),
  ])
})

test('a page that was handed no refresh token', async () => {
  const { session } = await setup({ initial: { accessToken: signedIn.accessToken }, backend: bearerBackend() })
  const { console, warnings } = remembering()
  onTestFinished(debug(session, { on: true, console }))
  expect(warnings).toEqual([expect.stringMatching(/no refresh token/)])
})

test('a cookie needs none, nor does a backend that says so', async () => {
  const one = over(() => json({ user: { name: 'Ann' } }), {
    backend: cookie({ sessionUrl: '/bff/session' }),
    initial: {},
  })
  const two = over(() => json({}), { backend: defineBackend({ refresh: async () => signedIn }) })
  await one.session.ready()
  await two.session.refresh()
  expect([...one.warnings, ...two.warnings]).toEqual([])
})

test('an error of the background is written, with its code', async () => {
  const { warnings } = over(() => json({}), {
    storage: { name: 'broken', isShared: () => true, open: () => Promise.reject(new Error('broken')) },
  })
  await expect
    .poll(() => warnings)
    .toEqual([expect.stringMatching(/^resesh:error ERR_STORAGE: The storage broken failed/)])
})

test('warnings may be left out', async () => {
  const fetch = async () => new Response(null, { status: 404 })
  const { session } = await setup({ platform: { ...pageWith('resesh:*,-resesh:warning'), fetch } })
  const { console, lines, warnings } = remembering()
  onTestFinished(debug(session, { console }))
  await session.refresh().catch(() => {})
  expect(warnings).toEqual([])
  expect(lines).not.toEqual([])
})
