// What every backend has to keep, whatever its server says on the wire: one suite, run against each server.

import {
  RefreshFailedError,
  type Awaitable,
  type Backend,
  type Json,
  type Session,
  type SessionOptions,
  type State,
} from 'resesh'
import { stepUp } from 'resesh/step-up'
import { describe, expect, test, vi } from 'vitest'
import type { Fault } from '../servers/vendors/stand-in.ts'
import { createBrowser, createClock, PAGE, type Browser, type Clock, type Handle } from './browser.ts'

/** A server and the app around it. */
export interface Stand {
  handle: Handle
  backend(): Backend<any>
  options?: Partial<SessionOptions>
  /** The app's own login, in a tab. */
  signIn(tab: Session, user: string): Promise<unknown>
  /** Path of the call that renews. */
  refreshPath: string
  /** How often it was made. */
  readonly refreshes: Awaitable<number>
  /** A route that answers with the profile of who is signed in, else with `expiredStatus`. */
  profile: string
  /** @default 401 */
  expiredStatus?: number
  /** The name as the app sees it. @default that of the user, else of the claims */
  nameIn?(state: State): unknown
  /** No token that is out is accepted any more. */
  expire(): unknown
  /** The session ends, and nobody is told. */
  revoke(user: string): unknown
  edit(user: string, changes: Json): unknown
  fail(...faults: Fault[]): unknown
  /** Sessions that live; left out where the server does not end one at sign-out. */
  readonly living?: Awaitable<number>
  /** Life of an access token, where the page can know it and the server renews a dead one. */
  lifeMs?: number
  stepUp?: {
    /** A route that asks for more, until `meet`. */
    url: string
    type: string
    meet(): unknown
  }
  /** Asking again uses nothing up, or the server forgives it for a while. */
  forgives?: boolean
  /** The next call that renews comes with a cookie that another page has replaced since; left out where there is no cookie. */
  comeLate?(): unknown
  /** How its refresh asks more of the user, until `meet`; left out where it never does. */
  demand?: {
    readonly type: string
    make(): unknown
    meet(): unknown
  }
}

export interface Scene<S extends Stand = Stand> extends Browser {
  stand: S
  clock: Clock
  /** A tab where that user has just signed in. */
  signedIn(user?: string, options?: Partial<SessionOptions>): Promise<Session>
}

export function createScene<S extends Stand>(create: (clock: Clock) => S): Scene<S> {
  const clock = createClock()
  const stand = create(clock)
  const browser = createBrowser(stand.handle, stand.backend, clock)
  const open: Browser['open'] = (options) => browser.open({ ...stand.options, ...options })
  return Object.assign(Object.create(browser) as Browser, {
    open,
    stand,
    clock,
    async signedIn(user = 'ann', options?: Partial<SessionOptions>) {
      const tab = open(options)
      await stand.signIn(tab, user)
      return tab
    },
  })
}

const tally = async (responses: Promise<Response>[]): Promise<number[]> =>
  [...new Set((await Promise.all(responses)).map(({ status }) => status))].toSorted()

export function testBackend(name: string, create: (clock: Clock) => Stand): void {
  const nameIn = (stand: Stand, state: State): unknown =>
    stand.nameIn ? stand.nameIn(state) : (state.user?.['name'] ?? state.claims?.['name'])
  const scene = () => createScene(create)

  describe(`${name} keeps the contract`, () => {
    test('with nobody signed in, requests go out, and a 401 is handed back', async () => {
      const { stand, open } = scene()
      const tab = open()
      expect(await tab.ready()).toMatchObject({ status: 'unauthenticated', user: null })
      expect((await tab.fetch(stand.profile)).status).toBe(stand.expiredStatus ?? 401)
      expect(await tab.getToken()).toBeNull()
    })

    test('who signed in is known to this page and the next', async () => {
      const { stand, open, signedIn } = scene()
      const tab = await signedIn()
      expect(tab.current).toMatchObject({ status: 'authenticated', reason: 'signed-in' })
      expect(await (await tab.fetch(stand.profile)).json()).toMatchObject({ name: 'Ann' })
      tab.dispose()
      const next = open()
      expect((await next.ready()).status).toBe('authenticated')
      expect(await (await next.fetch(stand.profile)).json()).toMatchObject({ name: 'Ann' })
    })

    test('the first request of a page waits for what it needs, and is sent once', async () => {
      const { stand, wire, open, signedIn } = scene()
      ;(await signedIn()).dispose()
      const { pathname } = new URL(stand.profile, PAGE)
      const before = wire.to(pathname).length
      expect((await open().fetch(stand.profile)).status).toBe(200)
      expect(wire.to(pathname).length - before).toBe(1)
    })

    test('a server that is away at the start makes nobody signed out', async () => {
      const { wire, open, signedIn } = scene()
      ;(await signedIn()).dispose()
      wire.isDown = true
      const tab = open()
      const statuses = new Set<string>()
      tab.on('change', ({ current }) => statuses.add(current.status))
      await new Promise((done) => setTimeout(done, 30))
      wire.isDown = false
      await vi.waitFor(() => expect(tab.current.status).toBe('authenticated'))
      expect([...statuses]).not.toContain('unauthenticated')
    })

    test('fifty requests meet an expiry that only the server knows: one refresh', async () => {
      const { stand, signedIn } = scene()
      const tab = await signedIn()
      const before = await stand.refreshes
      await stand.expire()
      expect(await tally(Array.from({ length: 50 }, () => tab.fetch(stand.profile)))).toEqual([200])
      expect((await stand.refreshes) - before).toBe(1)
    })

    test('fifty requests on a token known to be spent: one refresh, and none of them is refused', async ({ skip }) => {
      const { stand, clock, wire, signedIn } = scene()
      if (!stand.lifeMs) return skip('the page knows of no expiry')
      const tab = await signedIn()
      const [before, path] = [await stand.refreshes, new URL(stand.profile, 'https://app.example.test').pathname]
      clock.pass(stand.lifeMs + 1)
      expect(await tally(Array.from({ length: 50 }, () => tab.fetch(stand.profile)))).toEqual([200])
      expect([(await stand.refreshes) - before, wire.to(path).length]).toEqual([1, 50])
    })

    test('forced means fresh: it does not join the refresh that runs', async () => {
      const { stand, wire, signedIn } = scene()
      const tab = await signedIn()
      const held = wire.hold(stand.refreshPath)
      const running = tab.refresh()
      await held.arrived
      await stand.edit('ann', { name: 'Anna' })
      const forced = tab.reload()
      held.release()
      await running
      expect(nameIn(stand, await forced)).toBe('Anna')
    })

    test('a reload shows an edited profile', async () => {
      const { stand, signedIn } = scene()
      const tab = await signedIn()
      await tab.reload()
      expect(nameIn(stand, tab.current)).toBe('Ann')
      await stand.edit('ann', { name: 'Anna' })
      expect(nameIn(stand, tab.current)).toBe('Ann')
      const state = await tab.reload()
      expect(nameIn(stand, state)).toBe('Anna')
      expect(state.status).toBe('authenticated')
    })

    test('a session that the server ended is over: once, and with its own answer', async () => {
      const { stand, signedIn } = scene()
      const tab = await signedIn()
      await stand.revoke('ann')
      await stand.expire()
      expect((await tab.fetch(stand.profile)).status).toBe(stand.expiredStatus ?? 401)
      expect(tab.current).toMatchObject({ status: 'unauthenticated', user: null, claims: null })
      expect(tab.current.reason).toMatch(/^(expired|reused|revoked)$/)
      const after = await stand.refreshes
      expect((await tab.fetch(stand.profile)).status).toBe(stand.expiredStatus ?? 401)
      expect(await stand.refreshes).toBe(after)
    })

    test.each<Fault>([500, 503, 429, 'html', 'network'])('a refresh that meets %s ends nothing', async (fault) => {
      const { stand, clock, signedIn } = scene()
      const tab = await signedIn()
      await stand.fail(fault)
      await expect(tab.refresh()).rejects.toBeInstanceOf(RefreshFailedError)
      expect(tab.current.status).toBe('authenticated')
      clock.pass(15_000) // the cool-down, and the deadline of an attempt whose answer nobody saw
      await stand.expire()
      expect((await tab.fetch(stand.profile)).status).toBe(200)
    })

    test('nobody, said of a cookie that another page has replaced meanwhile, ends nothing', async ({ skip }) => {
      const { stand, signedIn } = scene()
      if (!stand.comeLate) return skip('there is no cookie')
      const tab = await signedIn()
      const statuses = new Set<string>()
      tab.on('change', ({ current }) => statuses.add(current.status))
      stand.comeLate()
      await stand.expire()
      expect((await tab.fetch(stand.profile)).status).toBe(200)
      expect([...statuses, tab.current.status]).not.toContain('unauthenticated')
    })

    test('a call that the network has lost is made again on the ordinary back-off', async ({ skip }) => {
      const { stand, clock, signedIn } = scene()
      if (!stand.forgives) return skip('the server does not forgive it')
      const tab = await signedIn()
      await stand.fail('network')
      await stand.expire()
      const begun = clock.now()
      expect((await tab.fetch(stand.profile)).status).toBe(200)
      expect(clock.now() - begun).toBeLessThan(3_000)
    })

    test('a page in place of an answer is told at once, the session is kept, and the next try works', async () => {
      const { stand, clock, signedIn } = scene()
      const tab = await signedIn()
      await stand.fail('html')
      await stand.expire()
      const begun = clock.now()
      const told: unknown = await tab.fetch(stand.profile).catch((error: unknown) => error)
      // A server that renews the session by itself is not asked, and has no page to answer with.
      if (told instanceof Response) return expect(told.status).toBe(200)
      expect(told).toMatchObject({ code: 'ERR_REFRESH_FAILED', isWrongUrl: true })
      expect(clock.now() - begun).toBeLessThan(3_000)
      expect(tab.current).toMatchObject({ status: 'authenticated', stale: true })
      if (stand.forgives) expect((await tab.fetch(stand.profile)).status).toBe(200)
    })

    test('a refresh that asks more of the user: they are told, one call is refused, and requests go on after it', async ({
      skip,
    }) => {
      const { stand, open, signedIn } = scene()
      const { demand } = stand
      if (!demand) return skip('the server has no such thing')
      ;(await signedIn()).dispose()
      const asked = new Set<() => void>()
      const types: string[] = []
      const handler = stepUp(async ({ challenge }) => {
        types.push(challenge.type)
        await new Promise<void>((done) => asked.add(done))
        return true
      })
      const tab = open({ use: [handler] })
      await tab.ready()
      const before = await stand.refreshes
      demand.make()
      await stand.expire()
      const requests = Array.from({ length: 5 }, () => tab.fetch(stand.profile))
      await vi.waitFor(() => expect(types).toHaveLength(5))
      const late = tab.fetch(stand.profile)
      await vi.waitFor(() => expect(types).toHaveLength(6))
      expect([...new Set(types)]).toEqual([demand.type])
      expect((await stand.refreshes) - before).toBe(1)
      demand.meet()
      asked.forEach((done) => done())
      expect(await tally([...requests, late])).toEqual([200])
      expect([tab.current.status, (await stand.refreshes) - before]).toEqual(['authenticated', 2])
    })

    test('a refresh that asks more of the user, who is not there: the server’s answer, and the session is kept', async ({
      skip,
    }) => {
      const { stand, signedIn } = scene()
      const { demand } = stand
      if (!demand) return skip('the server has no such thing')
      const tab = await signedIn()
      const before = await stand.refreshes
      demand.make()
      await stand.expire()
      const refused = stand.expiredStatus ?? 401
      expect(await tally(Array.from({ length: 5 }, () => tab.fetch(stand.profile)))).toEqual([refused])
      expect((await stand.refreshes) - before).toBe(1)
      demand.meet()
      expect((await tab.refresh()).status).toBe('authenticated')
      expect((await tab.fetch(stand.profile)).status).toBe(200)
    })

    test('a request that needs more of the user is parked, without a refresh', async ({ skip }) => {
      const { stand, open, signedIn } = scene()
      const { stepUp: more } = stand
      if (!more) return skip('the server has no such thing')
      const deaf = await signedIn()
      const atFirst = await stand.refreshes
      expect((await deaf.fetch(more.url)).ok).toBe(false) // nobody is asked
      expect(await stand.refreshes).toBe(atFirst)
      const types: string[] = []
      const handler = stepUp(async ({ challenge }) => {
        types.push(challenge.type)
        await more.meet()
        return true
      })
      const tab = open({ use: [handler] })
      await tab.ready()
      const before = await stand.refreshes
      expect((await tab.fetch(more.url)).status).toBe(200)
      expect(types).toEqual([more.type])
      expect([tab.current.status, await stand.refreshes]).toEqual(['authenticated', before])
    })

    test('a sign-out ends the session here, at the server, and for the next page', async () => {
      const { stand, open, signedIn } = scene()
      const tab = await signedIn()
      expect(await tab.signOut()).toMatchObject({ status: 'unauthenticated', reason: 'signed-out', user: null })
      expect(await (stand.living ?? 0)).toBe(0)
      expect((await tab.fetch(stand.profile)).status).toBe(stand.expiredStatus ?? 401)
      tab.dispose()
      expect((await open().ready()).status).toBe('unauthenticated')
    })

    test('another user is another session', async () => {
      const { stand, signedIn } = scene()
      const tab = await signedIn('ann')
      await stand.signIn(tab, 'bob')
      expect(await (await tab.fetch(stand.profile)).json()).toMatchObject({ name: 'Bob' })
      expect(nameIn(stand, await tab.reload())).toBe('Bob')
    })

    test('two tabs share one refresh, and a sign-out', async () => {
      const { stand, clock, open, signedIn } = scene()
      const tabs = [await signedIn(), open()] as const
      await tabs[1].ready()
      clock.pass(1_000)
      const before = await stand.refreshes
      await stand.expire()
      const requests = tabs.flatMap((tab) => Array.from({ length: 20 }, () => tab.fetch(stand.profile)))
      expect(await tally(requests)).toEqual([200])
      expect((await stand.refreshes) - before).toBe(1)
      await tabs[0].signOut()
      await vi.waitFor(() => expect(tabs[1].current.status).toBe('unauthenticated'))
    })
  })
}
