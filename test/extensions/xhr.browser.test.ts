// XMLHttpRequest through a session, in a real browser: the same promises as fetch, and an object that stays the browser's own.

import axios, { isCancel } from 'axios'
import { createSession, type Credentials, memory, type SessionOptions } from 'resesh'
import { bearer } from 'resesh/backends/bearer'
import { cookie } from 'resesh/backends/cookie'
import { graphql } from 'resesh/expired'
import { stepUp } from 'resesh/step-up'
import { installXhr } from 'resesh/xhr'
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import type { Knobs, Stats } from '../servers/sample/server.ts'

const post = (path: string, body: unknown = {}) => fetch(path, { method: 'POST', body: JSON.stringify(body) })
const knobs = (changes: Partial<Knobs>) => post('/sample/knobs', changes)
const expire = () => post('/sample/expire')
const stats = async (): Promise<Stats> => (await (await fetch('/sample/state')).json()).stats
/** Until a refresh has reached the server. */
const refreshing = () => vi.waitUntil(async () => (await stats()).refreshes === 1, { timeout: 5_000, interval: 10 })

const setup = async (options: Partial<SessionOptions> = {}, more: Credentials = {}) => {
  const { expiresIn, ...credentials } = await (
    await post('/auth/login', { username: 'ann', password: 'secret' })
  ).json()
  const session = createSession({
    backend: bearer({ refreshUrl: '/auth/refresh', signOutUrl: '/auth/logout' }),
    storage: memory(),
    initial: { ...credentials, expiresInSeconds: expiresIn, ...more },
    ...options,
  })
  await fetch('/sample/state') // what was given is committed by then
  const undo = installXhr(session)
  onTestFinished(() => {
    undo()
    session.dispose()
  })
  return { session, undo }
}

const KINDS = ['readystatechange', 'loadstart', 'progress', 'load', 'loadend', 'error', 'abort', 'timeout']

/** What the page hears, in order; what repeats itself once. */
const listen = (target: EventTarget) => {
  const heard: string[] = []
  const trusted = new Set<boolean>()
  for (const kind of KINDS)
    target.addEventListener(kind, ({ type, isTrusted }) => {
      const what = type === 'readystatechange' ? String((target as XMLHttpRequest).readyState) : type
      if (!heard.includes(what)) heard.push(what)
      trusted.add(isTrusted)
    })
  return { heard, trusted, over: new Promise<void>((done) => target.addEventListener('loadend', () => done())) }
}

interface Sending {
  method?: string
  body?: XMLHttpRequestBodyInit
  prepare?(xhr: XMLHttpRequest): void
}

const start = (path: string, { method = 'GET', body, prepare }: Sending = {}) => {
  const xhr = new XMLHttpRequest()
  const listened = listen(xhr)
  xhr.open(method, path)
  prepare?.(xhr)
  xhr.send(body)
  return { xhr, ...listened }
}

const load = async (path: string, sending?: Sending) => {
  const started = start(path, sending)
  await started.over
  return started
}

const withoutProgress = (heard: string[]) => heard.filter((what) => what !== 'progress')
const ANSWERED = ['1', 'loadstart', '2', '3', '4', 'load', 'loadend']

beforeEach(() => post('/sample/reset'))

test('a request carries the credentials, and its events are the browser’s own', async () => {
  await setup()
  const { xhr, heard, trusted } = await load('/api/me')
  expect([xhr.status, JSON.parse(xhr.responseText).name]).toEqual([200, 'Ann'])
  expect(withoutProgress(heard)).toEqual(ANSWERED)
  expect([...trusted]).toEqual([true])
})

test('an expired session is refreshed once, and the page hears one answer', async () => {
  await setup()
  await expire()
  const { xhr, heard, trusted } = await load('/api/me')
  expect(xhr.status).toBe(200)
  expect(withoutProgress(heard)).toEqual(ANSWERED)
  expect([...trusted]).toEqual([true])
  expect(await stats()).toMatchObject({ refreshes: 1, byPath: { 'GET /api/me': 2 } })
})

test('fifty at once share one refresh, with those of fetch', async () => {
  const { session } = await setup()
  await expire()
  const requests = Array.from({ length: 50 }, async (_, at) => (await load(`/api/items/${at}`)).xhr.status)
  const fetched = session.fetch('/api/me')
  expect(new Set(await Promise.all(requests))).toEqual(new Set([200]))
  expect((await fetched).status).toBe(200)
  expect((await stats()).refreshes).toBe(1)
})

test('a refusal that lands after the refresh is replayed at once', async () => {
  const { session } = await setup()
  await expire()
  await knobs({ apiDelayMs: 600 })
  const slow = start('/api/me') // judged now, answered late
  await vi.waitUntil(async () => (await stats()).api === 1, { timeout: 5_000, interval: 10 })
  await knobs({ apiDelayMs: 0 })
  expect((await session.fetch('/api/items/1')).status).toBe(200)
  await slow.over
  expect(JSON.parse(slow.xhr.responseText)).toMatchObject({ name: 'Ann' })
  expect(withoutProgress(slow.heard)).toEqual(ANSWERED)
  expect(await stats()).toMatchObject({ refreshes: 1, byPath: { 'GET /api/me': 2 } })
})

test('a request that needs more of the user waits for it', async () => {
  const asksMore = ({ status }: Response) => (status === 500 ? { type: 'more' } : null)
  await setup({
    backend: { ...bearer({ refreshUrl: '/auth/refresh' }), stepUp: asksMore },
    use: [stepUp(({ request }) => request.url.endsWith('me'))],
  })
  await knobs({ apiFailures: [500] })
  const me = await load('/api/me')
  await knobs({ apiFailures: [500] })
  const item = await load('/api/items/1')
  expect([me.xhr.status, item.xhr.status]).toEqual([200, 500])
  expect(withoutProgress(me.heard)).toEqual(ANSWERED)
  expect(item.heard.slice(-3)).toEqual(['4', 'load', 'loadend'])
})

test('handler properties hear the same', async () => {
  await setup()
  await expire()
  const heard: unknown[] = []
  const { xhr } = await load('/api/me', {
    prepare: (own) => {
      own.onreadystatechange = () => heard.push(own.readyState)
      own.onload = () => heard.push(own.status)
    },
  })
  expect(heard.filter((what, at) => heard.indexOf(what) === at)).toEqual([2, 3, 4, 200])
  expect(xhr).toBeInstanceOf(XMLHttpRequest)
})

test('a refusal that is the route’s own is handed back, with its body', async () => {
  await setup()
  const { xhr, heard } = await load('/api/refused')
  expect([xhr.status, xhr.responseText]).toEqual([401, '{"error":"invalid_token"}'])
  expect(withoutProgress(heard)).toEqual(ANSWERED)
})

test('an answer whose body has to be read first is told of in order, once it is known to be good', async () => {
  await setup({ isExpired: graphql() })
  const { xhr, heard } = await load('/api/me', { prepare: (own) => (own.responseType = 'json') })
  expect(xhr.response).toMatchObject({ name: 'Ann' })
  expect(heard).toEqual(['1', 'loadstart', '2', '3', 'progress', '4', 'load', 'loadend'])
})

test('a 200 whose body says expired is replayed', async () => {
  const said: string[] = []
  const isExpired = async (response: Response) => {
    said.push(await response.clone().text())
    return said.length === 1
  }
  await setup({ isExpired })
  const { xhr, heard } = await load('/api/items/7')
  expect([xhr.responseText, ...said]).toEqual(Array(3).fill('{"item":7}'))
  expect(heard).toEqual(['1', 'loadstart', '2', '3', 'progress', '4', 'load', 'loadend'])
  expect((await stats()).refreshes).toBe(1)
})

test('a lost connection is the browser’s own error, and nothing is sent again', async () => {
  await setup()
  await knobs({ apiFailures: ['drop-before'] })
  const { xhr, heard, trusted } = await load('/api/me')
  expect([xhr.status, heard]).toEqual([0, ['1', 'loadstart', '4', 'error', 'loadend']])
  expect([...trusted]).toEqual([true])
  expect((await stats()).byPath['GET /api/me']).toBe(1)
})

test('other origins are none of its business', async () => {
  await setup({ origins: ['https://api.example.test'] })
  await expire()
  const { xhr, heard } = await load('/api/me')
  expect([xhr.status, xhr.getResponseHeader('www-authenticate')]).toEqual([401, 'Bearer']) // no token was sent
  expect(withoutProgress(heard)).toEqual(ANSWERED)
  expect((await stats()).refreshes).toBe(0)
})

test('a synchronous request is left alone', async () => {
  await setup()
  const xhr = new XMLHttpRequest()
  xhr.open('GET', '/api/me', false)
  xhr.send()
  expect([xhr.status, xhr.getResponseHeader('www-authenticate')]).toEqual([401, 'Bearer'])
})

test('the same headers and body go out again', async () => {
  await setup()
  await expire()
  const { xhr } = await load('/api/echo?a=1', {
    method: 'PUT',
    body: new Blob(['naïve ☃'], { type: 'text/x-a' }),
    prepare(own) {
      own.setRequestHeader('X-A', 'one')
      own.setRequestHeader('x-a', 'two')
    },
  })
  const { method, path, headers, body } = JSON.parse(xhr.responseText)
  expect([method, path, headers['x-a'], headers['content-type']]).toEqual([
    'PUT',
    '/api/echo?a=1',
    'one, two',
    'text/x-a',
  ])
  expect(new TextDecoder().decode(Uint8Array.from(atob(body), (char) => char.charCodeAt(0)))).toBe('naïve ☃')
})

test('an upload that goes out twice is told of once, and only forward', async () => {
  await setup()
  await expire()
  const told: [type: string, loaded: number][] = []
  const { xhr } = await load('/api/echo', {
    method: 'POST',
    body: new Uint8Array(3_000_000),
    prepare: ({ upload }) => {
      for (const kind of KINDS)
        upload.addEventListener(kind, ({ type, loaded }: ProgressEventInit & Event) => told.push([type, loaded!]))
    },
  })
  expect([xhr.status, JSON.parse(xhr.responseText).size]).toEqual([200, 3_000_000])
  const kinds = told.map(([type]) => type)
  expect(kinds.filter((type) => type !== 'progress')).toEqual(['loadstart', 'load', 'loadend'])
  const steps = told.filter(([type]) => type === 'progress').map(([, loaded]) => loaded)
  expect(steps).toEqual([...new Set(steps)].sort((a, b) => a - b))
  expect(steps.at(-1)).toBe(3_000_000)
})

/** Refused, and waiting for a refresh that takes its time. */
const held = async (sending?: Sending) => {
  const { session } = await setup()
  await expire()
  await knobs({ refreshDelayMs: 1000 })
  const started = start('/api/me', sending)
  await refreshing()
  return { session, ...started }
}

test('nothing of a refusal shows while the request is held', async () => {
  const { xhr, heard, over } = await held()
  expect([xhr.readyState, xhr.status, xhr.statusText, xhr.responseText, xhr.responseURL]).toEqual([1, 0, '', '', ''])
  expect([xhr.getResponseHeader('content-type'), xhr.getAllResponseHeaders()]).toEqual([null, ''])
  expect(() => xhr.setRequestHeader('x-a', 'b')).toThrow(expect.objectContaining({ name: 'InvalidStateError' }))
  expect(() => xhr.send()).toThrow(expect.objectContaining({ name: 'InvalidStateError' }))
  expect(heard).toEqual(['1', 'loadstart'])
  await over
  expect(xhr.status).toBe(200)
})

test('an abort frees a held request at once: it is never sent again, and the others are served', async () => {
  const { session, xhr, heard } = await held()
  const other = session.fetch('/api/items/1')
  xhr.abort()
  expect(heard).toEqual(['1', 'loadstart', '4', 'abort', 'loadend'])
  expect([xhr.readyState, xhr.status]).toEqual([0, 0])
  expect((await other).status).toBe(200)
  expect((await stats()).byPath['GET /api/me']).toBe(1)
})

test('a timeout counts from send, also for a held request', async () => {
  const { xhr, heard, over } = await held({ prepare: (own) => (own.timeout = 800) })
  await over
  expect(heard).toEqual(['1', 'loadstart', '4', 'timeout', 'loadend'])
  expect([xhr.readyState, xhr.status, xhr.responseText]).toEqual([4, 0, ''])
})

test('a timeout that was not reached harms nothing', async () => {
  await setup()
  await expire()
  const { xhr } = await load('/api/me', { prepare: (own) => (own.timeout = 5_000) })
  expect(xhr.status).toBe(200)
})

test('opened again while held, it forgets what was asked before', async () => {
  const { xhr, heard } = await held()
  xhr.open('GET', '/api/items/3')
  xhr.send()
  await new Promise((done) => xhr.addEventListener('loadend', done))
  expect(xhr.responseText).toBe('{"item":3}')
  expect(withoutProgress(heard)).toEqual(ANSWERED)
  expect((await stats()).byPath['GET /api/me']).toBe(1)
})

test('a sign-out while it is held is an error, and it is never sent as nobody', async () => {
  const { session, xhr, heard, over } = await held()
  await Promise.all([session.signOut(), over])
  expect([heard, xhr.readyState, xhr.status]).toEqual([['1', 'loadstart', '4', 'error', 'loadend'], 4, 0])
  expect((await stats()).byPath['GET /api/me']).toBe(1)
})

test('a request on a session known to be spent is held before it is sent; an abort then keeps it unsent', async () => {
  const { session } = await setup({ refreshAhead: 'never' }, { expiresInSeconds: 0.001 })
  await knobs({ refreshDelayMs: 200 })
  const leaving = start('/api/items/1')
  const staying = load('/api/items/2')
  await refreshing()
  leaving.xhr.abort()
  expect(leaving.heard).toEqual(['1', '4', 'abort', 'loadend'])
  expect((await staying).xhr.status).toBe(200)
  expect(withoutProgress((await staying).heard)).toEqual(ANSWERED)
  expect((await session.fetch('/api/me')).status).toBe(200)
  const { byPath } = await stats()
  expect([byPath['GET /api/items/1'], byPath['GET /api/items/2']]).toEqual([undefined, 1])
})

test.each([
  ['json', '/api/items/1', (response: unknown) => response, { item: 1 }],
  ['blob', '/api/items/1', async (response: unknown) => (response as Blob).text(), '{"item":1}'],
  ['arraybuffer', '/api/items/1', (response: unknown) => (response as ArrayBuffer).byteLength, 10],
  ['document', '/api/html', (response: unknown) => (response as Document).nodeName, '#document'],
] as const)('responseType %s survives a replay', async (type, path, read, expected) => {
  await setup()
  await expire()
  const { xhr } = await load(path, { prepare: (own) => (own.responseType = type) })
  expect(await read(xhr.response)).toEqual(expected)
})

test('overrideMimeType, withCredentials and the response headers survive a replay', async () => {
  await setup()
  await expire()
  const { xhr } = await load('/api/me', {
    prepare(own) {
      own.responseType = 'blob'
      own.withCredentials = true
      own.overrideMimeType('text/x-a')
    },
  })
  expect([(xhr.response as Blob).type, xhr.withCredentials]).toEqual(['text/x-a', true])
  expect(xhr.getResponseHeader('content-type')).toMatch('application/json')
  expect(xhr.getAllResponseHeaders()).toMatch('content-type: application/json')
})

test('an object can be used again', async () => {
  await setup()
  const { xhr } = await load('/api/me')
  await expire()
  const again = listen(xhr)
  xhr.open('GET', '/api/items/2')
  xhr.send()
  await again.over
  expect(xhr.responseText).toBe('{"item":2}')
  expect(withoutProgress(again.heard)).toEqual(ANSWERED)
})

test('a page that navigates meanwhile does not change where a replay goes', async () => {
  const { href } = location
  onTestFinished(() => history.replaceState(null, '', href))
  history.replaceState(null, '', '/api/items/0')
  await setup()
  await expire()
  const { over, xhr } = start('5')
  history.replaceState(null, '', '/elsewhere/0')
  await over
  expect(xhr.responseText).toBe('{"item":5}')
})

test('a backend whose credentials may follow no redirect is served: XMLHttpRequest has no way to refuse one', async () => {
  const { attach, ...backend } = bearer({ refreshUrl: '/auth/refresh' })
  const { session } = await setup({
    backend: { ...backend, attach: (...args) => (attach(...args), { redirect: 'error' }) },
  })
  const errors = vi.fn()
  session.on('error', errors)
  await expire()
  const { xhr, heard } = await load('/api/me')
  expect([xhr.status, withoutProgress(heard)]).toEqual([200, ANSWERED])
  expect((await axios.get('/api/me')).status).toBe(200)
  expect(errors).not.toHaveBeenCalled()
})

test('a token against forgery goes out with it, copied from its cookie', async () => {
  document.cookie = 'xsrf=canary; path=/'
  onTestFinished(() => void (document.cookie = 'xsrf=; max-age=0; path=/'))
  const seen = vi.spyOn(XMLHttpRequest.prototype, 'setRequestHeader')
  onTestFinished(() => seen.mockRestore())
  const body = JSON.stringify({ username: 'ann', password: 'secret' })
  expect((await fetch('/bff/login', { method: 'POST', body, headers: { 'x-bff': '1' } })).status).toBe(200)
  const session = createSession({
    backend: cookie({
      sessionUrl: '/bff/session',
      headers: { 'x-bff': '1' },
      csrf: { cookie: 'xsrf', header: 'x-xsrf' },
    }),
    storage: memory(),
  })
  await session.ready()
  const undo = installXhr(session)
  onTestFinished(() => {
    undo()
    session.dispose()
  })
  const { status, data } = await axios.get('/api/me')
  expect([status, data.name]).toEqual([200, 'Ann'])
  expect(seen.mock.calls).toContainEqual(['x-xsrf', 'canary'])
})

test('undone, the browser’s own is back', async () => {
  const before = XMLHttpRequest
  const { undo } = await setup()
  const Ours = XMLHttpRequest
  expect(Ours).not.toBe(before)
  expect(Ours.DONE).toBe(4)
  undo()
  expect(XMLHttpRequest).toBe(before)
  const xhr = new Ours()
  const { over } = listen(xhr)
  xhr.open('GET', '/api/me')
  xhr.send()
  await over
  expect(xhr.status).toBe(401)
})

test('axios, with its default adapter, takes part', async () => {
  await setup()
  await expire()
  const steps: number[] = []
  const onUploadProgress = ({ loaded }: { loaded: number }) => void steps.push(loaded)
  const [me, order] = await Promise.all([
    axios.get('/api/me'),
    axios.post('/api/orders', { id: 7 }, { onUploadProgress, headers: { 'x-a': 'b' } }),
  ])
  expect([me.data.name, order.status, order.data]).toEqual(['Ann', 201, { id: 7, accepted: 1 }])
  expect(steps).toEqual([8])
  expect((await stats()).refreshes).toBe(1)
  await expect(axios.get('/api/refused')).rejects.toMatchObject({ response: { status: 401 } })
})

test('axios: a signal frees a held request', async () => {
  await setup()
  await expire()
  await knobs({ refreshDelayMs: 300 })
  const caller = new AbortController()
  const answer = axios.get('/api/me', { signal: caller.signal }).catch((error: unknown) => error)
  await refreshing()
  caller.abort()
  expect(isCancel(await answer)).toBe(true)
})
