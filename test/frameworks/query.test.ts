// TanStack Query's own client over a session: what was fetched lives as long as the session that it was fetched with.

import { MutationObserver, onlineManager, QueryClient, QueryObserver } from '@tanstack/query-core'
import { defineBackend, type Session, createSession, memory } from 'resesh'
import { connectQueryClient } from 'resesh/query'
import { expect, onTestFinished, test } from 'vitest'
import { createSampleServer } from '../servers/sample/server.ts'
import {
  createWire,
  defer,
  evenChance,
  fetchOf,
  jwt,
  type Login,
  login,
  ORIGIN,
  settled,
  setup,
  type Setup,
  url,
} from '../support/session.ts'

const createClient = (): QueryClient => {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: Infinity } } })
  onTestFinished(() => client.clear())
  return client
}

test('methods of the session are callbacks of a query and of a mutation', async () => {
  const { session, server } = await setup({ initial: null })
  const client = createClient()
  const said = await login(server)
  const logIn = new MutationObserver(client, { mutationFn: async () => said, onSuccess: session.signIn })
  await logIn.mutate()
  expect(session.current.status).toBe('authenticated')
  await new MutationObserver(client, { mutationFn: session.signIn }).mutate(said)
  expect(await client.fetchQuery({ queryKey: ['token'], queryFn: session.getToken })).toBe(said.accessToken)
  expect(await client.fetchQuery({ queryKey: ['state'], queryFn: session.reload })).toMatchObject({
    reason: 'reloaded',
  })
})

/** A mounted component: the user's profile, and each state that it has shown. */
const mount = (client: QueryClient, { fetch }: Pick<Session, 'fetch'>, options: object = {}) => {
  let fetches = 0
  const observer = new QueryObserver<{ name: string }>(client, {
    queryKey: ['me'],
    queryFn: async ({ signal }) => {
      fetches++
      const response = await fetch(url('/api/me'), { signal })
      if (!response.ok) throw new Error(String(response.status))
      return response.json()
    },
    ...options,
  })
  const shown: (string | undefined)[] = []
  onTestFinished(observer.subscribe(({ data }) => shown.push(data?.name)))
  return {
    shown,
    get fetches() {
      return fetches
    },
    get now() {
      const { data, status, fetchStatus } = observer.getCurrentResult()
      return [data?.name, status, fetchStatus]
    },
  }
}

interface Connected extends Setup {
  client: QueryClient
  me: ReturnType<typeof mount>
}

const connected = async (filters?: object): Promise<Connected> => {
  const all = await setup()
  const client = createClient()
  onTestFinished(connectQueryClient(all.session, client, filters))
  const me = mount(client, all.session)
  await settled()
  expect(me.now).toEqual(['Ann', 'success', 'idle'])
  client.setQueryData(['unmounted'], 'of ann')
  return { ...all, client, me }
}

const isInvalidated = (client: QueryClient): boolean | undefined => client.getQueryState(['unmounted'])?.isInvalidated

test('a reload after an edit: what is mounted is fetched again, the rest is invalidated', async () => {
  const { server, session, client, me } = await connected()
  server.users.edit('ann', { name: 'Bea' })
  me.shown.length = 0
  await session.reload()
  await settled()
  expect(me.now).toEqual(['Bea', 'success', 'idle'])
  expect(me.fetches).toBe(2)
  expect(me.shown).not.toContain(undefined)
  expect(isInvalidated(client)).toBe(true)
})

test('a reload that brings the same user invalidates, too: the edit may have been of something else', async () => {
  const { session, client, me } = await connected()
  await session.reload()
  await settled()
  expect(me.fetches).toBe(2)
  expect(isInvalidated(client)).toBe(true)
})

test('a mere refresh leaves all as it is, forced or after an expiry, and so does one that fails and heals', async () => {
  const { server, session, client, me, wire } = await connected()
  await session.refresh()
  server.expireAccessTokens()
  await session.fetch(url('/api/items/1'))
  wire.isDown = true
  await session.refresh().catch(() => {})
  wire.isDown = false
  await session.refresh()
  await settled()
  expect(server.stats.refreshes).toBe(3)
  expect(me.fetches).toBe(1)
  expect(isInvalidated(client)).toBe(false)
})

test('a refresh that brings other claims invalidates: what the server shows may depend on them', async () => {
  const { server, session, client } = await connected()
  server.users.edit('ann', { role: 'admin' })
  await session.refresh()
  expect(isInvalidated(client)).toBe(true)
})

test.each([
  ['a sign-out', ({ session }: Connected) => session.signOut()],
  [
    'the server’s word that it is over',
    ({ server, session }: Connected) => {
      server.revoke('ann')
      return session.refresh()
    },
  ],
])('%s: all is dropped, and nothing is fetched again', async (_, end) => {
  const all = await connected()
  const { client, me } = all
  const disabled = mount(client, all.session, { queryKey: ['unmounted'], enabled: false })
  await end(all)
  await settled()
  expect(all.session.current.status).toBe('unauthenticated')
  expect(me.now).toEqual([undefined, 'pending', 'idle'])
  expect(disabled.now).toEqual([undefined, 'pending', 'idle'])
  expect(me.fetches).toBe(1)
})

test('a sign-out removes what nobody has mounted', async () => {
  const { session, client } = await connected()
  await session.signOut()
  expect(client.getQueryCache().find({ queryKey: ['unmounted'] })).toBeUndefined()
})

test('a sign-out cancels what is under way, and a late answer shows nowhere', async () => {
  const { session, client } = await connected()
  const [answer, aborted] = [defer<string>(), defer()]
  const slow = new QueryObserver(client, {
    queryKey: ['slow'],
    queryFn: ({ signal }) => {
      signal.addEventListener('abort', () => aborted.resolve())
      return answer.promise
    },
  })
  onTestFinished(slow.subscribe(() => {}))
  await session.signOut()
  await aborted.promise
  answer.resolve('of ann')
  await settled()
  expect(slow.getCurrentResult()).toMatchObject({ data: undefined, status: 'pending', fetchStatus: 'idle' })
})

test('a mutation that waits for the network is never sent by another user', async () => {
  const { session, client, server } = await connected()
  let sent = 0
  onlineManager.setOnline(false)
  onTestFinished(() => onlineManager.setOnline(true))
  void new MutationObserver(client, { mutationFn: async () => sent++ }).mutate()
  await settled()
  expect(client.isMutating()).toBe(1)
  await session.signOut()
  await session.signIn(await login(server, 'zoe'))
  onlineManager.setOnline(true)
  await client.resumePausedMutations()
  await settled()
  expect(sent).toBe(0)
})

test.each([
  ['after a sign-out', true],
  ['in place of the first', false],
])('another user who signs in %s never sees the data of the first', async (_, signsOut) => {
  const { server, session, client, me } = await connected()
  if (signsOut) await session.signOut()
  me.shown.length = 0
  await session.signIn(await login(server, 'zoe'))
  await settled()
  expect(me.now).toEqual(['Zoe', 'success', 'idle'])
  expect(me.shown).not.toContain('Ann')
  expect(me.shown).toContain(undefined)
  expect(client.getQueryData(['unmounted'])).toBeUndefined()
})

test('the same user who signs in again keeps what is shown, and it is fetched again', async () => {
  const { server, session, client, me } = await connected()
  me.shown.length = 0
  await session.signIn(await login(server))
  await settled()
  expect(me.fetches).toBe(2)
  expect(me.shown).not.toContain(undefined)
  expect(isInvalidated(client)).toBe(true)
})

test('another organization is another tenant: nothing of the first one is shown', async () => {
  const session: Session = createSession({
    storage: memory(),
    backend: defineBackend({
      name: 'organizations',
      accepts: ['organizationId'],
      refresh: async (_held, _io, { organizationId = 'acme' }) => ({
        accessToken: jwt({ sub: 'ann', org: organizationId }),
        organizationId,
      }),
    }),
    initial: { accessToken: jwt({ sub: 'ann', org: 'acme' }), refreshToken: 'r', organizationId: 'acme' },
    platform: { Math: evenChance, fetch: async () => Response.json({ name: session.current.organizationId }) },
  })
  onTestFinished(session.dispose)
  const client = createClient()
  onTestFinished(connectQueryClient(session, client))
  const { shown } = mount(client, {
    fetch: async () => Response.json({ name: session.current.organizationId }),
  })
  await settled()
  shown.length = 0
  await session.refresh({ organizationId: 'globex' })
  await settled()
  expect(shown).not.toContain('acme')
  expect(shown.at(-1)).toBe('globex')
})

test('what is asked while it is not known yet who is signed in is left alone', async () => {
  const server = createSampleServer()
  const credentials = await login(server)
  const restored = defer<Login>()
  const wire = createWire(fetchOf(server))
  const session = createSession({
    storage: memory(),
    backend: defineBackend({
      name: 'asking',
      attach: (headers, held) => headers.set('authorization', `Bearer ${held?.accessToken}`),
      restore: () => restored.promise,
      refresh: async () => null,
    }),
    origins: [ORIGIN],
    platform: { fetch: wire.fetch },
  })
  onTestFinished(session.dispose)
  const client = createClient()
  onTestFinished(connectQueryClient(session, client))
  const me = mount(client, session)
  await settled()
  expect([session.current.status, ...me.now]).toEqual(['loading', undefined, 'pending', 'fetching'])
  restored.resolve(credentials)
  await expect.poll(() => [session.current.status, ...me.now]).toEqual(['authenticated', 'Ann', 'success', 'idle'])
  expect(me.fetches).toBe(1)
})

test('with filters, only what belongs to the session is touched', async () => {
  const { session, client, me } = await connected({ queryKey: ['me'] })
  client.setQueryData(['news'], 'of everybody')
  await session.signOut()
  expect(me.now).toEqual([undefined, 'pending', 'idle'])
  expect(client.getQueryData(['news'])).toBe('of everybody')
})

test('nothing happens after it is undone', async () => {
  const { session } = await setup()
  const client = createClient()
  const undo = connectQueryClient(session, client)
  client.setQueryData(['unmounted'], 'of ann')
  undo()
  await session.signOut()
  expect(client.getQueryData(['unmounted'])).toBe('of ann')
})
