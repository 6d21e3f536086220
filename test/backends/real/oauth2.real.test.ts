// oidc-provider 9.13.3, run for real: the contract, and what rotation without grace asks of a client.

import { RefreshFailedError, RefreshTimeoutError, type Session } from 'resesh'
import { fromTokenResponse, oauth2, type OAuth2Options } from 'resesh/backends/oauth2'
import { describe, expect, test, vi } from 'vitest'
import { createScene, testBackend } from '../contract.ts'
import { API } from '../stand-in.ts'
import { defer, thrownBy } from '../../support/session.ts'
import { sum, untilAll } from '../../support/tabs.ts'
import type { Controls } from './servers/oidc.ts'
import { authorize, RESOURCES } from './support/authorize.ts'
import { usePages } from './support/pages.ts'
import { type RealServer, standOver, useServer } from './support/server.ts'

declare const Resesh: typeof import('../../../src/global.ts')

const [one, two] = RESOURCES as [string, string]

const stand =
  (server: RealServer<Controls>, options: Partial<OAuth2Options> = {}) =>
  () => {
    const { control } = server
    return standOver(server, {
      backend: () =>
        oauth2({
          tokenEndpoint: `${API}/token`,
          clientId: 'spa',
          revocationEndpoint: `${API}/token/revocation`,
          userinfoEndpoint: `${API}/me`,
          ...options,
        }),
      refreshPath: '/token',
      lifeMs: 60_000,
      signIn: (tab: Session, user: string) =>
        tab.signIn(async ({ fetch }) => {
          const body = new URLSearchParams(await authorize(server.origin, { user }))
          return fromTokenResponse(await (await fetch(`${API}/token?exchange`, { method: 'POST', body })).json())
        }),
      get living() {
        return control.living()
      },
      expire: control.expire,
      revoke: control.revoke,
      edit: control.edit,
      stepUp: { url: `${API}/api/vault`, type: 'insufficient_user_authentication', meet: control.meet },
    })
  }

describe('oidc-provider', () => {
  const server = useServer<Controls>('oidc')
  const scene = (options?: Partial<OAuth2Options>) => createScene(stand(server, options))

  testBackend('oauth2', stand(server))

  test('ten refreshes in a row, each with the successor of the last', async () => {
    const { signedIn } = scene()
    const tab = await signedIn()
    for (let i = 0; i < 10; i++) await tab.refresh()
    expect(tab.current.status).toBe('authenticated')
    expect(await server.control.thefts()).toBe(0)
  })

  test('calls for two resources and for the session go through one queue, and share no answer (48)', async () => {
    const { stand: it, open, signedIn } = scene()
    const tabs = [await signedIn(), open()] as const
    await tabs[1].ready()
    const tokens = await Promise.all(
      tabs.flatMap((tab) => [
        tab.getToken({ resource: one }),
        tab.getToken({ resource: two }),
        tab.getToken({ skipCache: true }),
        tab.getToken({ resource: two, skipCache: true }),
      ]),
    )
    expect(tokens.every(Boolean)).toBe(true)
    const ask = async (resource: number, token: string | null) => {
      const headers = { authorization: `Bearer ${token}` }
      return (await fetch(`${server.origin}/api/resources/${resource}`, { headers })).status
    }
    const [forOne, forTwo, forSession] = tokens as string[]
    expect([await ask(0, forOne!), await ask(0, forTwo!), await ask(1, forTwo!)]).toEqual([200, 401, 200])
    expect(await ask(0, forSession!)).toBe(401)
    expect((await tabs[0].fetch(it.profile)).status).toBe(200)
    expect(await server.control.thefts()).toBe(0)
    expect((await tabs[1].refresh()).status).toBe('authenticated')
  })

  test('a resource that was not granted costs the refresh token, but not the session while its token lives', async () => {
    const { stand: it, signedIn } = scene()
    const tab = await signedIn()
    const error = (await thrownBy(tab.getToken({ resource: 'https://three.example.test' }))) as RefreshFailedError
    expect(error).toBeInstanceOf(RefreshFailedError)
    expect(error.spent).toBe(true)
    expect((await tab.fetch(it.profile)).status).toBe(200)
    expect(tab.current.status).toBe('authenticated')
    await server.control.expire()
    expect((await tab.fetch(it.profile)).status).toBe(401)
    expect(tab.current).toMatchObject({ status: 'unauthenticated', reason: 'expired' })
    expect(await server.control.thefts()).toBe(1)
  })

  test('tokens of the session can be for a resource, too', async () => {
    const { signedIn } = scene({ resource: one, userinfoEndpoint: '' })
    const tab = await signedIn()
    await tab.refresh()
    expect(tab.current.claims).toMatchObject({ aud: one, sub: 'ann' })
  })

  test('the user is the same object until something is new of it', async () => {
    const { signedIn } = scene()
    const tab = await signedIn()
    const { user } = tab.current
    expect(user).toMatchObject({ sub: 'ann' })
    await tab.refresh()
    expect(tab.current.user).toBe(user)
    await tab.reload()
    const { user: whole } = tab.current
    expect(whole).toMatchObject({ sub: 'ann', name: 'Ann', role: 'reader' })
    await tab.refresh()
    await tab.reload()
    expect(tab.current.user).toBe(whole)
  })

  test('without userinfo the ID token says who it is, and a refresh with nothing new changes nothing', async () => {
    const { signedIn } = scene({ userinfoEndpoint: '' })
    const tab = await signedIn()
    const { user } = tab.current
    await tab.refresh()
    expect(tab.current.user).toBe(user)
  })

  test('a sign-out ends the whole grant: neither token is good for anything', async () => {
    const { stand: it, signedIn, wire } = scene()
    const tab = await signedIn()
    const token = await tab.getToken()
    await tab.signOut()
    const body = new URLSearchParams(await wire.to('/token/revocation')[0]!.text())
    expect(body.get('token_type_hint')).toBe('refresh_token')
    const headers = { authorization: `Bearer ${token}` }
    expect((await fetch(`${server.origin}/api/me`, { headers })).status).toBe(401)
    const again = { grant_type: 'refresh_token', client_id: 'spa', refresh_token: body.get('token')! }
    const refused = await fetch(`${server.origin}/token`, { method: 'POST', body: new URLSearchParams(again) })
    expect(await refused.json()).toMatchObject({ error: 'invalid_grant' })
    expect(await it.living).toBe(0)
  })

  describe('in Chromium', () => {
    const elsewhere = useServer<Controls>('oidc')
    const pages = usePages(elsewhere)

    test(
      'eight tabs of another origin, 160 requests: one refresh, no theft, none lost',
      { timeout: 90_000 },
      async () => {
        await server.control.reset()
        const { open } = await pages()
        const tabs = await open(8, {
          api: server.origin,
          backend: (api) =>
            Resesh.oauth2({
              tokenEndpoint: `${api}/token`,
              clientId: 'spa',
              revocationEndpoint: `${api}/token/revocation`,
              userinfoEndpoint: `${api}/me`,
            }),
        })
        const exchange = await authorize(server.origin, { user: 'ann' })
        await tabs[0]!.run(
          ({ session }, { api, ...fields }) =>
            session.signIn(async ({ fetch }) => {
              const response = await fetch(`${api}/token?exchange`, {
                method: 'POST',
                body: new URLSearchParams(fields),
              })
              return Resesh.fromTokenResponse(await response.json())
            }),
          { api: server.origin, ...exchange },
        )
        await untilAll(tabs, ({ status }) => status === 'authenticated')
        for (let run = 1; run <= 2; run++) {
          await server.control.expire()
          const tallies = await Promise.all(tabs.map((tab) => tab.run((it) => it.fire(20, { path: '/api/me' }))))
          expect(sum(tallies)).toEqual({ 200: 160 })
          expect(await server.control.refreshes()).toBe(run)
        }
        await server.control.edit('ann', { name: 'Anna' })
        expect((await tabs[3]!.run(({ session }) => session.reload())).user).toMatchObject({ name: 'Anna' })
        await untilAll(tabs, ({ user }) => user?.['name'] === 'Anna')
        expect(await server.control.thefts()).toBe(0)
        await tabs[5]!.run(({ session }) => session.signOut())
        await untilAll(tabs, ({ status }) => status === 'unauthenticated')
        await vi.waitFor(async () => expect(await server.control.living()).toBe(0))
      },
    )
  })
})

describe('oidc-provider that takes nobody along', () => {
  const server = useServer<Controls>('oidc', { punishes: false })

  test('invalid_grant ends nothing where another tab has rotated meanwhile (21)', async () => {
    const [arrived, gate] = [defer(), defer()]
    const base = stand(server)()
    const { handle } = base
    let isFirst = true
    const slow = Object.assign(base, {
      async handle(...args: Parameters<typeof handle>) {
        if (isFirst && args[0].url === `${API}/token`) {
          isFirst = false
          arrived.resolve()
          await gate.promise
        }
        return handle(...args)
      },
    })
    const { stand: it, open, signedIn } = createScene(() => slow)
    const late = await signedIn('ann', { timeout: 2_000 })
    const other = open({ timeout: 2_000 })
    await other.ready()
    const refreshed = thrownBy(late.refresh())
    await arrived.promise
    await other.refresh() // once the first has had its time
    const token = await other.getToken()
    gate.resolve()
    expect(await refreshed).toBeInstanceOf(RefreshTimeoutError)
    await vi.waitFor(async () => expect(await server.control.thefts()).toBe(1))
    expect(await late.getToken()).toBe(token)
    expect((await late.fetch(it.profile)).status).toBe(200)
    expect([late.current.status, other.current.status]).toEqual(['authenticated', 'authenticated'])
  })
})
