// What a request costs beyond the transport, which is a stub here: the session beside what one would write or install in its place.

import { createSession, defineBackend } from 'resesh'
import ky from 'ky'
import ky1 from 'ky-1'
import { expect, test } from 'vitest'
import { print, sideBySide } from './measure.ts'

const transport: typeof fetch = async () => new Response(null, { status: 204 })
const token = `header.${'x'.repeat(600)}.signature`
const url = new URL('/api/items/1', location.href).href
const init = { headers: { accept: 'application/json' } }

const session = createSession({
  storage: 'memory',
  backend: defineBackend({ refresh: async () => null }),
  initial: { accessToken: token, expiresInSeconds: 3600 },
  platform: { fetch: transport },
})

/** What a page's own ten lines would be. */
const naive: typeof fetch = async (input, options) => {
  const send = () => {
    const headers = new Headers(options?.headers)
    headers.set('authorization', `Bearer ${token}`)
    return transport(input, { ...options, headers })
  }
  const response = await send()
  return response.status === 401 ? send() : response
}

/** The same by way of a Request, as many wrappers do, so that any input can be sent twice. */
const cloning: typeof fetch = async (input, options) => {
  const request = new Request(input, options)
  request.headers.set('authorization', `Bearer ${token}`)
  const spare = request.clone()
  const response = await transport(request)
  return response.status === 401 ? transport(spare) : response
}

const withHook = ky.create({
  fetch: transport,
  retry: 0,
  hooks: { beforeRequest: [({ request }) => request.headers.set('authorization', `Bearer ${token}`)] },
})
const withHook1 = ky1.create({
  fetch: transport,
  retry: 0,
  hooks: { beforeRequest: [(request) => request.headers.set('authorization', `Bearer ${token}`)] },
})

test('a request to our own origin', async () => {
  await session.ready()
  const timings = await sideBySide(500, [
    ['bare', () => transport(url, init)],
    ['session.fetch', () => session.fetch(url, init)],
    ['session.fetch, no options', () => session.fetch(url)],
    ['session.fetch, a JSON body', () => session.fetch(url, { ...init, method: 'POST', body: '{"a":1}' })],
    ['a naive wrapper', () => naive(url, init)],
    ['a wrapper that clones a Request', () => cloning(url, init)],
    ['ky 2 with a hook', () => withHook(url, init)],
    ['ky 1 with a hook', () => withHook1(url, init)],
  ])
  print('own origin', timings)
  expect(timings[1]!.own).toBeLessThan(timings[6]!.own / 2)
})

test('a request to an origin that is not ours', async () => {
  const timings = await sideBySide(2000, [
    ['bare', () => transport('https://elsewhere.test/a', init)],
    ['session.fetch', () => session.fetch('https://elsewhere.test/a', init)],
  ])
  print('foreign origin', timings)
  session.dispose()
})
