// The recipes of the guide, word for word as they stand there, each against a stand-in that speaks that server's documented dialect.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Backend, RefreshFailedError, type Session } from 'resesh'
import { bearer } from 'resesh/backends/bearer'
import { cookie } from 'resesh/backends/cookie'
import { oauth2 } from 'resesh/backends/oauth2'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { answer, type Call, type Dialect, dialects } from '../servers/dialects/dialects.ts'
import { Engine } from '../servers/dialects/engine.ts'
import { thrownBy } from '../support/session.ts'
import { createBrowser, createClock, PAGE } from './browser.ts'

const guide = readFileSync(join(import.meta.dirname, '../../demo/guide/your-server.md'), 'utf8')

/** The code of a section. */
const codeOf = (title: string): string => {
  const section = guide.split(/^## /m).find((each) => each.startsWith(`${title}\n`))
  return /^```ts\n(.*?)^```$/ms.exec(section ?? '')?.[1] ?? ''
}

/** Runs the lines of a recipe, and gives its `backend`. */
const backendOf = (title: string): Backend<any> => {
  const lines = codeOf(title).replaceAll(/^import .*$/gm, '')
  const { outputText } = ts.transpileModule(lines, { compilerOptions: { target: ts.ScriptTarget.ES2022 } })
  // oxlint-disable-next-line typescript/no-implied-eval, no-new-func -- the code of our own guide
  const make = new Function('bearer', 'cookie', 'oauth2', `${outputText}\nreturn backend`) as (
    ...backends: unknown[]
  ) => Backend<any>
  return make(bearer, cookie, oauth2)
}

const callOf = async (request: Request, cookieHeader: string): Promise<Call> => {
  const text = await request.text()
  const isForm = request.headers.get('content-type')?.startsWith('application/x-www-form-urlencoded')
  const pairs = cookieHeader.split('; ').map((pair) => pair.split(/=(.*)/s).slice(0, 2) as [string, string])
  return {
    json: isForm || !text ? {} : JSON.parse(text),
    form: new URLSearchParams(isForm ? text : ''),
    headers: request.headers,
    query: new URL(request.url).searchParams,
    cookies: new Map(pairs),
    bearer: /^Bearer (.+)$/.exec(request.headers.get('authorization') ?? '')?.[1],
  }
}

const DATA = `${PAGE}/api/data`

const sceneOf = (dialect: Dialect) => {
  const engine = new Engine()
  const routes = dialect.routes(engine)
  const handle = async (request: Request, { cookie: header }: { cookie: string }): Promise<Response | 'drop'> => {
    if (engine.isAway) return 'drop'
    const { pathname } = new URL(request.url)
    const call = await callOf(request, header)
    if (pathname === '/api/data') return engine.isGood(call.bearer) ? answer(engine.user) : answer({}, 401)
    return routes[`${request.method} ${pathname}`]?.(call) ?? answer({ error: 'no such route' }, 404)
  }
  const browser = createBrowser(handle, () => backendOf(dialect.title), createClock())
  const signIn = async (session: Session) => {
    const [url, said] = dialect.login
    const isForm = said instanceof URLSearchParams
    const init = { method: 'POST', body: isForm ? said : JSON.stringify(said), credentials: 'include' } as const
    await session.signIn(({ fetch }) => fetch(new URL(url, PAGE), init))
    return session
  }
  return { engine, browser, open: browser.open, signedIn: () => signIn(browser.open()) }
}

const burst = async (session: Session, count = 20) =>
  Array.from(new Set(await Promise.all(Array.from({ length: count }, async () => (await session.fetch(DATA)).status))))

const nameIn = ({ current: { user, claims } }: Session): unknown => user?.['name'] ?? claims?.['name']

describe.each(dialects)('$title', (dialect) => {
  const { cannotRefresh, cannotSignOut } = dialect

  test('a login: its answer is read, and requests are served', async () => {
    const { engine, signedIn } = sceneOf(dialect)
    const session = await signedIn()
    expect(session.current).toMatchObject({ status: 'authenticated', reason: 'signed-in' })
    expect(await burst(session)).toEqual([200])
    expect(engine.refreshes).toBe(0)
  })

  test.skipIf(cannotRefresh)('an expiry: twenty requests, one refresh, time after time', async () => {
    const { engine, signedIn } = sceneOf(dialect)
    const session = await signedIn()
    for (const nth of [1, 2]) {
      engine.expire()
      expect(await burst(session)).toEqual([200])
      expect(engine.refreshes).toBe(nth)
    }
  })

  test.skipIf(cannotRefresh)('an edit: a forced token and a reload have it', async () => {
    const { engine, signedIn } = sceneOf(dialect)
    const session = await signedIn()
    engine.user = { ...engine.user, name: 'Ann B.' }
    await session.getToken({ skipCache: true })
    expect(session.current.claims).toMatchObject({ name: 'Ann B.' })
    await session.reload()
    expect(nameIn(session)).toBe('Ann B.')
    if (!dialect.hasNoUser) expect(session.current.user).toMatchObject({ name: 'Ann B.' })
  })

  test('the end: the session is over, and callers have the 401', async () => {
    const { engine, signedIn } = sceneOf(dialect)
    const session = await signedIn()
    engine.revoke()
    expect(await burst(session)).toEqual([401])
    expect(session.current).toMatchObject({ status: 'unauthenticated', reason: 'expired' })
  })

  test.skipIf(cannotRefresh)('away: the session is kept', async () => {
    const { engine, signedIn } = sceneOf(dialect)
    const session = await signedIn()
    engine.isAway = true
    expect(await thrownBy(session.refresh())).toBeInstanceOf(RefreshFailedError)
    expect(session.current.status).toBe('authenticated')
    engine.isAway = false
    engine.expire()
    expect(await burst(session)).toEqual([200])
  })

  test('a sign-out', async () => {
    const { engine, signedIn, open } = sceneOf(dialect)
    const session = await signedIn()
    await session.signOut()
    expect(session.current).toMatchObject({ status: 'unauthenticated', reason: 'signed-out' })
    expect(engine.signOuts).toBe(cannotSignOut ? 0 : 1)
    if (!cannotSignOut) expect((await open().ready()).status).toBe('unauthenticated')
  })

  test('a reload: still signed in', async () => {
    const { engine, signedIn, open } = sceneOf(dialect)
    await signedIn()
    const next = open()
    expect((await next.ready()).status).toBe('authenticated')
    if (!cannotRefresh) engine.expire()
    expect(await burst(next)).toEqual([200])
  })
})

// Tested where their backend is: with cookies and 419, and against oidc-provider.
const ELSEWHERE = ['Laravel Sanctum', 'Keycloak, Auth0, Okta, Entra']

test('every recipe of the guide is run, and every line of its table leads to one', () => {
  const sections = Array.from(guide.matchAll(/^## (.+)$/gm), ([, title = '']) => title)
  const run = [...dialects.map(({ title }) => title), ...ELSEWHERE]
  expect(sections.toSorted()).toEqual(run.toSorted())
  for (const title of run) expect(codeOf(title)).toContain('const backend =')
})
