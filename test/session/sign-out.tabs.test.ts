// Sign-out, and sign-in of somebody else, in one tab, while the others are at work: nobody goes on as somebody else.

import { expect, test } from 'vitest'
import { signedIn, stateIn, type Tab, untilAll, useTabs } from '../support/tabs.ts'

const world = useTabs()

const begin = (tab: Tab, path: string): Promise<void> =>
  tab.run(({ later, fire }, to) => void (later['mine'] = fire(3, { path: to })), path)
const mine = (tab: Tab) => tab.run(({ later }) => later['mine'])
const areHeld = (tab: Tab) =>
  expect.poll(() => tab.run(({ traces }) => traces.filter((type) => type === 'hold').length)).toBe(3)

/** Asks the server for credentials, as a login page of the app would. */
const credentialsOf = (tab: Tab, username: string) =>
  tab.run(async (_, name) => {
    const headers = { 'content-type': 'application/json' }
    const body = JSON.stringify({ username: name, password: 'secret' })
    const response = await fetch('/auth/login', { method: 'POST', headers, body })
    const { accessToken, refreshToken, user } = await response.json()
    return { accessToken, refreshToken, user }
  }, username)

test.each(['bearer', 'cookie'] as const)('sign-out reaches the other tabs, each once (%s)', async (kind) => {
  const each = await world({ knobs: { bffSilentRefresh: false } })
  const [first, ...rest] = await signedIn(each, 3, { kind })
  await first.run(({ session }) => session.signOut())
  await untilAll(rest, ({ status }) => status === 'unauthenticated')
  for (const tab of rest) {
    const ends = await tab.run(({ heard }) => heard.filter(({ reason }) => reason === 'signed-out'))
    expect(ends).toMatchObject([{ status: 'unauthenticated', source: 'other-tab' }])
    expect(await tab.run(({ session }) => session.getToken())).toBe(null)
    expect(await tab.run(({ fire }) => fire(2, { path: '/api/me' }))).toEqual({ 401: 2 })
  }
  expect(each.sent.filter(({ path, user }) => path === '/api/me' && user)).toEqual([])
  expect(each.server.sessions).toBe(0)
})

test.each(['bearer', 'cookie'] as const)(
  'sign-out while another tab refreshes, and requests wait in a third: none is sent, nothing comes back (89, %s)',
  async (kind) => {
    const each = await world({ knobs: { bffSilentRefresh: false } })
    const [leaving, refreshing, waiting] = await signedIn(each, 3, { kind })
    each.server.expireAccessTokens()
    const { arrived, release } = each.holdAnswer(`/${kind === 'bearer' ? 'auth' : 'bff'}/refresh`)
    await begin(refreshing, '/api/items/')
    await arrived
    await begin(waiting, '/api/me')
    await areHeld(waiting)
    const left = leaving.run(({ session }) => session.signOut())
    await untilAll([leaving, refreshing, waiting], ({ status }) => status === 'unauthenticated')
    const known = each.sent.length
    release()
    await left
    expect(await Promise.all([refreshing, waiting].map(mine))).toEqual([
      { SessionEndedError: 3 },
      { SessionEndedError: 3 },
    ])
    await expect.poll(() => each.server.sessions).toBe(0)
    expect(each.sent.slice(known).filter(({ path }) => path.startsWith('/api/'))).toEqual([])
    for (const { page } of [refreshing, waiting]) {
      await page.reload()
      const again = await each.tabIn(page)
      expect(await again.run(({ session }) => session.ready())).toMatchObject({ status: 'unauthenticated' })
    }
    const heard = await leaving.run((tab) => tab.heard.map(({ status }) => status))
    expect(heard.lastIndexOf('authenticated')).toBeLessThan(heard.indexOf('unauthenticated', 1))
  },
)

test('sign-out while held requests were never sent: they never are (89)', async () => {
  const each = await world()
  const [leaving, refreshing, waiting] = await signedIn(each, 3)
  await leaving.run(({ signIn, sleep }) => signIn({ lifeSeconds: 0.2 }).then(() => sleep(200)))
  const { arrived, release } = each.holdRequest('/auth/refresh')
  await begin(refreshing, '/api/me')
  await arrived
  await begin(waiting, '/api/me')
  await areHeld(waiting)
  const { sessions } = each.server
  const left = leaving.run(({ session }) => session.signOut())
  await untilAll([refreshing, waiting], ({ status }) => status === 'unauthenticated')
  release()
  await left
  expect(await Promise.all([refreshing, waiting].map(mine))).toEqual([
    { SessionEndedError: 3 },
    { SessionEndedError: 3 },
  ])
  expect(each.sent.filter(({ path }) => path === '/api/me')).toEqual([])
  await expect.poll(() => each.server.sessions).toBe(sessions - 1)
})

test('another user signs in elsewhere: what waited as the first one is never sent as the second (90)', async () => {
  const each = await world()
  const [first, refreshing, waiting] = await signedIn(each, 3)
  each.server.expireAccessTokens()
  const { arrived, release } = each.holdAnswer('/auth/refresh')
  await begin(refreshing, '/api/me')
  await arrived
  await begin(waiting, '/api/me')
  await areHeld(waiting)
  const bob = await credentialsOf(first, 'bob')
  await first.run(({ session }, credentials) => session.signIn(credentials), bob)
  await untilAll([refreshing, waiting], ({ user }) => user?.['name'] === 'Bob')
  release()
  expect(await Promise.all([refreshing, waiting].map(mine))).toEqual([
    { SessionEndedError: 3 },
    { SessionEndedError: 3 },
  ])
  expect(each.sent.filter(({ path, user }) => path === '/api/me' && user !== 'ann')).toEqual([])
  expect(await stateIn(refreshing)).toMatchObject({ status: 'authenticated', user: { name: 'Bob' } })
  expect(await refreshing.run(({ fire }) => fire(2, { path: '/api/me' }))).toEqual({ 200: 2 })
  expect(each.sent.filter(({ path }) => path === '/api/me').slice(-2)).toMatchObject([{ user: 'bob' }, { user: 'bob' }])
})

test('sign-out and another sign-in elsewhere while this tab heard nothing: the next request goes as the new user (91)', async () => {
  const each = await world()
  const [first] = await signedIn(each, 1)
  const [deaf] = await each.open(1, { platform: () => ({ BroadcastChannel: null }) })
  await untilAll([deaf!], ({ status }) => status === 'authenticated')
  await first.run(({ session }) => session.signOut())
  await first.run(({ signIn }) => signIn({ user: 'bob' }))
  // Sent as ann, whose session the server has ended: her request is not repeated as bob's.
  expect(await deaf!.run(({ fire }) => fire(1, { path: '/api/me' }))).toEqual({ SessionEndedError: 1 })
  expect(await deaf!.run(({ session }) => session.current.user?.['name'])).toBe('Bob')
  expect(await deaf!.run(({ fire }) => fire(1, { path: '/api/me' }))).toEqual({ 200: 1 })
  expect(each.sent.filter(({ path }) => path === '/api/me').map(({ user }) => user)).toEqual(['ann', 'bob'])
})

test('sign-out during a refresh that hangs: what waits in any tab rejects at once', async () => {
  const each = await world()
  const [leaving, refreshing, waiting] = await signedIn(each, 3)
  each.server.expireAccessTokens()
  const { arrived, release } = each.holdAnswer('/auth/refresh')
  await Promise.all([leaving, refreshing].map((tab) => begin(tab, '/api/items/')))
  await arrived
  await begin(waiting, '/api/me')
  await Promise.all([leaving, refreshing, waiting].map(areHeld))
  const left = leaving.run(({ session }) => session.signOut())
  const tabs = [leaving, refreshing, waiting]
  // The answer to the refresh is still held back.
  expect(await Promise.all(tabs.map(mine))).toEqual(tabs.map(() => ({ SessionEndedError: 3 })))
  release()
  await left
})
