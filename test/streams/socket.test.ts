// A WebSocket of a session: which token it opens with, when it comes back, and when it is over.

import { defineBackend, InvalidOptionError, type Json, type SessionOptions } from 'resesh'
import { openSocket, type SessionSocket, type SocketEvents, type SocketOptions } from 'resesh/socket'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createSampleServer, type SampleServerOptions } from '../servers/sample/server.ts'
import { createPage } from '../support/listening-page.ts'
import { createClock, cookieBackend, login, settled, setup, sharedStorage, url } from '../support/session.ts'
import { createSockets, guardedBy, type Sockets } from '../support/sockets.ts'

const minute = 60_000
const LIVE = 'wss://api.example.test/live'
const withToken: SocketOptions = { protocols: (token) => ['access_token', token] }

interface Started {
  options?: Partial<SessionOptions>
  socket?: SocketOptions
  server?: SampleServerOptions
  sockets?: Sockets
}

/** Ann is signed in, and her socket is being opened. */
const start = async ({
  options,
  socket = withToken,
  server: serverOptions,
  sockets = createSockets(),
}: Started = {}) => {
  const [clock, page] = [createClock(), createPage()]
  const knobs = { accessTokenLifeSeconds: 7 * 86_400, sessionLifeSeconds: 30 * 86_400 }
  const server = createSampleServer({ now: clock.now, knobs, ...serverOptions })
  const platform = { WebSocket: sockets.WebSocket, ...page.platform }
  const state = await setup({ refreshAhead: 'never', ...options, platform }, { server, clock })
  const told: unknown[] = []
  state.session.on('error', ({ error }) => told.push(error))
  const opened = openSocket(state.session, LIVE, socket)
  onTestFinished(() => opened.close())
  await settled()
  return { ...state, server, clock, page, sockets, opened, heard: listen(opened), told }
}

const listen = (socket: SessionSocket) => {
  const heard: Json[] = []
  for (const event of ['open', 'message', 'lost', 'close'] as (keyof SocketEvents)[])
    socket.on(event, (detail) => heard.push({ event, ...detail }))
  return heard
}

const tokensOf = ({ tried }: Sockets) => tried.map(({ protocols }) => protocols[1])

test('it opens with the token of the session, which is in no URL', async () => {
  const { session, sockets, opened } = await start()
  expect(opened.state).toBe('open')
  expect(sockets.tried).toMatchObject([{ url: LIVE, protocols: ['access_token', await session.getToken()] }])
})

test('after an expiry it refreshes first: the old token is never tried', async () => {
  const sockets = createSockets()
  const { session, clock, server } = await start({ sockets, server: { knobs: { accessTokenLifeSeconds: 300 } } })
  const old = await session.getToken()
  await clock.pass(301_000)
  openSocket(session, LIVE, withToken)
  await settled()
  expect(server.stats.refreshes).toBe(1)
  expect(tokensOf(sockets)).toEqual([old, await session.getToken()])
  expect(await session.getToken()).not.toBe(old)
})

test('hello is the first message of each connection, and nothing is sent before it', async () => {
  const { session, sockets, opened, clock } = await start({
    socket: { hello: (token) => JSON.stringify({ type: 'auth', token }) },
    sockets: createSockets(() => {}),
  })
  expect([opened.state, opened.send('early')]).toEqual(['connecting', false])
  for (const nth of [0, 1]) {
    sockets.tried[nth]!.accept()
    expect(opened.send('later')).toBe(true)
    const hello = JSON.stringify({ type: 'auth', token: await session.getToken() })
    expect(sockets.tried[nth]!.sent).toEqual([hello, 'later'])
    sockets.tried[nth]!.drop(1006)
    expect(opened.send('lost')).toBe(false)
    await clock.pass(5_000)
  }
})

test('without a token in a message or a protocol, a cookie session opens it too', async () => {
  const sockets = createSockets()
  const { opened } = await start({ sockets, socket: { protocols: ['v1'] } })
  expect(opened.state).toBe('open')
  expect(sockets.last.protocols).toEqual(['v1'])
})

test.each([4401, 1008, 3000, 1006])(
  'a server that refuses the token (%i), and requests that it refuses meanwhile: one refresh for all of them',
  async (code) => {
    const { session, server, sockets, clock, opened, heard, states } = await start()
    const old = await session.getToken()
    sockets.meet = guardedBy(server, code)
    await clock.pass(minute)
    server.expireAccessTokens()
    sockets.last.drop(code)
    const requests = Promise.all(Array.from({ length: 5 }, () => session.fetch(url('/api/me'))))
    await clock.pass(minute)
    expect((await requests).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
    expect(server.stats.refreshes).toBe(1)
    expect(opened.state).toBe('open')
    expect(sockets.last.protocols[1]).toBe(await session.getToken())
    expect(await session.getToken()).not.toBe(old)
    expect(heard.at(-1)).toMatchObject({ event: 'open' })
    expect(states.every(({ stale }) => !stale)).toBe(true)
  },
)

test.each([4401, 1006])(
  'a server that refuses the token (%i) of a session without requests: one refresh',
  async (code) => {
    const { server, sockets, clock, opened } = await start()
    sockets.meet = guardedBy(server, code)
    await clock.pass(minute)
    server.expireAccessTokens()
    sockets.last.drop(code)
    await clock.pass(minute)
    expect(opened.state).toBe('open')
    expect(server.stats.refreshes).toBe(1)
  },
)

test.each([4401, 1006])('a server that refuses every token (%i): one refresh, and pauses that grow', async (code) => {
  const { server, sockets, clock, session } = await start({
    sockets: createSockets((socket) => {
      if (code !== 1006) socket.accept()
      socket.drop(code)
    }),
  })
  await clock.pass(10 * minute)
  expect(server.stats.refreshes).toBe(1)
  expect(sockets.tried.length).toBeGreaterThan(8)
  expect(sockets.tried.length).toBeLessThan(30)
  expect(session.current).toMatchObject({ status: 'authenticated', stale: false })
})

test('a server that closes each connection as its token expires gets a new one each time', async () => {
  const { server, sockets, clock } = await start({ server: { knobs: { accessTokenLifeSeconds: 300 } } })
  for (let nth = 1; nth <= 3; nth++) {
    await clock.pass(300_000)
    sockets.last.drop(4401)
    await clock.pass(10_000)
    expect(server.stats.refreshes).toBe(nth)
    expect(new Set(tokensOf(sockets)).size).toBe(nth + 1)
  }
})

test('a refusal long after the last one is renewed again', async () => {
  const { server, sockets, clock, opened } = await start()
  sockets.meet = guardedBy(server, 4401)
  for (let nth = 1; nth <= 3; nth++) {
    await clock.pass(10 * minute)
    server.expireAccessTokens()
    sockets.last.drop(4401)
    await clock.pass(minute)
    expect([opened.state, server.stats.refreshes]).toEqual(['open', nth])
  }
})

test('of three tabs whose sockets are refused at once, one refreshes, and they come back at different times', async () => {
  const clock = createClock()
  const server = createSampleServer({ now: clock.now })
  const storage = sharedStorage()
  const initial = await login(server)
  const tabs = []
  for (const chance of [0.1, 0.5, 0.9]) {
    const sockets = createSockets()
    const chances = Object.create(Math, { random: { value: () => chance } }) as Math
    const platform = { WebSocket: sockets.WebSocket, Math: chances }
    const { session } = await setup({ storage, initial, platform, refreshAhead: 'never' }, { clock, server })
    const opened = openSocket(session, LIVE, withToken)
    onTestFinished(() => opened.close())
    tabs.push({ sockets, opened })
  }
  await clock.pass(minute)
  server.expireAccessTokens()
  const triedAt: number[] = []
  for (const { sockets } of tabs) {
    sockets.meet = (socket) => {
      triedAt.push(clock.now())
      guardedBy(server, 4401)(socket)
    }
    sockets.last.drop(4401)
  }
  await clock.pass(minute)
  expect(tabs.map(({ opened }) => opened.state)).toEqual(['open', 'open', 'open'])
  expect(server.stats.refreshes).toBe(1)
  expect(new Set(triedAt).size).toBe(3)
})

test('a refresh that fails: the socket waits, and opens once the server is back', async () => {
  const { session, server, sockets, clock, wire, opened } = await start()
  const old = await session.getToken()
  sockets.meet = guardedBy(server, 4401)
  await clock.pass(minute)
  server.expireAccessTokens()
  wire.isDown = true
  sockets.last.drop(4401)
  await clock.pass(minute)
  expect(opened.state).not.toBe('closed')
  wire.isDown = false
  await clock.pass(5 * minute)
  expect(opened.state).toBe('open')
  expect(sockets.last.protocols[1]).not.toBe(old)
})

test('a loss is told, and so is the connection that takes its place; messages come through', async () => {
  const { sockets, clock, heard } = await start()
  sockets.last.say('one')
  sockets.last.drop(1006, '')
  await clock.pass(minute)
  sockets.last.say('two')
  expect(heard).toEqual([
    { event: 'message', data: 'one' },
    { event: 'lost', code: 1006, reason: '', wasOpen: true, why: 'closed' },
    { event: 'open', protocol: 'access_token' },
    { event: 'message', data: 'two' },
  ])
})

test('offline it waits, however long, and comes back with the network', async () => {
  const { sockets, page, clock, opened } = await start()
  page.goOffline()
  sockets.last.drop(1006)
  await clock.pass(60 * minute)
  expect([opened.state, sockets.tried.length]).toEqual(['waiting', 1])
  page.comeBack()
  await clock.pass(1_000)
  expect([opened.state, sockets.tried.length]).toEqual(['open', 2])
})

test('a connection that was open while the network was away is made anew', async () => {
  const { sockets, page, clock, opened, heard } = await start()
  const [first] = sockets.tried
  page.goOffline()
  page.comeBack()
  await clock.pass(1_000)
  expect([opened.state, sockets.tried.length]).toEqual(['open', 2])
  expect(first!.closedWith).toEqual([1000, ''])
  expect(heard).toMatchObject([{ event: 'lost', why: 'network' }, { event: 'open' }])
  first!.say('late')
  expect(heard).toHaveLength(2)
})

test.each(['visibilitychange', 'resume', 'pageshow', null])(
  'after a sleep of the machine the dead connection is made anew, with a new token; told by: %s',
  async (event) => {
    const knobs = { accessTokenLifeSeconds: 300, sessionLifeSeconds: 86_400 }
    const { server, sockets, page, clock, opened, heard } = await start({ server: { knobs } })
    clock.setWall(clock.now() + 60 * minute)
    if (event) page.dispatch(event)
    await clock.pass(event ? 1_000 : 40_000)
    expect([opened.state, sockets.tried.length]).toEqual(['open', 2])
    expect(heard).toMatchObject([{ event: 'lost', why: 'sleep' }, { event: 'open' }])
    expect(server.stats.refreshes).toBe(1)
    expect(new Set(tokensOf(sockets)).size).toBe(2)
  },
)

test('a page that is looked at again keeps the connection that it has', async () => {
  const { sockets, page, clock, opened } = await start()
  for (let nth = 0; nth < 10; nth++) {
    await clock.pass(minute)
    page.dispatch('visibilitychange')
  }
  expect([opened.state, sockets.tried.length]).toEqual(['open', 1])
})

test('a sign-out closes it with 1000, for good', async () => {
  const { session, sockets, clock, opened, heard } = await start()
  const [first] = sockets.tried
  // What was on its way when it was closed.
  opened.on('close', () => first!.say('for nobody'))
  await session.signOut()
  expect(first!.closedWith).toEqual([1000, ''])
  await clock.pass(minute)
  await session.signIn(await loginOf(clock, 'ann'))
  await clock.pass(minute)
  expect([opened.state, sockets.tried.length]).toEqual(['closed', 1])
  expect(heard).toEqual([{ event: 'close', why: 'signed-out' }])
})

/** Of a server of its own: what counts is who signs in. */
const loginOf = (clock: ReturnType<typeof createClock>, user: string) =>
  login(createSampleServer({ now: clock.now }), user)

test('the end of the session by the server closes it', async () => {
  const { session, server, sockets, opened, heard } = await start()
  server.revoke('ann')
  await session.fetch(url('/api/me'))
  expect([opened.state, sockets.last.closedWith]).toEqual(['closed', [1000, '']])
  expect(heard).toEqual([{ event: 'close', why: 'session-over' }])
})

test('another user who signs in in its place closes it, and has to open another', async () => {
  const { session, server, sockets, clock, opened, heard } = await start()
  await session.signIn(await login(server, 'bob'))
  await clock.pass(minute)
  expect([opened.state, sockets.tried.length]).toEqual(['closed', 1])
  expect(heard).toEqual([{ event: 'close', why: 'other-user' }])
  openSocket(session, LIVE, withToken)
  await settled()
  expect(sockets.last.protocols[1]).toBe(await session.getToken())
})

test('another user who signs in while a token is waited for gets no connection of the one before', async () => {
  const sockets = createSockets()
  const { session, server, clock, wire, told } = await start({
    sockets,
    server: { knobs: { accessTokenLifeSeconds: 300 } },
  })
  await clock.pass(301_000)
  const held = wire.hold('/auth/refresh')
  const second = openSocket(session, LIVE, withToken)
  await held.arrived
  const signingIn = login(server, 'bob').then((credentials) => session.signIn(credentials))
  held.release()
  await clock.pass(minute)
  await signingIn
  await clock.pass(minute)
  const bobs = await session.getToken()
  expect(second.state).toBe('closed')
  expect(tokensOf(sockets)).not.toContain(bobs)
  expect(told).toEqual([])
})

test('the same user who signs in again keeps the connection', async () => {
  const { session, server, sockets, opened } = await start()
  await session.signIn(await login(server, 'ann'))
  await settled()
  expect([opened.state, sockets.tried.length]).toEqual(['open', 1])
})

test('with nobody signed in it waits, and opens as the first who signs in', async () => {
  const { session, server, sockets, clock } = await start()
  await session.signOut()
  const opened = openSocket(session, LIVE, withToken)
  await clock.pass(10 * minute)
  expect([opened.state, sockets.tried.length]).toEqual(['waiting', 1])
  await session.signIn(await login(server, 'bob'))
  await settled()
  expect(opened.state).toBe('open')
  expect(sockets.last.protocols[1]).toBe(await session.getToken())
})

test('a session that is disposed of closes it', async () => {
  const { session, sockets, clock, opened } = await start()
  session.dispose()
  await clock.pass(minute)
  expect([opened.state, sockets.tried.length]).toEqual(['closed', 1])
  expect(openSocket(session, LIVE, withToken).state).toBe('closed')
  expect(clock.waiting).toBe(0)
})

test('close() is for good, with the code that it is given, and leaves no timer', async () => {
  const { sockets, clock, opened, heard } = await start()
  expect(() => opened.close(1006)).toThrow()
  expect(opened.state).toBe('open')
  opened.close(4000, 'enough')
  opened.close()
  await clock.pass(minute)
  expect(sockets.tried).toMatchObject([{ closedWith: [4000, 'enough'] }])
  expect(heard).toEqual([{ event: 'close', why: 'closed' }])
  expect(clock.waiting).toBe(0)
})

test.each([
  ['keep', 1, []],
  ['hello', 1, ['hello new']],
  ['reconnect', 2, []],
] as const)('onRefresh: %s', async (onRefresh, connections, later) => {
  const sockets = createSockets()
  const names = new Map<string, string>()
  const hello = (token: string) =>
    `hello ${names.get(token) ?? (names.set(token, names.size ? 'new' : 'old'), names.get(token))}`
  const { session, clock, opened } = await start({ sockets, socket: { hello, onRefresh } })
  await clock.pass(minute)
  await session.refresh()
  await clock.pass(1_000)
  expect([opened.state, sockets.tried.length]).toEqual(['open', connections])
  expect(sockets.tried[0]!.sent).toEqual(['hello old', ...later])
  if (connections === 2) expect(sockets.last.sent).toEqual(['hello new'])
})

test('a switch to another organization makes the connection anew', async () => {
  const backend = defineBackend({
    accepts: ['organizationId'],
    attach: () => {},
    refresh: async (_credentials, _io, { organizationId }) => ({
      accessToken: `of-${organizationId}`,
      organizationId: organizationId ?? null,
    }),
  })
  const { session, sockets, clock, heard } = await start({ options: { backend, origins: [url('')] } })
  await session.refresh({ organizationId: 'acme' })
  await clock.pass(1_000)
  expect(sockets.last.protocols[1]).toBe('of-acme')
  expect(heard).toMatchObject([{ event: 'lost', why: 'organization' }, { event: 'open' }])
})

test("no token goes to an origin that is not the session's", async () => {
  const { session } = await start()
  for (const to of ['wss://elsewhere.test/live', 'ws://api.example.test/live', 'https://api.example.test:444/'])
    for (const options of [withToken, { hello: (token: string) => token }])
      expect(() => openSocket(session, to, options)).toThrow(InvalidOptionError)
  expect(() => openSocket(session, 'ftp://api.example.test/')).toThrow('must begin with wss:')
  expect(() => openSocket(session, 'http://')).toThrow('must be a URL')
})

test('a path, https: and a fragment are made a URL that every WebSocket takes', async () => {
  const { session, sockets } = await start()
  for (const to of ['/live#now', 'https://api.example.test/live', new URL(LIVE)]) {
    openSocket(session, to, withToken)
    await settled()
    expect(sockets.last.url).toBe(LIVE)
  }
})

test('a token that is no name of a protocol: told without the token, and closed', async () => {
  const { opened, told, session, heard } = await start({ socket: { protocols: (token) => [`a/b=${token}`] } })
  expect(opened.state).toBe('closed')
  expect(told).toMatchObject([{ code: 'ERR_INVALID_OPTION', option: 'protocols' }])
  const token = (await session.getToken())!
  const [error] = told as Error[]
  expect(String(error) + String(error!.cause) + JSON.stringify(error)).not.toContain(token)
  expect(heard).toEqual([])
})

test('a session without a token that scripts can read says so', async () => {
  const server = createSampleServer()
  const sockets = createSockets()
  const { session } = await setup(
    { backend: cookieBackend(), initial: { user: { name: 'Ann' } }, platform: { WebSocket: sockets.WebSocket } },
    { server },
  )
  const told: unknown[] = []
  session.on('error', ({ error }) => told.push(error))
  const opened = openSocket(session, LIVE, withToken)
  await settled()
  expect(opened.state).toBe('closed')
  expect(told).toMatchObject([{ code: 'ERR_INVALID_OPTION', option: 'protocols' }])
  const plain = openSocket(session, LIVE)
  await settled()
  expect(plain.state).toBe('open')
})

test.each(['protocols', 'hello', 'isRefused'] as const)(
  '%s that throws closes the socket, and is told',
  async (name) => {
    const boom = () => {
      throw new Error('boom')
    }
    const { opened, told, sockets } = await start({ socket: { ...withToken, [name]: boom } })
    if (name === 'isRefused') sockets.last.drop(1006)
    await settled()
    expect(opened.state).toBe('closed')
    expect(told).toMatchObject([{ code: 'ERR_CALLBACK' }])
  },
)

test('a listener that throws is told, and the others hear', async () => {
  const { opened, sockets, told, heard } = await start()
  opened.on('message', () => {
    throw new Error('boom')
  })
  const last = vi.fn()
  opened.on('message', last)
  sockets.last.say('one')
  await settled()
  expect(heard).toEqual([{ event: 'message', data: 'one' }])
  expect(last).toHaveBeenCalledWith({ data: 'one' })
  expect(told).toMatchObject([{ code: 'ERR_CALLBACK' }])
})

test('a handshake that nobody answers is given up after 20 s', async () => {
  const { sockets, clock, opened } = await start({ sockets: createSockets(() => {}) })
  await clock.pass(19_000)
  expect([opened.state, sockets.tried.length]).toEqual(['connecting', 1])
  sockets.meet = (socket) => socket.accept()
  await clock.pass(5_000)
  expect([opened.state, sockets.tried.length]).toEqual(['open', 2])
})

test('no token is in a URL, an error, an event or a trace, whatever happens', async () => {
  const { session, server, sockets, clock, page, heard, told } = await start({
    socket: { ...withToken, hello: (token) => token },
  })
  const traces: unknown[] = []
  session.on('trace', (trace) => traces.push(trace))
  sockets.meet = guardedBy(server, 4401)
  await clock.pass(minute)
  server.expireAccessTokens()
  sockets.last.drop(4401)
  await clock.pass(minute)
  page.comeBack()
  await clock.pass(minute)
  const tokens = sockets.tried.map(({ protocols }) => protocols[1]!)
  expect(new Set(tokens).size).toBe(2)
  const seen = JSON.stringify([heard, told.map(String), traces, sockets.tried.map((each) => each.url)])
  for (const token of tokens) expect(seen).not.toContain(token)
  await session.signOut()
})
