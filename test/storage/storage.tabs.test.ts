// Storage that is blocked, wiped, corrupt or of another kind, in real tabs; and what can be found in it and on the channel.

import type { Platform } from 'resesh'
import { expect, test } from 'vitest'
import { fireAll, type PageOptions, type Tab, untilAll, useTabs, type World } from '../support/tabs.ts'

declare const Resesh: typeof import('../../src/global.ts')

const world = useTabs()

const open = async ({ open: all }: World, count: number, options: PageOptions = {}): Promise<[Tab, Tab]> => {
  const tabs = await all(count, options)
  await tabs[0]!.run((tab) => tab.signIn())
  await untilAll(tabs, ({ status }) => status === 'authenticated')
  return tabs as [Tab, Tab]
}

/** All that IndexedDB and localStorage hold for this origin, as text; keys that can't be taken out as such. */
const dump = (tab: Tab): Promise<string> =>
  tab.run(async () => {
    const wait = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result)
        request.onerror = () => reject(request.error!)
      })
    const text = (value: unknown): string => {
      if (value instanceof CryptoKey) return `key, extractable: ${value.extractable}`
      if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return new TextDecoder('latin1').decode(value)
      if (value && typeof value === 'object')
        return Object.entries(value)
          .map(([name, each]) => `${name}: ${text(each)}`)
          .join()
      return String(value)
    }
    let all = JSON.stringify(Object.entries(localStorage)) + JSON.stringify(Object.entries(sessionStorage))
    for (const { name } of await indexedDB.databases()) {
      const database = await wait(indexedDB.open(name!))
      for (const store of database.objectStoreNames) {
        const rows = database.transaction(store).objectStore(store)
        all += text(await wait(rows.getAllKeys())) + text(await wait(rows.getAll()))
      }
      database.close()
    }
    return all + document.cookie
  })

const aToken = /eyJ|s\d+\.\d+\.[0-9a-f]{8}-/

test('no token is in IndexedDB, in web storage or on the channel in plain text (82)', async () => {
  const each = await world()
  const tabs = await each.open(2)
  const [first, second] = tabs as [Tab, Tab]
  await second.run(({ messages }, key) => {
    new BroadcastChannel(key).onmessage = ({ data }) => messages.push(data)
  }, each.key)
  await first.run((tab) => tab.signIn())
  await untilAll(tabs, ({ status }) => status === 'authenticated')
  await first.run(({ session }) => session.reload())
  const held = await dump(first)
  expect(held).toContain('extractable: false')
  expect(held).not.toMatch(aToken)
  await first.run(({ session }) => session.signOut())
  await untilAll(tabs, ({ status }) => status === 'unauthenticated')
  const messages = await second.run((tab) => tab.messages)
  expect(messages.length).toBeGreaterThanOrEqual(3)
  expect(JSON.stringify(messages)).not.toMatch(aToken)
  expect(messages.every((message) => message === null)).toBe(true)
})

test("'local' keeps the token where all scripts can read it, in step with the record (73)", async () => {
  const each = await world()
  const [first, second] = await open(each, 2, { storage: () => Resesh.local() })
  expect(await dump(first)).toMatch(aToken)
  for (let run = 0; run < 5; run++) {
    each.server.expireAccessTokens()
    expect(await fireAll([first, second], 5)).toEqual({ 200: 10 })
  }
  expect(each.server.stats).toMatchObject({ refreshes: 5, thefts: 0, maxRefreshesInFlight: 1 })
  await second.page.reload()
  const again = await each.tabIn(second.page)
  expect(await again.run(({ session }) => session.ready())).toMatchObject({ status: 'authenticated' })
  await first.run(({ session }) => session.signOut())
  expect(await dump(first)).not.toMatch(aToken)
})

test("'local' that shows a hidden tab an older value: it hears of the next user within a second or so", async () => {
  const each = await world()
  const [first] = await open(each, 1, { storage: () => Resesh.local() })
  // As in a hidden tab, timers fire once a second; and a read, once a test has armed it, finds what was there before.
  const hidden = (): Platform => {
    let older: string | null = null
    const later = ((run: () => void, ms: number) => setTimeout(run, Math.ceil(ms / 1000) * 1000)) as typeof setTimeout
    const getItem = (key: string) => {
      const now = localStorage.getItem(key)
      const isArmed = sessionStorage.getItem('armed') && older !== null && older !== now
      if (isArmed) sessionStorage.removeItem('armed')
      const shown = isArmed ? older : now
      older = now
      return shown
    }
    return {
      setTimeout: later,
      localStorage: {
        getItem,
        setItem: (key: string, value: string) => localStorage.setItem(key, value),
        removeItem: (key: string) => localStorage.removeItem(key),
      } as Storage,
    }
  }
  const [tab] = (await each.open(1, { storage: () => Resesh.local(), platform: hidden })) as [Tab]
  await untilAll([tab], ({ status }) => status === 'authenticated')
  await tab.run(() => sessionStorage.setItem('armed', 'yes'))
  await first.run(({ session }) => session.getToken({ skipCache: true }))
  await first.run(({ session }) => session.getToken({ skipCache: true }))
  await first.run(({ signIn }) => signIn({ user: 'bob' }))
  const begun = Date.now()
  await untilAll([tab], ({ user }) => user?.['name'] === 'Bob')
  expect(Date.now() - begun).toBeLessThan(2500)
  expect(await tab.run(({ heard }) => heard.map(({ status }) => status))).not.toContain('unauthenticated')
})

test("'memory' is this tab alone, and gone with a reload", async () => {
  const each = await world()
  const [first, second] = (await each.open(2, { storage: () => Resesh.memory() })) as [Tab, Tab]
  await first.run((tab) => tab.signIn())
  each.server.expireAccessTokens()
  expect(await first.run(({ fire }) => fire(5))).toEqual({ 200: 5 })
  expect(await second.run(({ session }) => session.ready())).toMatchObject({ status: 'unauthenticated' })
  expect(await dump(first)).toBe('[][]')
  await first.page.reload()
  const again = await each.tabIn(first.page)
  expect(await again.run(({ session }) => session.ready())).toMatchObject({ status: 'unauthenticated' })
})

test('a storage of one’s own, with update, serves all tabs', async () => {
  const each = await world()
  const tabs = await open(each, 2, {
    storage: () =>
      Resesh.custom({
        getItem: (key) => localStorage.getItem(key),
        setItem: (key, value) => localStorage.setItem(key, value),
        update: (key, change) =>
          navigator.locks.request(`own ${key}`, async () => {
            const next = change(localStorage.getItem(key))
            if (next === undefined) return false
            if (next === null) localStorage.removeItem(key)
            else localStorage.setItem(key, next)
            await new Promise((done) => setTimeout(done, 10)) // until other processes see it
            return true
          }),
      }),
  })
  each.server.expireAccessTokens()
  expect(await fireAll(tabs, 5)).toEqual({ 200: 10 })
  expect(each.server.stats).toMatchObject({ refreshes: 1, thefts: 0 })
})

test('a storage of one’s own, without update, serves one tab, also where an item is called update', async () => {
  const each = await world()
  const [tab] = await open(each, 1, {
    storage: () => {
      for (const name of ['update', 'getItem', 'setItem']) sessionStorage.setItem(name, 'an item of the app')
      return Resesh.custom(sessionStorage)
    },
  })
  each.server.expireAccessTokens()
  expect(await tab.run(({ fire }) => fire(5))).toEqual({ 200: 5 })
  await tab.page.reload()
  const again = await each.tabIn(tab.page)
  expect(await again.run(({ fire }) => fire(5))).toEqual({ 200: 5 })
  expect(each.server.stats).toMatchObject({ refreshes: 1, thefts: 0 })
})

test.each<{ what: string; platform: () => Platform }>([
  {
    what: 'IndexedDB that throws',
    platform: () => ({
      indexedDB: {
        open() {
          throw new DOMException('denied', 'SecurityError')
        },
      } as unknown as IDBFactory,
    }),
  },
  {
    what: 'IndexedDB that fails',
    platform: () => ({
      indexedDB: {
        open() {
          const request = { error: new DOMException('full', 'QuotaExceededError') } as unknown as IDBOpenDBRequest
          setTimeout(() => request.onerror?.(new Event('error')))
          return request
        },
      } as unknown as IDBFactory,
    }),
  },
  {
    what: 'no crypto.subtle',
    platform: () => ({
      crypto: { getRandomValues: (array: never) => crypto.getRandomValues(array) } as unknown as Crypto,
    }),
  },
  {
    what: 'a key that can’t be stored',
    platform: () => ({
      indexedDB: {
        open(name: string, version: number) {
          const request = indexedDB.open(name, version)
          request.addEventListener('success', () => {
            request.result.transaction = () => {
              throw new DOMException('no', 'InvalidStateError')
            }
          })
          return request
        },
      } as unknown as IDBFactory,
    }),
  },
])('$what: memory, one error, and nothing in plain text elsewhere (75, 85)', async ({ platform }) => {
  const each = await world()
  const [tab] = (await each.open(1, { platform })) as [Tab]
  const begun = Date.now()
  await tab.run((inPage) => inPage.signIn())
  expect(Date.now() - begun).toBeLessThan(8000) // not after the timeout
  each.server.expireAccessTokens()
  expect(await tab.run(({ fire }) => fire(5))).toEqual({ 200: 5 })
  expect(await tab.run(({ session }) => session.refresh())).toMatchObject({ status: 'authenticated', stale: false })
  expect(await tab.run(({ errors }) => errors)).toEqual(['ERR_STORAGE'])
  expect(await dump(tab)).not.toMatch(aToken)
  expect(each.server.stats).toMatchObject({ refreshes: 2, thefts: 0 })
  expect(await tab.run(({ session }) => session.signOut())).toMatchObject({ status: 'unauthenticated' })
})

test('IndexedDB that answers after 3 s: loading until then, and signed in', async () => {
  const each = await world()
  const [first] = await open(each, 1)
  const slow = (): Platform => ({
    indexedDB: {
      open(name: string, version?: number) {
        const request = { result: undefined, onsuccess: null } as unknown as { result: IDBDatabase; onsuccess(): void }
        const real = indexedDB.open(name, version)
        real.onsuccess = () =>
          setTimeout(() => {
            request.result = real.result
            request.onsuccess()
          }, 3000)
        return request as unknown as IDBOpenDBRequest
      },
    } as unknown as IDBFactory,
  })
  const [tab] = (await each.open(1, { platform: slow })) as [Tab]
  expect(await tab.run(({ session }) => session.current.status)).toBe('loading')
  expect(await tab.run(({ fire }) => fire(3))).toEqual({ 200: 3 })
  expect(await tab.run(({ session }) => session.ready())).toMatchObject({ status: 'authenticated' })
  expect(await tab.run(({ heard, errors }) => [heard.map(({ status }) => status), errors])).toEqual([
    ['authenticated'],
    [],
  ])
  expect(await first.run(({ session }) => session.current.status)).toBe('authenticated')
})

test('site data is cleared under five tabs: none lives in memory, none spends a spent token, all agree', async () => {
  const each = await world()
  const tabs = await each.open(5)
  await tabs[0]!.run((tab) => tab.signIn())
  await untilAll(tabs, ({ status }) => status === 'authenticated')
  const devtools = await each.context.newCDPSession(tabs[0]!.page)
  for (let times = 0; times < 5; times++) {
    each.server.expireAccessTokens()
    const asked = fireAll(tabs, 2)
    await new Promise((done) => setTimeout(done, times * 7))
    await devtools.send('Storage.clearDataForOrigin', { origin: each.origin, storageTypes: 'indexeddb' })
    expect(await asked).toEqual({ 200: 10 })
  }
  await tabs[1]!.run((tab) => tab.signIn({ user: 'bob' }))
  await untilAll(tabs, ({ user }) => user?.['name'] === 'Bob')
  for (const tab of tabs) expect(await tab.run(({ errors }) => errors)).toEqual([])
  expect(each.server.stats).toMatchObject({ thefts: 0, maxRefreshesInFlight: 1 })
})

test('a tab that stands still while the database is deleted: the others wait for it, and none spends a spent token', async () => {
  const each = await world()
  const tabs = await open(each, 3)
  const stuck = (tabs as Tab[])[2]!
  const busy = stuck.run(() => {
    const end = performance.now() + 4000
    while (performance.now() < end);
  })
  await new Promise((done) => setTimeout(done, 200))
  await tabs[0].run(() => void indexedDB.deleteDatabase('resesh'))
  each.server.expireAccessTokens()
  expect(await fireAll([tabs[0], tabs[1]], 2)).toEqual({ 200: 4 })
  await busy
  expect(each.server.stats).toMatchObject({ refreshes: 1, thefts: 0 })
  for (const tab of tabs) expect(await tab.run(({ errors }) => errors)).toEqual([])
})

test.each<[string, () => Promise<unknown>]>([
  ['an empty object, as a restored profile leaves', async () => ({})],
  ['nothing', async () => null],
  ['a text', async () => 'key'],
  ['a key of another kind', () => crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])],
  [
    'a key that may only encrypt',
    () => crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt']),
  ],
])('%s in place of the key: it is replaced, and a sign-in is there after a reload', async (_, make) => {
  const each = await world()
  const [tab] = await open(each, 1)
  await tab.page.goto(`${each.origin}/elsewhere`)
  await tab.page.evaluate(
    `(async () => {
      const value = await (${String(make)})()
      await new Promise((done) => {
        indexedDB.open('resesh').onsuccess = ({ target: { result } }) => {
          const transaction = result.transaction('keys', 'readwrite')
          transaction.objectStore('keys').put(value, ${JSON.stringify(each.key)})
          transaction.oncomplete = () => (result.close(), done())
        }
      })
    })()`,
  )
  await tab.page.goto(each.page())
  const again = await each.tabIn(tab.page)
  expect(await again.run(({ session }) => session.ready())).toMatchObject({ status: 'unauthenticated' })
  await again.run(({ signIn }) => signIn())
  await again.page.reload()
  const reloaded = await each.tabIn(again.page)
  expect(await reloaded.run(({ session }) => session.ready())).toMatchObject({ status: 'authenticated' })
  expect(await reloaded.run(({ errors }) => errors)).toEqual([])
})

test('a database of our name that another script has made, without a place for anything: it is completed', async () => {
  const each = await world()
  const [tab] = await each.open(1)
  await tab!.page.goto(`${each.origin}/elsewhere`)
  await tab!.page.evaluate(
    () =>
      new Promise<void>((done) => {
        indexedDB.deleteDatabase('resesh').onsuccess = () => {
          const request = indexedDB.open('resesh', 3)
          request.onsuccess = () => (request.result.close(), done())
        }
      }),
  )
  await tab!.page.goto(each.page())
  const again = await each.tabIn(tab!.page)
  await again.run(({ signIn }) => signIn())
  await again.page.reload()
  const reloaded = await each.tabIn(again.page)
  expect(await reloaded.run(({ session }) => session.ready())).toMatchObject({ status: 'authenticated' })
  expect(await reloaded.run(({ errors }) => errors)).toEqual([])
})

test('IndexedDB deleted under two tabs: each request still gets its answer, nothing loops (77)', async () => {
  const each = await world()
  const tabs = await open(each, 2)
  const isDeleted = await tabs[0].run(
    () =>
      new Promise<string>((done) => {
        const request = indexedDB.deleteDatabase('resesh')
        request.onsuccess = () => done('deleted')
        request.onblocked = () => done('blocked')
      }),
  )
  expect(isDeleted).toBe('deleted')
  each.server.expireAccessTokens()
  const { requests } = each.server.stats
  expect(await fireAll(tabs, 5)).toEqual({ 200: 10 })
  expect(each.server.stats).toMatchObject({ refreshes: 1, thefts: 0 })
  expect(each.server.stats.requests - requests).toBeLessThanOrEqual(21)
  await tabs[1].page.reload()
  const again = await each.tabIn(tabs[1].page)
  expect(await again.run(({ session }) => session.ready())).toMatchObject({ status: 'authenticated' })
})

test('IndexedDB deleted while no page is open: signed out, and a sign-in works (77)', async () => {
  const each = await world()
  const [tab] = await open(each, 1)
  await tab.page.goto(`${each.origin}/elsewhere`)
  await tab.page.evaluate(() => void indexedDB.deleteDatabase('resesh'))
  await tab.page.goto(each.page())
  const again = await each.tabIn(tab.page)
  expect(await again.run(({ session }) => session.ready())).toMatchObject({ status: 'unauthenticated' })
  await again.run(({ signIn }) => signIn())
  expect(await again.run(({ fire }) => fire(2))).toEqual({ 200: 2 })
})

const rows: Record<string, unknown> = {
  'a word': 'nonsense',
  'an empty row': {},
  'a record of another layout': { record: { layout: 99, version: 7 }, credentials: null },
  'a record without its parts': { record: { layout: 1, signedIn: true }, credentials: null },
  'a record with wrong types': {
    record: { layout: 1, version: 'x', signedIn: 1, wasted: 5, attempt: 'a', receivedAt: null, life: 'long' },
    credentials: { iv: 1, bytes: 2 },
  },
  'credentials nobody can read': 'scrambled',
}

test.each(Object.keys(rows))(
  '%s in place of the record: signed out, no crash, and a sign-in works (78)',
  async (what) => {
    const each = await world()
    const [tab] = await open(each, 1)
    await tab.page.goto(`${each.origin}/elsewhere`)
    await tab.page.evaluate(
      ([row, key]) =>
        new Promise<void>((done) => {
          const request = indexedDB.open('resesh')
          request.onsuccess = () => {
            const transaction = request.result.transaction('records', 'readwrite')
            const records = transaction.objectStore('records')
            const old = records.get(key)
            old.onsuccess = () => {
              const bytes = new ArrayBuffer(40)
              records.put(
                row === 'scrambled' ? { ...old.result, credentials: { ...old.result.credentials, bytes } } : row,
                key,
              )
            }
            transaction.oncomplete = () => {
              request.result.close()
              done()
            }
          }
        }),
      [rows[what], each.key] as const,
    )
    await tab.page.goto(each.page())
    const again = await each.tabIn(tab.page)
    expect(await again.run(({ session }) => session.ready())).toMatchObject({ status: 'unauthenticated' })
    await again.run(({ signIn }) => signIn())
    each.server.expireAccessTokens()
    expect(await again.run(({ fire }) => fire(2))).toEqual({ 200: 2 })
    expect(await again.run(({ errors }) => errors)).toEqual([])
  },
)

test('two sessions on one page, of different names, do not meet', async () => {
  const each = await world()
  const [first] = await open(each, 1)
  const [other] = (await each.open(1, { session: { name: 'other' } })) as [Tab]
  expect(await other.run(({ session }) => session.ready())).toMatchObject({ status: 'unauthenticated' })
  await other.run(({ signIn }) => signIn({ user: 'bob' }))
  await other.run(({ session }) => session.signOut())
  expect(await first.run(({ session }) => session.current)).toMatchObject({ user: { name: 'Ann' } })
})
