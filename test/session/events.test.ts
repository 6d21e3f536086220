// What those hear who subscribed: each change once, in order, and whatever they do harms nobody.

import { defineBackend, type Events, type Session, type State } from 'resesh'
import { observeResponses } from 'resesh/backends/kit'
import { expect, test } from 'vitest'
import { createClock, defer, jwt, login, settled, setup, url } from '../support/session.ts'

type Change = Events['change']

const changesOf = (session: Session): Change[] => {
  const changes: Change[] = []
  session.on('change', (change) => changes.push(change))
  return changes
}

test('a change tells what was, what is, why, from where, and what differs', async () => {
  const { server, session } = await setup()
  const changes = changesOf(session)
  const previous = session.current
  server.users.edit('ann', { name: 'Anna' })
  const current = await session.reload()
  expect(changes).toHaveLength(1)
  expect(changes[0]).toMatchObject({ reason: 'reloaded', source: 'this-tab' })
  expect(changes[0]!.previous).toBe(previous)
  expect(changes[0]!.current).toBe(current)
  expect(changes[0]!.changed).toEqual(expect.arrayContaining(['user', 'claims', 'reason']))
  expect(changes[0]!.changed).not.toContain('status')
})

test("an end by the server's word has the server as its source", async () => {
  const { server, session } = await setup()
  const changes = changesOf(session)
  server.revoke('ann')
  await session.refresh()
  expect(changes).toMatchObject([{ reason: 'expired', source: 'server' }])
  expect(changes[0]!.changed).toContain('status')
})

test('a sign-out and a sign-in are one change each', async () => {
  const { server, session } = await setup()
  const changes = changesOf(session)
  await session.signOut()
  await session.signIn(await login(server))
  expect(changes.map(({ reason }) => reason)).toEqual(['signed-out', 'signed-in'])
})

test('an answer that says the same again is no change', async () => {
  const same = { accessToken: jwt({ sub: 'ann' }), expiresAt: Date.now() + 60_000 }
  const backend = defineBackend({ refresh: async () => same })
  const { session, states } = await setup({ backend, initial: same })
  await session.refresh()
  await session.refresh()
  expect(states).toEqual([])
})

test('user and claims stay the same objects when only the times of minting changed', async () => {
  const clock = createClock()
  const { session, states } = await setup({}, { clock })
  const { user, claims } = session.current
  await clock.pass(30_000)
  const current = await session.reload()
  expect(states).toHaveLength(1) // it lives longer now
  expect(current.user).toBe(user)
  expect(current.claims).toBe(claims)
})

test('the user stays the same object when only a claim changed', async () => {
  const answer = (role: string) => ({ accessToken: jwt({ sub: 'ann', role }), user: { name: 'Ann' } })
  const backend = defineBackend({ refresh: async () => answer('admin') })
  const { session } = await setup({ backend, initial: answer('reader') })
  const { user } = session.current
  const current = await session.refresh()
  expect(current.claims).toMatchObject({ role: 'admin' })
  expect(current.user).toBe(user)
})

test('current is the same object until something changes', async () => {
  const { session } = await setup()
  const before = session.current
  await session.fetch(url('/api/me'))
  expect(session.current).toBe(before)
})

test('a state cannot be changed by those who read it', async () => {
  const { session } = await setup()
  expect(Object.isFrozen(session.current)).toBe(true)
})

test('a stale state cannot be changed either', async () => {
  const clock = createClock()
  const { session } = await setup({}, { clock, knobs: { refreshFailures: [500] } })
  await clock.pass(61_000)
  await session.getToken().catch(() => {})
  expect(session.current.stale).toBe(true)
  expect(Object.isFrozen(session.current)).toBe(true)
})

test('no state holds a token', async () => {
  const { session } = await setup()
  const token = await session.getToken()
  expect(JSON.stringify(session.current)).not.toContain(token)
})

test('a listener that throws keeps nobody from hearing, nor the caller from its token', async () => {
  const { session } = await setup()
  session.on('change', () => {
    throw new Error('broken listener')
  })
  const changes = changesOf(session)
  expect(await session.getToken({ skipCache: true })).toBe(await session.getToken())
  await session.signOut()
  expect(changes.length).toBeGreaterThan(0)
})

test('a listener whose promise rejects harms nobody', async () => {
  const { session, states } = await setup()
  session.on('change', () => Promise.reject(new Error('broken listener')))
  await session.signOut()
  await settled() // an unhandled rejection would fail this run
  expect(states).toHaveLength(1)
})

test('a listener that never ends is not waited for', async () => {
  const { session } = await setup()
  session.on('change', () => new Promise(() => {}))
  expect(await session.signOut()).toMatchObject({ status: 'unauthenticated' })
})

test('a trace tells of a listener that throws', async () => {
  const { session } = await setup()
  const traces: Events['trace'][] = []
  session.on('trace', (trace) => traces.push(trace))
  session.on('change', () => {
    throw new Error('broken listener')
  })
  await session.signOut()
  expect(traces).toContainEqual(expect.objectContaining({ type: 'listener-failed', event: 'change' }))
})

test('a trace listener that throws harms nobody', async () => {
  const { session } = await setup()
  session.on('trace', () => {
    throw new Error('broken listener')
  })
  expect((await session.fetch(url('/api/me'))).status).toBe(200)
})

test.each<[string, (session: Session) => Promise<unknown>]>([
  ['getToken', ({ getToken }) => getToken()],
  ['getToken with skipCache', ({ getToken }) => getToken({ skipCache: true })],
  ['refresh', ({ refresh }) => refresh()],
  ['reload', ({ reload }) => reload()],
  ['signOut', ({ signOut }) => signOut()],
  ['ready', ({ ready }) => ready()],
  ['fetch', ({ fetch }) => fetch(url('/api/me'))],
])('a listener may call %s and wait for it', async (_, call) => {
  const { server, session } = await setup()
  const inside = defer<unknown>()
  const undo = session.on('change', async () => {
    undo()
    inside.resolve(await call(session))
  })
  server.users.edit('ann', { role: 'admin' })
  await session.refresh()
  expect(await inside.promise).toBeDefined()
})

test('a change that a response caused is out before that response reaches its caller', async () => {
  const { server, session } = await setup()
  const order: string[] = []
  server.users.edit('ann', { role: 'admin' })
  server.expireAccessTokens()
  session.on('change', () => order.push('change'))
  await session.fetch(url('/api/me'))
  order.push('caller')
  expect(order).toEqual(['change', 'caller'])
})

test('an end that a response caused is out before that response reaches its caller', async () => {
  const { server, session } = await setup()
  const order: string[] = []
  server.revoke('ann')
  session.on('change', ({ current }) => order.push(current.status))
  const response = await session.fetch(url('/api/me'))
  order.push(String(response.status))
  expect(order).toEqual(['unauthenticated', '401'])
})

test('what a response says of the session is out before that response reaches its caller', async () => {
  const backend = defineBackend({
    refresh: async () => null,
    use: [
      observeResponses(({ headers }) => (headers.get('x-token') ? { accessToken: headers.get('x-token') } : undefined)),
    ],
  })
  const fetch = async () => new Response(null, { headers: { 'x-token': jwt({ role: 'admin' }) } })
  const { session } = await setup({
    backend,
    initial: { accessToken: jwt({ role: 'reader' }) },
    origins: [url('')],
    platform: { fetch },
  })
  const changes = changesOf(session)
  await session.fetch(url('/api/me'))
  expect(changes).toMatchObject([{ source: 'server', reason: 'updated', current: { claims: { role: 'admin' } } }])
})

test('a change is out before whoever forced it goes on, and current agrees', async () => {
  const { server, session } = await setup()
  const heard: unknown[] = []
  server.users.edit('ann', { role: 'admin' })
  session.on('change', ({ current }) => heard.push(current === session.current))
  await session.getToken({ skipCache: true })
  expect(heard).toEqual([true])
})

test('on returns what undoes it', async () => {
  const { session } = await setup()
  const heard: Change[] = []
  const undo = session.on('change', (change) => heard.push(change))
  undo()
  await session.signOut()
  expect(heard).toEqual([])
})

test('a listener that is added twice is undone one by one', async () => {
  const { session } = await setup()
  let heard = 0
  const listener = () => heard++
  session.on('change', listener)
  session.on('change', listener)()
  await session.signOut()
  expect(heard).toBe(1)
})

test('a listener that is added while others are told hears only the next change', async () => {
  const { server, session } = await setup()
  const heard: string[] = []
  const undo = session.on('change', () => {
    undo()
    session.on('change', ({ reason }) => heard.push(reason))
  })
  await session.signOut()
  await session.signIn(await login(server))
  expect(heard).toEqual(['signed-in'])
})

test('subscribe calls at once, and then at every change until it is undone', async () => {
  const { server, session } = await setup()
  const seen: State['status'][] = []
  const undo = session.subscribe(({ status }) => seen.push(status))
  expect(seen).toEqual(['authenticated'])
  await session.signOut()
  undo()
  await session.signIn(await login(server))
  expect(seen).toEqual(['authenticated', 'unauthenticated'])
})

test('a refresh ahead that fails is an error event, since no call could be told', async () => {
  const clock = createClock()
  const { session } = await setup({ refreshAhead: 'always' }, { clock, knobs: { refreshFailures: [500] } })
  const errors: Events['error'][] = []
  session.on('error', (event) => errors.push(event))
  await clock.pass(43_000)
  expect(errors).toMatchObject([{ error: { code: 'ERR_REFRESH_FAILED' } }])
})

test('a failure that its caller was told of is no error event', async () => {
  const { session } = await setup({}, { knobs: { refreshFailures: [500] } })
  const errors: Events['error'][] = []
  session.on('error', (event) => errors.push(event))
  await session.refresh().catch(() => {})
  expect(errors).toEqual([])
})

test('no event comes after dispose', async () => {
  const { session, states, wire } = await setup()
  const refresh = wire.hold('/auth/refresh')
  const late = session.refresh()
  await refresh.arrived
  session.dispose()
  refresh.release()
  await late
  await session.signOut()
  expect(states).toEqual([])
})

test('using ends with dispose', async () => {
  const { session, states } = await setup()
  session[Symbol.dispose]()
  await session.signOut()
  expect(states).toEqual([])
})

test('two sessions on one page hear nothing of each other', async () => {
  const one = await setup({ name: 'one' })
  const two = await setup({ name: 'two' })
  await one.session.signOut()
  expect(two.states).toEqual([])
  expect(two.session.current.status).toBe('authenticated')
})
