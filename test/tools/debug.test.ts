// What the console says of a session: plain sentences, only where they are asked for, and never a token.

import { createSession, memory, type Session, type SessionOptions } from 'resesh'
import { debug, explain } from 'resesh/debug'
import { expect, onTestFinished, test } from 'vitest'
import { createSampleServer } from '../servers/sample/server.ts'
import {
  bearerBackend,
  cookieBackend,
  createClock,
  createWire,
  defer,
  evenChance,
  fetchOf,
  login,
  settled,
  setup,
  sharedStorage,
  url,
} from '../support/session.ts'
import { pageWith, remembering, written } from './written.ts'

test('it is silent until it is asked for', async () => {
  const { session, server, lines, warnings } = await written()
  server.expireAccessTokens()
  await session.fetch(url('/api/me'))
  await session.signOut()
  expect([...lines, ...warnings]).toEqual([])
})

test.each([
  ['resesh:*', true],
  ['*', true],
  ['app:* resesh:*', true],
  ['app:*,resesh:refresh', true],
  ['resesh:ref*', true],
  ['resesh', false],
  ['resesh:*,-resesh:*', false],
  ['-resesh:refresh resesh:*', false],
  ['*, -resesh:r*', false],
  ['other:*', false],
  ['', false],
])('localStorage.debug = %j: a refresh is told: %s', async (enabled, isTold) => {
  const { session, lines } = await written({}, { enabled })
  await session.refresh()
  expect(lines.some((line) => line.startsWith('resesh:refresh '))).toBe(isTold)
})

test('`on` wins over what is stored', async () => {
  const { session, lines, warnings } = await written({}, { enabled: 'resesh:*', on: false })
  await session.refresh()
  expect([...lines, ...warnings]).toEqual([])
})

test('a page that may not look into its storage is silent', async () => {
  const getItem = () => {
    throw new DOMException('no', 'SecurityError')
  }
  const { session } = await setup({ platform: { localStorage: { getItem } as unknown as Storage } })
  const { console, lines } = remembering()
  debug(session, { console })
  await session.refresh()
  expect(lines).toEqual([])
})

test('a refused request, the refresh it starts, and how many wait: one sentence', async () => {
  const { session, server, wire, lines } = await written({}, { on: true })
  const refresh = wire.hold('/auth/refresh')
  server.expireAccessTokens()
  const all = [1, 2, 3, 4].map((item) => session.fetch(url(`/api/items/${item}?q=secret`)))
  await refresh.arrived
  refresh.release()
  await Promise.all(all)
  const started = lines.find((line) => line.includes('started'))
  expect(started).toMatch(
    /^resesh:refresh GET https:\/\/api\.example\.test\/api\/items\/1 was refused \(401\) with token #1; refresh 1 started; \d requests? waits?$/,
  )
  expect(lines.filter((line) => line.includes('started'))).toHaveLength(1)
  expect(lines.find((line) => line.includes('brought'))).toMatch(
    /refresh 1 brought token #2 in \d+ ms; 4 requests go on$/,
  )
  expect(lines.filter((line) => /answered 200 to token #2 in .*sent 2 times/.test(line))).toHaveLength(4)
  expect(lines.join('\n')).not.toContain('secret')
})

test('a refusal that an earlier refresh has cured is not the reason for the next one', async () => {
  const { session, server, wire, lines } = await written({}, { on: true })
  server.expireAccessTokens()
  const [slow, refresh] = [wire.hold('/api/items/2'), wire.hold('/auth/refresh')]
  const both = [1, 2].map((item) => session.fetch(url(`/api/items/${item}`)))
  await Promise.all([slow.arrived, refresh.arrived])
  slow.release() // refused while the refresh runs
  await settled()
  refresh.release()
  await Promise.all(both)
  await session.refresh()
  expect(lines).toContain('resesh:refresh refresh 2 started to renew token #2, because the app asked for it')
})

test('a request of the page itself is named by its path', async () => {
  const { session, lines } = await written(
    { origins: ['https://app.example.test'], platform: { fetch: async () => new Response() } },
    { on: true },
  )
  await session.fetch('/api/me?q=1')
  expect(lines).toContainEqual(expect.stringMatching(/^resesh:request GET \/api\/me answered 200 to token #1 in /))
})

test('a refresh that fails is told with its code and message, and until when nothing is sent', async () => {
  const { session, lines } = await written({}, { on: true, clock: createClock(), knobs: { refreshFailures: [500] } })
  await session.refresh().catch(() => {})
  await settled()
  expect(lines).toContainEqual(
    expect.stringMatching(
      /refresh 1 failed \(ERR_REFRESH_FAILED\): POST .*\/auth\/refresh: answered 500\. The session is kept\./,
    ),
  )
  expect(lines).toContainEqual(
    expect.stringMatching(/no refresh is sent within the next \d+ ms, because this one failed$/),
  )
})

test('an end by the server, a sign-out and a listener that throws are told', async () => {
  const { session, server, lines } = await written({}, { on: true })
  session.on('change', () => {
    throw new Error('broken')
  })
  server.revoke('ann')
  await session.refresh()
  await settled()
  expect(lines).toContainEqual(expect.stringMatching(/refresh 1 was refused: the session is over \(expired\)/))
  expect(lines).toContainEqual('resesh:session authenticated → unauthenticated (expired, by the server)')
  expect(lines).toContainEqual(expect.stringMatching(/a listener of 'change' threw/))
})

test('what another tab has refreshed already: the refused request, and that no refresh was needed', async () => {
  const shared = sharedStorage()
  const { session, server, lines } = await written({ storage: shared }, { on: true })
  const other = await setup({ storage: shared, initial: undefined as never }, { server })
  await other.session.ready()
  server.expireAccessTokens()
  await other.session.refresh()
  await session.fetch(url('/api/me'))
  expect(lines).toContainEqual(
    expect.stringMatching(
      /GET .*\/api\/me was refused \(401\) with token #1; no refresh was needed: another tab has done it/,
    ),
  )
})

test('undone, it says nothing more; called again, it says everything once', async () => {
  const { session, lines, undo } = await written({}, { on: true })
  const again = remembering()
  const second = debug(session, { on: true, console: again.console })
  lines.length = 0
  await session.refresh()
  expect(lines).toEqual([])
  expect(again.lines.filter((line) => line.includes('brought'))).toHaveLength(1)
  undo() // of the first call: the second goes on
  await session.refresh()
  expect(again.lines.filter((line) => line.includes('brought'))).toHaveLength(2)
  second()
  await session.refresh()
  expect(again.lines.filter((line) => line.includes('brought'))).toHaveLength(2)
})

test('what is no session is said so', () => {
  expect(() => debug({} as Session, { on: true })).toThrow(/no session/)
})

test('refreshes and held requests are measured for the performance panel, on a track of their own', async () => {
  const measured: { name: string; track: string; ms: number }[] = []
  let now = 0
  const performance = {
    now: () => ++now,
    clearMeasures() {},
    measure(name: string, { start, end, detail }: { start: number; end: number; detail: any }) {
      measured.push({ name, track: detail.devtools.track, ms: end - start })
    },
  } as unknown as Performance
  const world = await setup({ platform: { ...pageWith('resesh:*'), performance } })
  world.server.expireAccessTokens()
  await world.session.fetch(url('/api/me'))
  expect(measured).toEqual([]) // nobody looks on
  const { console } = remembering()
  const undo = debug(world.session, { console })
  world.server.expireAccessTokens()
  await world.session.fetch(url('/api/me'))
  expect(measured.map(({ name, track }) => ({ name, track }))).toEqual([
    { name: 'refresh 2', track: 'resesh' },
    { name: `GET ${url('/api/me')} held`, track: 'resesh' },
  ])
  expect(measured.every(({ ms }) => ms > 0)).toBe(true)
  undo()
  await world.session.refresh()
  expect(measured).toHaveLength(2)
})

test('loaded late, it begins with how the session is', async () => {
  const clock = createClock()
  const { session } = await setup({ platform: pageWith('resesh:*') }, { clock })
  await clock.pass(2_000)
  const { console, lines } = remembering()
  onTestFinished(debug(session, { console }))
  expect(lines).toEqual([
    'resesh:session debug starts: what happened before is not shown. The user is signed in, and no problem is known. It holds token #1, which came 2 s ago and expires in 58 s.',
  ])
})

test('loaded while the server is away, it says so first', async () => {
  const clock = createClock()
  const { session, server } = await setup(
    { platform: pageWith('resesh:*') },
    { clock, knobs: { refreshFailures: [404] } },
  )
  server.expireAccessTokens()
  void session.fetch(url('/api/me')).catch(() => {})
  await clock.pass(100)
  const { console, lines } = remembering()
  onTestFinished(debug(session, { console }))
  expect(lines[0]).toMatch(
    /debug starts.*could not be renewed.*no such route.*\(ERR_REFRESH_FAILED\).*answered 404.*It holds token #1/,
  )
})

test('a server that is away is told once, with what changes, and that it works again', async () => {
  const clock = createClock()
  const { session, server, lines, warnings } = await written({ refreshAhead: 'always' }, { on: true, clock })
  server.knobs.refreshFailures = [500, 500, 500, 503, 503]
  server.expireAccessTokens()
  void session.fetch(url('/api/me')).catch(() => {})
  await clock.pass(120_000)
  const told = (text: string) => lines.filter((line) => line.includes(text))
  expect(told('answered 500. The session is kept. 1 request waits.')).toHaveLength(1)
  expect(told('failed (ERR_REFRESH_FAILED): POST https://api.example.test/auth/refresh: answered 503')).toHaveLength(1)
  expect(told('no refresh is sent within')).toHaveLength(2)
  expect(told('works again')).toEqual([
    expect.stringMatching(/^resesh:refresh the refresh works again after 5 failed tries in [\d.]+ s$/),
  ])
  expect(new Set(warnings).size).toBe(warnings.length)
  // The next outage is another one.
  server.knobs.refreshFailures = [500]
  await session.refresh().catch(() => {})
  await settled()
  expect(told('answered 500. The session is kept.')).toHaveLength(2)
})

test('a refresh that the app asks for is told each time', async () => {
  const clock = createClock()
  const { session, lines } = await written({}, { on: true, clock, knobs: { refreshFailures: [500, 500] } })
  for (let times = 0; times < 2; times++) {
    void session.refresh().catch(() => {})
    await clock.pass(10_000)
  }
  expect(lines.filter((line) => line.includes('because the app asked for it'))).toHaveLength(2)
  expect(lines.filter((line) => line.includes('failed (ERR_REFRESH_FAILED)'))).toHaveLength(2)
})

test('a sign-in while it is being found out who is signed in: no other tab is blamed', async () => {
  const server = createSampleServer()
  const credentials = await login(server)
  const wire = createWire(fetchOf(server))
  const looking = wire.hold('/bff/session')
  const begin = (backend: SessionOptions['backend'], storage = sharedStorage()) => {
    const session = createSession({ backend, storage, platform: { ...pageWith(), fetch: wire.fetch } })
    onTestFinished(session.dispose)
    const { console, lines } = remembering()
    onTestFinished(debug(session, { on: true, console }))
    return { session, lines }
  }
  const storage = sharedStorage()
  const [asked, opened] = [defer(), defer()]
  let reads = 0
  storage.getItem = async () => {
    if (++reads === 2) {
      asked.resolve()
      await opened.promise
    }
    return storage.text
  }
  const tokens = begin(bearerBackend(), storage)
  await asked.promise
  await tokens.session.signIn(credentials)
  opened.resolve()
  await settled()
  expect(tokens.lines).toContain('resesh:refresh no restore was needed: this tab has signed in meanwhile')
  const cookies = begin(cookieBackend())
  await looking.arrived
  await cookies.session.signIn({ user: { name: 'Ann' } })
  looking.release()
  await settled()
  expect(cookies.lines).toContain('resesh:session restore was not needed any more: this tab has got token #1 meanwhile')
  expect([...tokens.lines, ...cookies.lines].filter((line) => line.includes('another tab'))).toEqual([])
})

test('no line joins two sentences by a comma or a semicolon, nor ends one twice', async () => {
  const clock = createClock()
  const { session, server, lines, warnings } = await written({}, { on: true, clock })
  server.knobs.refreshFailures = [500, 'html', 'empty', 404, 'opaque', 'drop-before']
  for (let times = 0; times < 7; times++) {
    server.expireAccessTokens()
    void session.fetch(url('/api/me')).catch(() => {})
    await clock.pass(70_000)
  }
  const { sentence } = explain(session)
  expect(lines.length).toBeGreaterThan(10)
  expect(
    [...lines, ...warnings, sentence].filter((line) => /[.?!][;,.?!](?!\S)|[;,] *[;,.]|: *:| {2}/.test(line)),
  ).toEqual([])
})

// Everything that can go wrong goes wrong, and all that is written is searched for every token there was.
test('no line holds a token, nor a query', async () => {
  const clock = createClock()
  const server = createSampleServer({ now: clock.now })
  const secrets = new Set<string>()
  const wire = createWire(fetchOf(server))
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const response = await wire.fetch(input, init)
    const said = await response.clone().text()
    for (const [, secret] of said.matchAll(/"(?:access|refresh)Token":"([^"]+)"/g)) secrets.add(secret!)
    return response
  }
  const credentials = await login(server)
  secrets.add(credentials.accessToken).add(credentials.refreshToken)
  const { console, lines, warnings } = remembering()
  const session = createSession({
    backend: bearerBackend(),
    initial: credentials,
    refreshAhead: 'always',
    storage: memory(),
    platform: { ...pageWith(), ...clock.platform, fetch, Math: evenChance },
  })
  onTestFinished(session.dispose)
  debug(session, { on: true, console })
  session.on('change', () => {
    throw new Error(`a listener that tells ${credentials.accessToken}`)
  })
  const call = async (work: Promise<unknown>) => {
    void work.catch(() => {})
    await clock.pass(20_000)
  }
  for (const fault of [500, 503, 'drop-before', 'html', 'empty', 'opaque', 'past-exp'] as const) {
    server.knobs.refreshFailures = [fault]
    server.expireAccessTokens()
    await call(session.fetch(url(`/api/me?token=${credentials.accessToken}`)))
    await call(session.refresh())
    await clock.pass(60_000)
  }
  const deep = { data: { jwt: credentials.accessToken, user: { name: 'canary' } }, [credentials.accessToken]: 1 }
  server.knobs.refreshFailures = [{ status: 200, body: JSON.stringify(deep) }]
  await call(session.refresh())
  await clock.pass(60_000)
  await call(session.signIn(deep))
  await call(session.signIn(async () => deep))
  await call(session.refresh({ [`x${credentials.accessToken}`]: 1 }))
  debug(session, { on: true, console })
  await call(session.fetch(url(`/api/me/${credentials.accessToken}`)))
  await call(session.fetch(`https://other.test/?${credentials.accessToken}`))
  await call(session.fetch(url('/api/me'), { headers: { authorization: `Bearer x${credentials.accessToken}` } }))
  await call(session.signIn(() => Promise.reject(new Error(`Bearer ${credentials.refreshToken}`))))
  await call(session.signIn({ accessToken: `${credentials.accessToken}\n` }))
  await call(session.signOut())
  await call(session.signIn(await login(server)))
  server.revoke('ann')
  await call(session.reload())
  const text = [...lines, ...warnings].join('\n')
  const parts = [...secrets].map((secret) => secret.split('.').at(-1)!)
  expect(parts.length).toBeGreaterThan(5)
  expect(lines.length).toBeGreaterThan(50)
  expect(parts.filter((part) => text.includes(part))).toEqual([])
  expect(text).not.toMatch(/\?\w|token=|canary/)
  expect(text).toContain('it has data.jwt, data.user.name;')
})
