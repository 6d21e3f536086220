// What a page goes through: frozen and thawed, put away in the back/forward cache and brought back, left in the middle of
// things. Nothing of before is served after.

import type { Platform } from 'resesh'
import { expect, test } from 'vitest'
import { signedIn, stateIn, sum, type Tab, untilAll, useTabs, type World } from '../support/tabs.ts'

const world = useTabs({ canSleep: true })

const lifeOf = async ({ context }: World, { page }: Tab) => {
  const devtools = await context.newCDPSession(page)
  const set = (state: 'frozen' | 'active') => devtools.send('Page.setWebLifecycleState', { state })
  return { freeze: () => set('frozen'), thaw: () => set('active') }
}

/** Asks for a token, and sends a request, in the first moment after this event. */
const askAt = (tab: Tab, type: 'pageshow' | 'resume') =>
  tab.run(({ later, session }, event) => {
    const target = event === 'resume' ? document : globalThis
    later['asked'] = new Promise((done) =>
      target.addEventListener(event, (happened) => {
        const answer = session.fetch('/api/me').then(
          ({ status }) => status,
          (error: Error) => error.message,
        )
        const { persisted } = happened as PageTransitionEvent
        done(Promise.all([session.getToken(), answer]).then((both) => [persisted, ...both]))
      }),
    )
  }, type)
/** As the user's button does: Playwright's own waits for a load, and there is none. */
const goBack = async ({ page }: Tab): Promise<void> => {
  await Promise.all([page.waitForURL('**/page?*', { waitUntil: 'commit' }), page.evaluate(() => history.back())])
  await page.waitForFunction('globalThis.tab')
}
const asked = (tab: Tab) => tab.run(({ later }) => later['asked'])

test('a page comes back from the back/forward cache after a sign-out elsewhere: nothing of before is served (62 to 64)', async () => {
  const each = await world()
  const [away, other] = await signedIn(each, 2)
  await askAt(away, 'pageshow')
  await away.page.goto(`${each.origin}/elsewhere`)
  await other.run(({ session }) => session.signOut())
  await goBack(away)
  expect(await asked(away)).toEqual([true, null, 'The session is over: the user signed out'])
  const { heard } = await away.run((tab) => ({ heard: tab.heard.map(({ reason }) => reason) }))
  expect(heard.slice(-1)).toEqual(['signed-out'])
  expect(each.sent.filter(({ path }) => path === '/api/me')).toEqual([])
})

test('a page in the back/forward cache, whose refresh was under way, neither blocks the others nor overwrites (62)', async () => {
  const each = await world({ knobs: { graceMs: 10_000 } })
  const tabs = await each.open(2, { session: { replayWindow: 5000 } })
  const [away, other] = tabs as [Tab, Tab]
  await away.run((tab) => tab.signIn())
  await untilAll(tabs, ({ status }) => status === 'authenticated')
  each.server.expireAccessTokens()
  const { arrived, release } = each.holdAnswer('/auth/refresh')
  await away.run(({ later, fire }) => void (later['mine'] = fire(2)))
  await arrived
  await away.page.goto(`${each.origin}/elsewhere`)
  release()
  const begun = Date.now()
  expect(await other.run(({ fire }) => fire(5))).toEqual({ 200: 5 })
  expect(Date.now() - begun).toBeLessThan(5000) // half of the timeout
  const token = await other.run(({ session }) => session.getToken({ skipCache: true }))
  await goBack(away)
  expect(await away.run(({ session }) => session.getToken())).toBe(token)
  expect(await away.run(({ fire }) => fire(3))).toEqual({ 200: 3 })
  expect(each.server.stats.thefts).toBe(0)
})

test('another user signed in while a page was in the back/forward cache: it comes back as that one (63, 91)', async () => {
  const each = await world()
  const [away, other] = await signedIn(each, 2)
  await askAt(away, 'pageshow')
  await away.page.goto(`${each.origin}/elsewhere`)
  await other.run(({ session }) => session.signOut())
  await other.run(({ signIn }) => signIn({ user: 'bob' }))
  await goBack(away)
  const token = await other.run(({ session }) => session.getToken())
  expect(await asked(away)).toEqual([true, token, 'The session is over: another session has begun'])
  expect(await stateIn(away)).toMatchObject({ user: { name: 'Bob' } })
  expect(each.sent.filter(({ path }) => path === '/api/me')).toEqual([])
})

test('a frozen page reads the record again before it serves anything (59)', async () => {
  const each = await world()
  const [asleep, other] = await signedIn(each, 2)
  const { freeze, thaw } = await lifeOf(each, asleep)
  await other.page.bringToFront()
  await askAt(asleep, 'resume')
  await freeze()
  await other.run(({ session }) => session.signOut())
  expect(await stateIn(asleep)).toMatchObject({ status: 'authenticated' }) // it is asleep
  await thaw()
  expect(await asked(asleep)).toEqual([undefined, null, 'The session is over: the user signed out'])
  expect(each.sent.filter(({ path }) => path === '/api/me')).toEqual([])
})

test('a frozen page does not keep the others from writing, whatever they tell it (59)', async () => {
  const each = await world()
  const [asleep, other] = await signedIn(each, 2)
  const { freeze, thaw } = await lifeOf(each, asleep)
  await other.page.bringToFront()
  await freeze()
  for (let n = 0; n < 5; n++) await other.run(({ session }) => session.refresh())
  await thaw()
  const token = await other.run(({ session }) => session.getToken())
  expect(await asleep.run(({ session }) => session.getToken())).toBe(token)
})

test('eight tabs wake at the same moment with a dead token: one refresh, the others adopt (67)', async () => {
  const each = await world()
  const tabs = await each.open(8)
  await tabs[0]!.run((tab) => tab.signIn())
  await untilAll(tabs, ({ status }) => status === 'authenticated')
  const front = await each.context.newPage()
  await front.goto(`${each.origin}/elsewhere`)
  await front.bringToFront()
  const lives = await Promise.all(tabs.map((tab) => lifeOf(each, tab)))
  for (const tab of tabs)
    await tab.run(({ later, fire }) => {
      later['woken'] = new Promise((done) => document.addEventListener('resume', () => done(fire(5))))
    })
  await Promise.all(lives.map(({ freeze }) => freeze()))
  each.server.expireAccessTokens()
  await Promise.all(lives.map(({ thaw }) => thaw()))
  const got = await Promise.all(tabs.map((tab) => tab.run(({ later }) => later['woken'] as Promise<{ 200: number }>)))
  expect(sum(got)).toEqual({ 200: 40 })
  expect(each.server.stats).toMatchObject({ refreshes: 1, thefts: 0 })
})

test('a page that leaves in the middle of a refresh of a cookie keeps the rotated one', async () => {
  const each = await world({ knobs: { bffSilentRefresh: false } })
  const options = { kind: 'cookie', session: { timeout: 1000 } } as const
  const [tab] = (await each.open(1, options)) as [Tab]
  await tab.run(({ signIn }) => signIn())
  each.server.expireAccessTokens()
  const { arrived, release } = each.holdAnswer('/bff/refresh')
  await tab.run(({ later, fire }) => void (later['mine'] = fire(2)))
  await arrived
  // Without an unload that waits: the page is closed for good, not put away.
  const page = await each.context.newPage()
  await tab.close()
  release()
  await page.goto(each.page(options))
  const next = await each.tabIn(page)
  expect(await next.run(({ session }) => session.ready())).toMatchObject({ status: 'authenticated' })
  each.server.expireAccessTokens()
  expect(await next.run(({ fire }) => fire(3))).toEqual({ 200: 3 })
  expect(each.server.stats.thefts).toBe(0)
})

test.each(['bearer', 'cookie'] as const)(
  'a page that signs out and leaves at once: the next one is signed out (89, %s)',
  async (kind) => {
    const each = await world()
    const [tab] = (await each.open(1, { kind })) as [Tab]
    await tab.run(({ signIn }) => signIn())
    await Promise.all([
      tab.page.waitForURL('**/elsewhere'),
      tab.run(({ session }) => {
        void session.signOut()
        location.href = '/elsewhere'
      }),
    ])
    const [next] = (await each.open(1, { kind })) as [Tab]
    expect(await next.run(({ session }) => session.ready())).toMatchObject({ status: 'unauthenticated' })
    expect(await next.run(({ session }) => session.getToken())).toBe(null)
    // The jar still knows whose session it was. A token was forgotten with the page, so the server's word ends there.
    if (kind === 'cookie') expect(each.server.sessions).toBe(0)
  },
)

/** From `isSlow` on nothing is encrypted in time. */
const slowCrypto = (): Platform => {
  const { subtle } = crypto
  const late = () => new Promise((resolve) => setTimeout(resolve, 5000))
  const isSlow = () => 'isSlow' in globalThis
  const slow = {
    async encrypt(...args: Parameters<typeof subtle.encrypt>) {
      if (isSlow()) await late()
      return subtle.encrypt(...args)
    },
    decrypt: (...args: Parameters<typeof subtle.decrypt>) => subtle.decrypt(...args),
    generateKey: (...args: Parameters<typeof subtle.generateKey>) => subtle.generateKey(...args),
  }
  return {
    crypto: {
      subtle: slow,
      getRandomValues: (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes),
    } as never,
  }
}

test.each(['bearer', 'cookie'] as const)(
  'a sign-out waits for nothing to be encrypted: after a reload in that moment the user is signed out (89, %s)',
  async (kind) => {
    const each = await world()
    const [tab] = (await each.open(1, { kind, platform: slowCrypto })) as [Tab]
    await tab.run(({ signIn }) => signIn())
    await tab.run(async ({ session, sleep }) => {
      Object.assign(globalThis, { isSlow: true })
      void session.signOut()
      await sleep(100)
      location.reload()
    })
    await tab.page.waitForLoadState()
    const [next] = (await each.open(1, { kind })) as [Tab]
    expect(await next.run(({ session }) => session.ready())).toMatchObject({ status: 'unauthenticated' })
    if (kind === 'cookie') expect(each.server.sessions).toBe(0)
  },
)
