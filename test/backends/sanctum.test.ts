// The cookie backend as an app on Laravel Sanctum sets it up, over real HTTP against a server of that dialect.

import { createSession, type Session } from 'resesh'
import { cookie } from 'resesh/backends/cookie'
import { expect, onTestFinished, test } from 'vitest'
import { createJar, openSanctum } from '../servers/vendors/sanctum.ts'

const open = async () => {
  const server = await openSanctum()
  const jar = createJar(server.origin)
  const backend = cookie({
    sessionUrl: '/api/user',
    signOutUrl: '/logout',
    signInUrls: ['/login'],
    headers: { accept: 'application/json' },
    csrf: { cookie: 'XSRF-TOKEN', header: 'x-xsrf-token', renewUrl: '/sanctum/csrf-cookie' },
    read: (user) => ({ user }),
  })
  const document = {
    get cookie() {
      return jar.cookie
    },
    baseURI: `${server.origin}/`,
  } as Document
  const session = createSession({
    backend,
    platform: { fetch: jar.fetch, document, location: { origin: server.origin } as Location },
  })
  onTestFinished(session.dispose)
  return { server, jar, session }
}

const logIn = (session: Session) =>
  session.signIn(async () => {
    await session.fetch('/sanctum/csrf-cookie')
    const response = await session.fetch('/login', {
      method: 'POST',
      body: JSON.stringify({ email: 'ann@example.test' }),
    })
    if (!response.ok) throw new Error(`login: ${response.status}`)
  })

const rename = (session: Session) => session.fetch('/api/user', { method: 'PATCH', body: '{"name":"Anna"}' })

test('nobody, then a login, a change and a sign-out', async () => {
  const { server, jar, session } = await open()
  expect((await session.ready()).status).toBe('unauthenticated')
  expect(await logIn(session)).toMatchObject({ status: 'authenticated', user: { id: 1, name: 'ann' } })
  expect(jar.cookie).toContain('%3D') // encoded in the cookie; the server takes it decoded only
  expect((await rename(session)).status).toBe(200)
  expect((await session.reload()).user).toMatchObject({ name: 'Anna' })
  await session.signOut()
  expect(server.living).toBe(0)
  expect(server.log.filter((line) => line.endsWith('419'))).toEqual([])
})

test('a token that went out of date is renewed once for all requests, and they are sent again', async () => {
  const { server, session } = await open()
  await logIn(session)
  server.renewTokens()
  const before = server.log.length
  const responses = await Promise.all(Array.from({ length: 10 }, () => rename(session)))
  expect(responses.map(({ status }) => status)).toEqual(Array(10).fill(200))
  const since = server.log.slice(before)
  expect(since.filter((line) => line === 'GET /sanctum/csrf-cookie 204')).toHaveLength(1)
  expect(session.current.status).toBe('authenticated')
})

test('a session that is over answers 419, too: the caller gets that, and nobody is signed in', async () => {
  const { server, session } = await open()
  await logIn(session)
  server.endSessions()
  expect((await rename(session)).status).toBe(419)
  expect(session.current).toMatchObject({ status: 'unauthenticated', reason: 'expired' })
})

test('a sign-out with a token that is out of date reaches the server all the same', async () => {
  const { server, session } = await open()
  await logIn(session)
  server.renewTokens()
  await session.signOut()
  expect(server.living).toBe(0)
  expect(server.log.slice(-3)).toEqual(['POST /logout 419', 'GET /sanctum/csrf-cookie 204', 'POST /logout 204'])
})
