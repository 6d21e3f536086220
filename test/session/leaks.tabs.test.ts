// A busy session in two tabs, while all goes wrong that can: then every place that a token could have got to is searched for
// each one that the server ever issued.

import { expect, test } from 'vitest'
import { openSite } from '../support/site.ts'
import { type InPage, type Tab, useTabs, type World } from '../support/tabs.ts'

const start = useTabs()

declare const Resesh: typeof import('../../src/global.ts')

interface Spied extends InPage {
  said: string[]
}

/** Runs before any script of a page: whatever is handed to other windows and tabs is written down. */
const spy = (): void => {
  const posted: string[] = []
  Object.assign(globalThis, { posted })
  for (const target of [BroadcastChannel.prototype, MessagePort.prototype, Worker.prototype, globalThis] as const) {
    const { postMessage } = target as { postMessage(...args: unknown[]): void }
    Object.assign(target, {
      postMessage(this: unknown, ...args: unknown[]) {
        posted.push(JSON.stringify(args))
        postMessage.apply(this, args)
      },
    })
  }
}

/** Runs in the page: from now on, whatever an app can hear of its session. */
const listen = (inPage: InPage): void => {
  const said: string[] = ((inPage as Spied).said = [])
  const look = (what: unknown): void => {
    const { message, stack, cause, ...rest } = Object(what) as Error
    said.push(message, stack ?? '', String(what), JSON.stringify(what) ?? '', JSON.stringify(rest))
    if (cause) look(cause)
  }
  const lookInto = (event: object): void => {
    look(event)
    Object.values(event).forEach(look)
  }
  for (const name of ['change', 'error', 'trace'] as const) inPage.session.on(name, lookInto)
  addEventListener('asked', (event) => lookInto((event as CustomEvent<object>).detail))
  Object.assign(inPage, {
    call: async (work: Promise<unknown>) => {
      await work.then((value) => look(value instanceof Response ? value.url : ''), look)
    },
  })
}

type Calling = Spied & { call(work: Promise<unknown>): Promise<void> }

/** Runs in the page: all that is stored, shown and remembered there. */
const remains = async (inPage: InPage): Promise<{ everywhere: string; keys: boolean[]; stored: number }> => {
  const { said, session } = inPage as Spied
  const keys: boolean[] = []
  let stored = 0
  const show = (value: unknown): string => {
    if (value instanceof CryptoKey) return `key ${keys.push(value.extractable)}`
    if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
      stored++
      const raw = value instanceof ArrayBuffer ? new Uint8Array(value) : new Uint8Array(value.buffer)
      return [new TextDecoder('latin1').decode(raw), new TextDecoder('utf-16le').decode(raw)].join('\n')
    }
    if (typeof value !== 'object' || !value) return String(value)
    return Object.entries(value)
      .map(([name, inner]) => `${name}: ${show(inner)}`)
      .join('\n')
  }
  const promised = <T>(request: IDBRequest<T>) =>
    new Promise<T>((done, fail) => {
      request.addEventListener('success', () => done(request.result))
      request.addEventListener('error', () => fail(request.error as Error))
    })
  const databases: string[] = []
  for (const { name } of await indexedDB.databases()) {
    const database = await promised(indexedDB.open(name!))
    for (const store of database.objectStoreNames) {
      const values = database.transaction(store).objectStore(store)
      databases.push(name!, store, show(await promised(values.getAllKeys())), show(await promised(values.getAll())))
    }
    database.close()
  }
  const { posted } = globalThis as unknown as { posted: string[] }
  const everywhere = [
    ...said,
    ...posted,
    ...databases,
    show(Object.entries(localStorage)),
    show(Object.entries(sessionStorage)),
    document.cookie,
    document.documentElement.outerHTML,
    document.referrer,
    location.href,
    window.name,
    JSON.stringify(history.state),
    JSON.stringify(session.current),
    ...performance.getEntries().map(({ name }) => name),
  ].join('\n')
  return { everywhere, keys, stored }
}

/** Every token that the server issued to this page, by its secret part: the rest of a JWT is claims, which a state may show. */
const issuedIn = (world: World): Set<string> => {
  const secrets = new Set<string>()
  world.context.on('response', async (response) => {
    const text = await response.text().catch(() => '')
    for (const [, token] of text.matchAll(/"(?:access|refresh)Token":"([^"]+)"/g))
      secrets.add(token!.split('.').at(-1)!)
  })
  return secrets
}

test(
  'no token turns up in a message, a log, a URL, a storage, an error, an event or another origin',
  { timeout: 120_000 },
  async () => {
    const world = await start()
    const [ours, other] = [await openSite(), await openSite()]
    await world.context.addInitScript(spy)
    const secrets = issuedIn(world)
    const tabs = (await world.open(2, {
      session: { origins: [world.origin, ours.origin] },
      use: () => [
        Resesh.stepUp((asked) => {
          dispatchEvent(new CustomEvent('asked', { detail: asked }))
          return new Promise(() => {})
        }),
      ],
      platform: () => ({ Math: Object.create(Math, { random: { value: () => 0 } }) as Math }), // no back-off
    })) as [Tab, Tab]
    const consoles: string[] = []
    for (const { page } of tabs) page.on('console', (message) => consoles.push(message.text(), message.location().url))
    await Promise.all(tabs.map((tab) => tab.run(listen)))
    await tabs[0].run(({ signIn }) => signIn())

    const faults = [500, 'drop-before', 'html', 'opaque'] as const
    for (const fault of [undefined, ...faults]) {
      world.server.knobs.refreshFailures = fault ? [fault] : []
      world.server.expireAccessTokens()
      await Promise.all(
        tabs.map((tab) =>
          tab.run(
            async (inPage, site) => {
              const { session, call, fire } = inPage as Calling
              await Promise.all([fire(5), call(session.fetch('/api/echo?q=1', { method: 'POST', body: 'text' }))])
              const undo = Resesh.installFetch(session)
              await Promise.all([
                call(fetch(`${site.other}/end`, { method: 'POST', body: 'text' })),
                call(session.fetch(new Request(`${site.other}/401`))),
                call(session.fetch(site.out)),
                call(session.fetch(site.back)),
              ])
              undo()
              await call(session.refresh())
            },
            {
              other: other.origin,
              out: ours.to(`${other.origin}/out`),
              back: ours.to(other.to(`${ours.origin}/back`)),
            },
          ),
        ),
      )
    }
    await tabs[1].run(async (inPage) => {
      const { session, call } = inPage as Calling
      await call(session.signIn({ accessToken: `${await session.getToken()}\n` }))
      await call(session.reload())
      await call(session.getToken({ skipCache: true }))
    })
    const all = [...secrets]
    const found = (text: string): string[] => all.filter((secret) => text.includes(secret))
    const left = await Promise.all(tabs.map((tab) => tab.run(remains)))

    // What is searched is there to be found: tokens were issued, events heard, ciphers stored, and ours saw what it may see.
    expect(all.length).toBeGreaterThan(8)
    expect(found(ours.log.join('\n')).length).toBeGreaterThan(0)
    expect(other.log.length).toBeGreaterThan(4 * faults.length)
    expect(ours.log.some((entry) => entry.includes('/back'))).toBe(true)
    for (const { keys, stored, everywhere } of left) {
      expect(stored).toBeGreaterThan(0)
      expect(keys.length).toBeGreaterThan(0)
      expect(everywhere).toContain('POST')
    }

    expect(found(other.log.join('\n'))).toEqual([])
    expect(found(ours.log.filter((entry) => entry.includes('/back') && !entry.includes('/go')).join('\n'))).toEqual([])
    expect(left.flatMap(({ keys }) => keys).filter(Boolean)).toEqual([]) // no key can be taken out
    for (const { everywhere } of left) expect(found(everywhere)).toEqual([])
    expect(found(consoles.join('\n'))).toEqual([])
    for (const { page } of tabs) expect(found(page.url())).toEqual([])

    await tabs[0].run(({ session }) => session.signOut())
    const [after] = await Promise.all(tabs.map((tab) => tab.run(remains)))
    expect(found(after!.everywhere)).toEqual([])
  },
)
