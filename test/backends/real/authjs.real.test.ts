// Auth.js, @auth/core 0.41.3, run for real: sessions in its encrypted cookie and in a database, and the traps of its protocol.

import { RefreshFailedError, type Session } from 'resesh'
import { authjs } from 'resesh/backends/authjs'
import { describe, expect, test, vi } from 'vitest'
import { createScene, testBackend } from '../contract.ts'
import { thrownBy } from '../../support/session.ts'
import { sum, untilAll } from '../../support/tabs.ts'
import type { Controls } from './servers/authjs.ts'
import { usePages } from './support/pages.ts'
import { standOver, useServer } from './support/server.ts'

declare const Resesh: typeof import('../../../src/global.ts')

describe.each([
  { where: 'a cookie', isStored: false },
  { where: 'a database', isStored: true },
])('sessions in $where', ({ where, isStored }) => {
  const server = useServer<Controls>('authjs', { isStored })
  const { control } = server
  const stand = () =>
    standOver(server, {
      backend: () => authjs({ accessToken: 'accessToken' }),
      refreshPath: '/api/auth/session',
      forgives: true,
      // Signed with the app's own page: its token against forgery, then the form.
      signIn: (tab: Session, user: string) =>
        tab.signIn(async ({ fetch }) => {
          if (isStored) return void (await fetch(`/api/enter?user=${user}`))
          const { csrfToken } = await (await fetch('/api/auth/csrf')).json()
          const headers = { 'x-auth-return-redirect': '1' }
          const body = new URLSearchParams({ csrfToken, user })
          await fetch('/api/auth/callback/credentials', { method: 'POST', headers, body })
        }),
      expire: control.expire,
      revoke: control.revoke,
      edit: control.edit,
      ...(isStored && {
        get living() {
          return control.living()
        },
      }),
    })

  testBackend(`authjs with sessions in ${where}`, stand)

  test('a reload with data is an update: stored, and known to every tab', async () => {
    const { open, signedIn } = createScene(stand)
    const tabs = [await signedIn(), open()] as const
    await tabs[1].ready()
    const state = await tabs[0].reload({ data: { role: 'admin' } })
    expect(state).toMatchObject({ reason: 'reloaded', user: { name: 'Ann', role: 'admin' } })
    await vi.waitFor(() => expect(tabs[1].current.user).toMatchObject({ role: 'admin' }))
    expect((await tabs[1].reload()).user).toMatchObject({ role: 'admin' })
  })

  test('without its token against forgery, neither an update nor a sign-out counts', async () => {
    const browser = createScene(stand)
    const tab = await browser.signedIn()
    await control.forge(2)
    const error = await thrownBy(tab.reload({ data: { role: 'admin' } }))
    expect(error).toBeInstanceOf(RefreshFailedError)
    expect(tab.current).toMatchObject({ status: 'authenticated', user: { role: 'reader' } })
    await tab.signOut()
    expect(browser.cookies).toContain('authjs.session-token')
    tab.dispose()
    browser.clock.pass(60_000)
    expect((await browser.open().ready()).status).toBe('unauthenticated')
    await vi.waitFor(() => expect(browser.cookies).not.toContain('authjs.session-token'))
  })

  test('no token is shown in the state', async () => {
    const { signedIn } = createScene(stand)
    const { current } = await signedIn()
    expect(current).toMatchObject({ user: { name: 'Ann' }, claims: { sub: 'ann' } })
    expect(JSON.stringify(current)).not.toMatch(/token|secret/i)
  })

  test.runIf(isStored)('a store that is down looks like nobody: believed only when it is said twice', async () => {
    const browser = createScene(stand)
    const tab = await browser.signedIn()
    await control.down(1)
    expect((await tab.refresh()).status).toBe('authenticated')
    await control.down(1)
    const error = await thrownBy(tab.reload({ data: { role: 'admin' } }))
    expect(error).toBeInstanceOf(RefreshFailedError)
    expect(tab.current).toMatchObject({ status: 'authenticated', user: { role: 'reader' } })
    tab.dispose()
    await control.down(1)
    expect((await browser.open().ready()).status).toBe('authenticated')
    await control.down(2)
    const next = browser.open()
    await next.refresh()
    expect(next.current.status).toBe('unauthenticated')
    expect(browser.cookies).toContain('authjs.session-token')
  })

  test.runIf(isStored)('a store that is away for one and a half seconds signs nobody out', async () => {
    const { signedIn } = createScene(stand)
    const tab = await signedIn()
    await control.down(1_000)
    setTimeout(() => void control.down(0), 1_500)
    expect((await tab.refresh()).status).toBe('authenticated')
  })

  describe('in Chromium', () => {
    const pages = usePages(server)

    test('two tabs, forty requests: one refresh; an update and a sign-out for both; no cookie that scripts see', async () => {
      const { open, cookies, context } = await pages()
      const tabs = await open(2, { backend: () => Resesh.authjs({ accessToken: 'accessToken' }) })
      await tabs[0]!.run(
        ({ session }, stored) =>
          session.signIn(async ({ fetch }) => {
            if (stored) return void (await fetch('/api/enter?user=ann'))
            const { csrfToken } = await (await fetch('/api/auth/csrf')).json()
            const body = new URLSearchParams({ csrfToken, user: 'ann' })
            const headers = { 'x-auth-return-redirect': '1' }
            await fetch('/api/auth/callback/credentials', { method: 'POST', headers, body })
          }),
        isStored,
      )
      await untilAll(tabs, ({ user }) => user?.['name'] === 'Ann')
      const inJar = await cookies()
      expect(inJar.map(({ name }) => name)).toContain('authjs.session-token')
      expect(inJar.every(({ httpOnly, sameSite }) => httpOnly && sameSite === 'Lax')).toBe(true)
      expect(await tabs[1]!.page.evaluate('document.cookie')).toBe('')

      const before = await control.refreshes()
      await control.expire()
      const tallies = await Promise.all(tabs.map((tab) => tab.run((it) => it.fire(20, { path: '/api/me' }))))
      expect(sum(tallies)).toEqual({ 200: 40 })
      expect((await control.refreshes()) - before).toBe(1)

      await tabs[1]!.run(({ session }) => session.reload({ data: { role: 'admin' } }))
      await untilAll(tabs, ({ user }) => user?.['role'] === 'admin')

      await tabs[0]!.page.reload()
      await tabs[0]!.page.waitForFunction('globalThis.tab')
      await untilAll(tabs, ({ user }) => user?.['role'] === 'admin')

      await tabs[1]!.run(({ session }) => session.signOut())
      await untilAll(tabs, ({ status }) => status === 'unauthenticated')
      await vi.waitFor(async () =>
        expect((await context.cookies()).map(({ name }) => name)).not.toContain('authjs.session-token'),
      )
      const [next] = await open(1, { backend: () => Resesh.authjs() })
      expect(await next!.run(async ({ session }) => (await session.ready()).status)).toBe('unauthenticated')
    })
  })
})
