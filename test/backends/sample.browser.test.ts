// Each backend end to end in a page: sign in, use, expire, refresh, reload, sign out. The browser keeps the cookies.

import { createSession, type Session } from 'resesh'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { faces, sample } from '../support/page.ts'

let session: Session
let name = ''
beforeEach(() => {
  name = crypto.randomUUID() // storage outlives the test
  return sample.reset({ bffSilentRefresh: false })
})
afterEach(async () => {
  session.dispose()
  await fetch('/bff/logout', { method: 'POST', headers: { 'x-bff': '1' } })
})

const edit = (to: string) =>
  session.fetch('/api/me', {
    method: 'PATCH',
    body: JSON.stringify({ name: to }),
    headers: { 'content-type': 'text/json' },
  })
const me = async () => {
  const response = await session.fetch('/api/me')
  return response.ok ? ((await response.json()) as { name: string }).name : response.status
}

describe.each(Object.entries(faces))('%s', (face, { backend, refresh, login }) => {
  const isCookie = face === 'cookie'
  const start = async () => {
    session = createSession({ name, backend, refreshAhead: 'never', ...(!isCookie && { initial: null }) })
    expect((await session.ready()).status).toBe('unauthenticated')
    return session.signIn((await login()) ?? undefined)
  }
  const refreshes = async () => (await sample.stats()).refreshes

  test('signs in', async () => {
    const state = await start()
    expect(state).toMatchObject({ status: 'authenticated', reason: 'signed-in', stale: false })
    expect(await me()).toBe('Ann')
    expect(await session.getToken()).toEqual(isCookie ? null : expect.stringContaining('.'))
  })

  test('fifty requests meet an expiry that only the server knows: one refresh', async () => {
    await start()
    await sample.expire()
    const responses = await Promise.all(Array.from({ length: 50 }, (_, nth) => session.fetch(`/api/items/${nth}`)))
    expect(responses.every(({ ok }) => ok)).toBe(true)
    expect(await refreshes()).toBe(1)
    expect((await sample.stats()).thefts).toBe(0)
  })

  test('rotates: ten refreshes in a row, each with the successor of the last', async () => {
    await start()
    for (let i = 0; i < 10; i++) await session.refresh()
    const { refreshTokenUses, thefts, byPath } = await sample.stats()
    expect(byPath[refresh]).toBeGreaterThanOrEqual(10)
    expect(Object.values(refreshTokenUses)).toEqual(Array(10).fill(1))
    expect(thefts).toBe(0)
    expect(await me()).toBe('Ann')
  })

  test('reload() brings an edited profile', async () => {
    await start()
    expect((await edit('Annabel')).status).toBe(200)
    const { user, reason } = await session.reload()
    expect([user?.['name'], reason]).toEqual(['Annabel', 'reloaded'])
  })

  test('the server ends the session: known at the next request, which gets its 401', async () => {
    await start()
    await sample.revoke('ann')
    expect(await me()).toBe(401)
    expect(session.current).toMatchObject({ status: 'unauthenticated', reason: 'expired', user: null, claims: null })
    const used = await refreshes()
    expect(await me()).toBe(401)
    expect(await refreshes()).toBe(used)
  })

  test('a refresh that fails with 500 ends nothing', async () => {
    await start()
    await sample.expire()
    await sample.knobs({ refreshFailures: [500] })
    expect(await me()).toBe('Ann')
    expect(session.current).toMatchObject({ status: 'authenticated', stale: false })
    expect(await refreshes()).toBe(2)
  })

  test('signs out here and at the server', async () => {
    await start()
    expect((await sample.state()).sessions).toBe(1)
    const state = await session.signOut()
    expect(state).toMatchObject({ status: 'unauthenticated', reason: 'signed-out' })
    expect((await sample.state()).sessions).toBe(0)
    expect(await me()).toBe(401)
    expect(await session.getToken()).toBe(null)
    expect(await refreshes()).toBe(0)
  })

  test('a sign-out while a refresh is under way wins', async () => {
    await start()
    await sample.expire()
    await sample.knobs({ refreshDelayMs: 200 })
    const held = me().catch((error: { code: string }) => error.code)
    await expect.poll(async () => (await sample.stats()).refreshesInFlight).toBe(1)
    await session.signOut()
    expect(await held).toBe('ERR_SESSION_ENDED')
    expect(session.current.status).toBe('unauthenticated')
    expect((await sample.state()).sessions).toBe(0)
  })
})

describe('a cookie session', () => {
  const { backend, login } = faces.cookie
  const start = () => (session = createSession({ name, backend, refreshAhead: 'never' }))

  test('is found again by the next page, and no script can see its cookie', async () => {
    await login()
    expect(document.cookie).toBe('')
    const state = await start().ready()
    expect(state).toMatchObject({ status: 'authenticated', reason: 'restored' })
    expect(state.user?.['name']).toBe('Ann')
  })

  test('is gone for the next page after a sign-out', async () => {
    await login()
    await start().ready()
    await session.signOut()
    session.dispose()
    expect((await start().ready()).status).toBe('unauthenticated')
  })

  test('whose server renews by itself needs no refresh at all', async () => {
    await sample.knobs({ bffSilentRefresh: true })
    await login()
    await start().ready()
    await sample.expire()
    expect(await me()).toBe('Ann')
    const { refreshes, silentRefreshes } = await sample.stats()
    expect([refreshes, silentRefreshes]).toEqual([0, 1])
  })

  test('can have a token as well, where the server mediates one', async () => {
    await sample.knobs({ bffMediatesToken: true })
    await login()
    await start().ready()
    const token = await session.getToken()
    expect(token).toContain('.')
    expect(session.current.claims?.['name']).toBe('Ann')
    expect(await session.getToken({ skipCache: true })).not.toBe(token)
  })
})
