// Code of the app on the way of a request and its response: what it throws harms no answer, and what it reads is no caller's.

import {
  type AnySessionError,
  type Backend,
  CallbackError,
  defineBackend,
  type Extension,
  type SessionOptions,
} from 'resesh'
import { observeResponses } from 'resesh/backends/kit'
import { anyOf, status } from 'resesh/expired'
import { stepUp } from 'resesh/step-up'
import { describe, expect, test } from 'vitest'
import { over } from '../support/answering.ts'
import { setup, url } from '../support/session.ts'

const broken = () => {
  throw new SyntaxError('Unexpected token a')
}
const brokenLater = async () => broken()
const csv = () => new Response('a,b', { headers: { 'content-type': 'text/csv' } })
const backendWith = (parts: Partial<Backend>): Backend =>
  defineBackend({ refresh: async () => ({ accessToken: 'token-1' }), ...parts })
const extension = (hooks: ReturnType<Extension['setup']>): Extension => ({ name: 'theirs', setup: () => hooks })

describe('what throws is told once, and the caller gets the answer', () => {
  const places: [name: string, options: () => Partial<SessionOptions>][] = [
    ['isExpired', () => ({ isExpired: broken })],
    ['isExpired, later', () => ({ isExpired: brokenLater })],
    ['isExpired, on a 204 that is parsed', () => ({ isExpired: async (response) => (await response.json()) === 1 })],
    ['isExpired.around', () => ({ isExpired: Object.assign(() => false, { around: broken }) })],
    ['isExpired.around, as it is called', () => ({ isExpired: Object.assign(() => false, { around: () => broken }) })],
    [
      'isExpired.around, once the answer is there',
      () => ({
        isExpired: Object.assign(() => false, {
          around:
            (real: typeof fetch): typeof fetch =>
            async (...args) => {
              await real(...args)
              return broken()
            },
        }),
      }),
    ],
    ['attach', () => ({ backend: backendWith({ attach: broken }) })],
    ['attach, later', () => ({ backend: backendWith({ attach: brokenLater }) })],
    ['owns', () => ({ backend: backendWith({ owns: broken }) })],
    ['stepUp of a backend', () => ({ backend: backendWith({ stepUp: broken }), use: [stepUp(async () => true)] })],
    ['observe', () => ({ use: [extension({ observe: broken })] })],
    ['observe, later', () => ({ use: [extension({ observe: brokenLater })] })],
    ['judge', () => ({ use: [extension({ judge: broken })] })],
    ['served', () => ({ use: [extension({ served: brokenLater })] })],
    ['what reads tokens off a response', () => ({ backend: backendWith({ use: [observeResponses(broken)] }) })],
  ]

  test.each(places)('%s', async (_, options) => {
    const { session, calls } = await over(csv, options())
    const errors: AnySessionError[] = []
    session.on('error', ({ error }) => errors.push(error))
    for (let nth = 0; nth < 3; nth++) expect(await (await session.fetch(url('/export'))).text()).toBe('a,b')
    expect(calls).toHaveLength(3)
    expect(errors).toHaveLength(1)
    expect(errors[0]).toBeInstanceOf(CallbackError)
  })
})

test('a wrapper that throws as the network fails hides nothing', async () => {
  const failed = new TypeError('fetch failed')
  const around =
    (real: typeof fetch) =>
    async (...args: Parameters<typeof fetch>) =>
      real(...args)
  const { session } = await over(
    () => {
      throw failed
    },
    { isExpired: Object.assign(() => false, { around }) },
  )
  await expect(session.fetch(url('/a'))).rejects.toBe(failed)
})

test('of several predicates, one that throws does not silence the others', async () => {
  const { session, refreshes } = await over(
    (token) => new Response(null, { status: token === 'Bearer token-1' ? 200 : 419 }),
    { isExpired: anyOf(brokenLater, status(419)) },
  )
  expect((await session.fetch(url('/a'))).status).toBe(200)
  expect(refreshes()).toBe(1)
})

describe('what reads a response without a clone takes nothing from its caller', () => {
  const seen: unknown[] = []
  const reads = async (response: Response) => {
    seen.push([await response.text(), response.bodyUsed, response.status, response.headers.get('content-type')])
  }
  const ways: [name: string, options: () => Partial<SessionOptions>][] = [
    ['isExpired', () => ({ isExpired: async (response) => reads(response).then(() => false) })],
    [
      'isExpired of a backend',
      () => ({
        backend: backendWith({
          async isExpired(response) {
            await reads(response)
            return false
          },
        }),
      }),
    ],
    ['observe', () => ({ use: [extension({ observe: ({ response }) => reads(response) })] })],
    [
      'judge',
      () => ({
        use: [
          extension({
            async judge({ response }) {
              await reads(response)
              return undefined
            },
          }),
        ],
      }),
    ],
    ['served', () => ({ use: [extension({ served: ({ response }) => reads(response) })] })],
    [
      'stepUp of a backend',
      () => ({
        backend: backendWith({
          async stepUp(response) {
            await reads(response)
            return null
          },
        }),
        use: [stepUp(async () => true)],
      }),
    ],
  ]

  test.each(ways)('%s', async (_, options) => {
    const answer = csv()
    const { session } = await over(() => answer, options())
    seen.length = 0
    const response = await session.fetch(url('/export'))
    expect(response).toBe(answer)
    expect(response.bodyUsed).toBe(false)
    expect(await response.text()).toBe('a,b')
    expect(seen).toEqual([['a,b', true, 200, 'text/csv']])
  })

  test('two of them, one after the other: each may clone what nobody has read', async () => {
    const isExpired = async (response: Response) => (await response.clone().text()) + (await response.json()) === ''
    const { session } = await over(() => Response.json({ a: 1 }), { isExpired })
    expect(await (await session.fetch(url('/a'))).json()).toEqual({ a: 1 })
  })

  test('who only looks at the status makes no copy', async () => {
    let clones = 0
    const answer = csv()
    const { clone } = answer
    answer.clone = () => (clones++, clone.call(answer))
    const { session } = await over(() => answer, { isExpired: (response) => response.status === 401 })
    await session.fetch(url('/a'))
    expect(clones).toBe(0)
  })

  test('it is a Response to whoever asks', async () => {
    const isIt: boolean[] = []
    const isExpired = (response: Response) => (isIt.push(response instanceof Response), false)
    const { session } = await over(csv, { isExpired })
    await session.fetch(url('/a'))
    expect(isIt).toEqual([true])
  })
})

test('a refused response that a predicate has read is replayed as ever', async () => {
  const { server, session } = await setup({
    isExpired: async (response) => response.status === 401 && (await response.json()).error === 'invalid_token',
  })
  server.expireAccessTokens()
  expect((await session.fetch(url('/api/me'))).status).toBe(200)
})
