// A backend for frontend over oidc-provider 9.13.3, run for real, in both of its ways: its API answers 401 and `/bff/refresh`
// cures that, or it renews by itself and a 401 is the end.

import type { Session } from 'resesh'
import { cookie } from 'resesh/backends/cookie'
import { describe, expect, test, vi } from 'vitest'
import { PAGE } from '../browser.ts'
import { createScene, testBackend } from '../contract.ts'
import { sum, untilAll } from '../../support/tabs.ts'
import type { Controls } from './servers/bff.ts'
import { usePages } from './support/pages.ts'
import { standOver, useServer } from './support/server.ts'

declare const Resesh: typeof import('../../../src/global.ts')

const urls = { sessionUrl: '/bff/session', refreshUrl: '/bff/refresh', signOutUrl: '/bff/logout' }
const headers = { 'x-bff': '1' }

const ways = [
  {
    way: 'whose API answers 401',
    isGateway: true,
    inPage: () =>
      Resesh.cookie({
        sessionUrl: '/bff/session',
        refreshUrl: '/bff/refresh',
        signOutUrl: '/bff/logout',
        headers: { 'x-bff': '1' },
      }),
  },
  {
    way: 'that renews by itself',
    isGateway: false,
    inPage: () =>
      Resesh.cookie({
        sessionUrl: '/bff/session',
        refreshUrl: '/bff/refresh',
        signOutUrl: '/bff/logout',
        headers: { 'x-bff': '1' },
        refreshOn401: false,
      }),
  },
]

describe.each(ways)('a backend for frontend $way', ({ way, isGateway, inPage }) => {
  const server = useServer<Controls>('bff', { isGateway })
  const { control } = server
  const stand = () =>
    standOver(server, {
      backend: () => cookie({ ...urls, headers, refreshOn401: isGateway }),
      refreshPath: '/bff/refresh',
      profile: `${PAGE}/api/me`,
      options: {},
      signIn: (tab: Session, user: string) =>
        tab.signIn(async ({ fetch }) => void (await fetch(`/bff/login?user=${user}`, { redirect: 'manual' }))),
      get refreshes() {
        return control.renewals()
      },
      get living() {
        return control.living()
      },
      expire: control.expire,
      revoke: control.revoke,
      edit: control.edit,
    })

  testBackend(`cookie, ${way}`, stand)

  test('a refresh that the server cannot make for now ends nothing', async () => {
    const { stand: it, clock, signedIn } = createScene(stand)
    const tab = await signedIn()
    await control.away(true)
    await it.expire()
    const refused = await tab.fetch(it.profile).then(
      ({ status }) => status,
      ({ name }: Error) => name,
    )
    expect(refused).toBe(isGateway ? 'RefreshFailedError' : 503)
    expect(tab.current.status).toBe('authenticated')
    await control.away(false)
    clock.pass(15_000)
    expect((await tab.fetch(it.profile)).status).toBe(200)
  })

  describe('in Chromium', () => {
    const pages = usePages(server)

    test(
      'eight tabs, 160 requests: one refresh, none lost, and a cookie that no script sees',
      { timeout: 90_000 },
      async () => {
        const { open, cookies, context } = await pages()
        const tabs = await open(8, { backend: inPage })
        await context.request.get(`${server.origin}/bff/login?user=ann`, { maxRedirects: 0 })
        expect(await cookies()).toMatchObject([
          { name: '__Host-bff', httpOnly: true, secure: true, sameSite: 'Strict', path: '/' },
        ])
        expect(await tabs[0]!.page.evaluate('document.cookie')).toBe('')
        await tabs[0]!.run(({ session }) => session.signIn())
        await untilAll(tabs, ({ status, user }) => status === 'authenticated' && user?.['name'] === 'Ann')
        for (let run = 1; run <= 2; run++) {
          const [before] = await cookies()
          await control.expire()
          const tallies = await Promise.all(tabs.map((tab) => tab.run((it) => it.fire(20, { path: '/api/me' }))))
          expect(sum(tallies)).toEqual({ 200: 160 })
          expect(await control.renewals()).toBe(run)
          expect((await cookies())[0]!.value !== before!.value).toBe(isGateway)
        }
        expect(await control.thefts()).toBe(0)
        await control.edit('ann', { name: 'Anna' })
        await tabs[2]!.run(({ session }) => session.reload())
        await untilAll(tabs, ({ user }) => user?.['name'] === 'Anna')
        await tabs[6]!.run(({ session }) => session.signOut())
        await untilAll(tabs, ({ status }) => status === 'unauthenticated')
        await vi.waitFor(async () => expect(await cookies()).toEqual([]))
        expect(await control.living()).toBe(0)
      },
    )

    test('a tab that opens later, and one after a reload, find the session; the end is known to all', async () => {
      const { open, context } = await pages()
      await context.request.get(`${server.origin}/bff/login?user=ann`, { maxRedirects: 0 })
      const [first] = await open(1, { backend: inPage })
      expect(await first!.run(async ({ session }) => (await session.ready()).reason)).toBe('restored')
      await first!.page.reload()
      await first!.page.waitForFunction('globalThis.tab')
      const [second] = await open(1, { backend: inPage })
      await untilAll([first!, second!], ({ user }) => user?.['name'] === 'Ann')
      await control.revoke('ann')
      expect(await second!.run((it) => it.fire(5, { path: '/api/me' }))).toEqual({ 401: 5 })
      await untilAll([first!, second!], ({ status }) => status === 'unauthenticated')
      expect(await control.refreshes()).toBe(isGateway ? 1 : 0)
    })

    test('a page of another site has no cookie to send', async () => {
      const { open, context } = await pages()
      await context.request.get(`${server.origin}/bff/login?user=ann`, { maxRedirects: 0 })
      const [tab] = await open(1, { backend: inPage })
      await tab!.run(({ session }) => session.ready())
      const seen = context.waitForEvent('request', (each) => each.url().endsWith('/api/me'))
      const foreign = await context.newPage()
      await foreign.goto(server.origin.replace('127.0.0.1', 'foreign.test') + '/page')
      await foreign.evaluate(
        `fetch('${server.origin}/api/me', { credentials: 'include', mode: 'no-cors' }).catch(() => {})`,
      )
      expect((await (await seen).allHeaders())['cookie']).toBeUndefined()
    })
  })
})
