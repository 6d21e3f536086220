// The cookie backend: what pages do that the sample server does not.

import { cookie } from 'resesh/backends/cookie'
import { expect, test } from 'vitest'
import { setup, url } from '../support/session.ts'

test('a cookie that is not encoded is copied as it is', async () => {
  const backend = cookie({ sessionUrl: url('/session'), csrf: { cookie: 'csrf', header: 'x-csrf' } })
  const document = { cookie: 'csrf=100%; csrf2=a', baseURI: url('/') } as Document
  const sent: (string | null)[] = []
  const fetch = async (_input: unknown, init?: RequestInit) => {
    sent.push(new Headers(init?.headers).get('x-csrf'))
    return new Response('served')
  }
  const { session } = await setup({ backend, initial: {}, platform: { document, fetch } })
  await session.fetch(url('/api'))
  expect(sent).toEqual(['100%'])
})
